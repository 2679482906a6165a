// The thread that indexes texts, or searches in them.
import { parentPort, workerData } from 'node:worker_threads';
import { decodeLogs, decodeTraces } from '@tracewell/otlp';
import { TracewellError } from '@tracewell/plugin';
import { isDamagedCode } from '../fs/sqlite.ts';
import type { Answer, Call, IndexedFrame, SearchCalls } from './protocol.ts';
import { recordOfLog, recordOfSpan } from './records.ts';
import { removeSearchDb, SearchDb, type SearchRecord } from './search-db.ts';
import { TextPicker } from './texts.ts';

const directory = workerData as string;
let writer: SearchDb | undefined;
let reader: SearchDb | undefined;
let picker = new TextPicker();

const calls: SearchCalls = {
  open(attributes, coldFiles) {
    writer?.close();
    writer = undefined;
    picker = new TextPicker(attributes);
    writer = SearchDb.openToWrite(directory, JSON.stringify(attributes), coldFiles);
    return { positions: [...writer.positions().values()], missingFiles: writer.missingFiles() };
  },

  index(frames, positions) {
    if (!writer!.isThere()) throw new GoneError();
    const records = frames.flatMap(recordsOf).filter(({ texts }) => texts.length > 0);
    writer!.add(records, positions);
  },

  enter(records) {
    if (!writer!.isThere()) throw new GoneError();
    writer!.add(records, []);
  },

  setMissingFiles(files) {
    writer!.setMissingFiles(files);
  },

  forget(oldest) {
    return writer!.forget(oldest);
  },

  find(request) {
    if (reader !== undefined && !reader.isThere()) {
      reader.close();
      reader = undefined;
    }
    reader ??= SearchDb.openToRead(directory);
    return reader?.find(request) ?? [];
  },
};

/** Somebody has deleted the index. */
class GoneError extends Error {
  override readonly message = 'search.db was removed';
}

function recordsOf({ content, payload }: IndexedFrame): SearchRecord[] {
  try {
    if (content === 'traces') {
      return decodeTraces(payload, { onInvalidSpan: () => {} }).map((span) => recordOfSpan(span, picker));
    }
    return content === 'logs' ? decodeLogs(payload).map((log) => recordOfLog(log, picker)) : [];
  } catch (error) {
    // The store's own index counts frames that hold no request.
    if (error instanceof TracewellError) return [];
    throw error;
  }
}

parentPort!.on('message', ({ id, name, args }: Call) => {
  let answer: Answer;
  try {
    const call = calls[name] as (...args: readonly unknown[]) => unknown;
    answer = { id, result: call(...args) };
  } catch (error) {
    const damaged = isDamagedCode(error) || error instanceof GoneError;
    if (damaged) setAside(name);
    answer = { id, error: { message: (error as Error).message, damaged } };
  }
  parentPort!.postMessage(answer);
});

/** What is damaged is only derived: the thread that indexes removes it, and makes it anew when it is opened. */
function setAside(name: keyof SearchCalls): void {
  reader?.close();
  reader = undefined;
  if (name === 'find') return;
  writer?.close();
  writer = undefined;
  removeSearchDb(directory);
}
