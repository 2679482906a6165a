import { newestSpans } from '../cold/spans/newest-spans.ts';
import type { HotTier } from '../hot/hot-tier.ts';
import type { ColdFile } from '../meta/catalog.ts';
import { planLogs } from '../query/logs/plan.ts';
import type { Snapshot } from '../query/snapshot.ts';
import { planQuery } from '../query/spans/plan.ts';
import { nextTurn, turnIsOver } from '../query/turn.ts';
import { recordOfLog, recordOfSpan } from './records.ts';
import type { SearchRecord, SearchSignal } from './search-db.ts';
import type { TextPicker } from './texts.ts';

/** The cold tier, for an index that is built anew. */
export interface ColdTexts {
  /** The ids of the files that hold spans or log records, the newest first. */
  files(): string[];
  /** No record of either tier is older; `undefined` if there is none. */
  oldest(signal: SearchSignal): bigint | undefined;
  /** The records of a file, in pieces; `undefined` if it is there no more. */
  recordsOf(id: string): AsyncGenerator<SearchRecord[]> | undefined;
}

/** Records that are entered in one transaction. */
const PIECE = 2000;

/** The hot tier holds times as doubles, which are a few hundred nanoseconds off. */
const ROUNDING = 1024n;

/** The texts of the cold tier. */
export function coldTexts(
  snapshot: () => Snapshot,
  hot: Pick<HotTier, 'spans' | 'logs'>,
  picker: TextPicker,
): ColdTexts {
  const files = (): ColdFile[] => {
    const now = snapshot();
    const all = [...now.readable('spans'), ...now.readable('logs')];
    return all.sort((a, b) => (a.maxTime > b.maxTime ? -1 : 1));
  };
  return {
    files: () => files().map(({ id }) => id),
    oldest(signal) {
      const times = snapshot()
        .cold(signal === 'span' ? 'spans' : 'logs')
        .map(({ minTime }) => minTime);
      for (const time of hotTimes(hot, signal)) times.push(BigInt(Math.floor(time)) - ROUNDING);
      return times.length === 0 ? undefined : times.reduce((a, b) => (b < a ? b : a));
    },
    recordsOf(id) {
      const file = files().find((candidate) => candidate.id === id);
      return file && recordsOf(snapshot(), file, picker);
    },
  };
}

function hotTimes(hot: Pick<HotTier, 'spans' | 'logs'>, signal: SearchSignal): number[] {
  const times =
    signal === 'span'
      ? hot.spans.blocks().map(({ block }) => block.minStart)
      : [...hot.logs.blocksByTime()].map(({ block }) => block.minTime);
  return times.filter(Number.isFinite);
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
