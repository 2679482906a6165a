import { createReadStream } from 'node:fs';
import { decodeLogsJson, decodeTracesJson, encodeLogs, encodeTraces } from '@tracewell/otlp';
import { TracewellError } from '@tracewell/plugin';
import { checkFields, wrongType } from '../query/check.ts';
import type { InsertResult, Store } from '../store.ts';

/** What {@link TraceStore.import} takes. */
export interface ImportFileOptions {
  /** Called now and then with how far it is. */
  readonly onProgress?: ((progress: ImportedFile) => void) | undefined;
  /** Stops the import; what was imported until then stays. */
  readonly abortSignal?: AbortSignal | undefined;
}

/** What was imported. */
export interface ImportedFile {
  /** Lines that were read, empty ones not counted. */
  readonly lines: number;
  /** Rows that are stored now, those included that had been before. */
  readonly accepted: number;
  /** Rows that were left out, as `insertOtlp` leaves them out. */
  readonly rejected: number;
  /** Lines that hold no OTLP request and were left out. */
  readonly rejectedLines: number;
  /** Why, with the number of the first line for each reason; at most 20. */
  readonly reasons: readonly string[];
}

const CALLER = 'import';
const FIELDS: ReadonlySet<string> = new Set<keyof ImportFileOptions>(['onProgress', 'abortSignal']);
const MAX_REASONS = 20;
/** The longest line: what a request may have. 32 Mi characters. */
const MAX_LINE = 32 * 1024 * 1024;

/**
 * Reads a file of OTLP JSON lines into a store. Each line says by itself which signal it is.
 *
 * @throws `TracewellError` (`TW_TRANSFER_FAILED`) if the file cannot be read, and whatever an insert throws
 * @throws TypeError naming an argument that is none
 */
export async function importFile(
  store: Pick<Store, 'insertOtlp'>,
  path: string,
  options: ImportFileOptions,
): Promise<ImportedFile> {
  if (typeof path !== 'string' || path === '') throw wrongType(CALLER, 'path', 'a path', path);
  checkFields(CALLER, 'options', options, FIELDS);
  const { onProgress, abortSignal } = options;
  const done = { lines: 0, accepted: 0, rejected: 0, rejectedLines: 0, reasons: [] as string[] };
  const known = new Set<string>();
  const explain = (reason: string, line: number): void => {
    if (known.has(reason) || known.size === MAX_REASONS) return;
    known.add(reason);
    done.reasons.push(`line ${line}: ${reason}`);
  };
  let number = 0;
  for await (const line of linesOf(path)) {
    abortSignal?.throwIfAborted();
    number++;
    if (line === TOO_LONG) {
      done.lines++;
      done.rejectedLines++;
      explain(`it has more than ${MAX_LINE} characters`, number);
      continue;
    }
    if (line.trim() === '') continue;
    done.lines++;
    let insert: () => Promise<InsertResult>;
    try {
      insert = parse(store, line);
    } catch (error) {
      if (!(error instanceof TracewellError || error instanceof SyntaxError)) throw error;
      done.rejectedLines++;
      explain(error.message, number);
      continue;
    }
    const { accepted, rejected, reasons } = await insert();
    done.accepted += accepted;
    done.rejected += rejected;
    for (const reason of reasons) explain(reason, number);
    onProgress?.({ ...done, reasons: [...done.reasons] });
  }
  return done;
}

/** Takes a line apart before anything of it is stored. @throws SyntaxError, `TracewellError` */
function parse(store: Pick<Store, 'insertOtlp'>, line: string): () => Promise<InsertResult> {
  const request: unknown = JSON.parse(line);
  if (typeof request === 'object' && request !== null && !Array.isArray(request)) {
    if ('resourceSpans' in request) {
      const bytes = encodeTraces(decodeTracesJson(request));
      return () => store.insertOtlp('traces', bytes);
    }
    if ('resourceLogs' in request) {
      const bytes = encodeLogs(decodeLogsJson(request));
      return () => store.insertOtlp('logs', bytes);
    }
  }
  throw new SyntaxError('it has no resourceSpans or resourceLogs');
}

const TOO_LONG = Symbol('a line that is too long');

/** The lines of a file; of one that is too long only that it is. */
async function* linesOf(path: string): AsyncGenerator<string | typeof TOO_LONG> {
  let rest = '';
  let skipping = false;
  for await (const chunk of textOf(path)) {
    const parts = chunk.split('\n');
    parts[0] = rest + parts[0]!;
    rest = parts.pop()!;
    for (const line of parts) {
      yield skipping ? TOO_LONG : line;
      skipping = false;
    }
    if (rest.length <= MAX_LINE) continue;
    skipping = true;
    rest = '';
  }
  if (skipping) yield TOO_LONG;
  else if (rest !== '') yield rest;
}

async function* textOf(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 });
  try {
    for await (const chunk of stream) yield chunk as string;
  } catch (error) {
    throw new TracewellError(
      'TW_TRANSFER_FAILED',
      `cannot read ${path}: ${(error as Error).message}; see to that path`,
      { cause: error },
    );
  } finally {
    stream.destroy();
  }
}
