import { newestSpans } from '../cold/spans/newest-spans.ts';
import type { ColdFile } from '../meta/catalog.ts';
import { planLogs } from '../query/logs/plan.ts';
import type { Snapshot } from '../query/snapshot.ts';
import { planQuery } from '../query/spans/plan.ts';
import { nextTurn, turnIsOver } from '../query/turn.ts';
import { recordOfLog, recordOfSpan } from './records.ts';
import type { SearchRecord } from './search-db.ts';
import type { TextPicker } from './texts.ts';

/** The cold tier, for an index that is built anew. */
export interface ColdTexts {
  /** The ids of the files that hold spans or log records, the newest first. */
  files(): string[];
  /** The records of a file, in pieces; `undefined` if it is there no more. */
  recordsOf(id: string): AsyncGenerator<SearchRecord[]> | undefined;
}

/** Records that are entered in one transaction. */
const PIECE = 2000;

/** The texts of the cold tier. */
export function coldTexts(snapshot: () => Snapshot, picker: TextPicker): ColdTexts {
  const files = (): ColdFile[] => {
    const now = snapshot();
    const all = [...now.readable('spans'), ...now.readable('logs')];
    return all.sort((a, b) => (a.maxTime > b.maxTime ? -1 : 1));
  };
  return {
    files: () => files().map(({ id }) => id),
    recordsOf(id) {
      const file = files().find((candidate) => candidate.id === id);
      return file && recordsOf(snapshot(), file, picker);
    },
  };
}

async function* recordsOf(
  snapshot: Snapshot,
  file: ColdFile,
  picker: TextPicker,
): AsyncGenerator<SearchRecord[]> {
  let piece: SearchRecord[] = [];
  try {
    for (const record of eachOf(snapshot, file, picker)) {
      if (turnIsOver()) await nextTurn();
      if (record === undefined || record.texts.length === 0) continue;
      piece.push(record);
      if (piece.length < PIECE) continue;
      yield piece;
      piece = [];
    }
  } catch (error) {
    // Damaged: queries tell of it. If it is gone, its rows are in another file.
    snapshot.skip(error);
  }
  yield piece;
}

function* eachOf(
  snapshot: Snapshot,
  file: ColdFile,
  picker: TextPicker,
): Generator<SearchRecord | undefined> {
  if (file.signal === 'spans') {
    const all = planQuery({}, 0n);
    for (const span of snapshot.files.eachOfSpans(file, (open) => newestSpans(open, all))) {
      yield span && recordOfSpan(span, picker);
    }
    return;
  }
  const all = planLogs({}, 0n);
  for (const found of snapshot.files.eachOfLogs(file, (open) => open.newest(all))) {
    yield found && recordOfLog(found.log, picker);
  }
}
