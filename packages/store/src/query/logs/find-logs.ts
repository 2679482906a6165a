import type { LogData } from '@tracewell/otlp';
import type { LogIndex, PlacedLogBlock } from '../../hot/logs/log-index.ts';
import { firstRows, newestFirst } from '../newest-first.ts';
import { NewestRows } from '../newest-rows.ts';
import { compareRecordKeys, type RecordKey, recordKeyOf, rowKeyOf } from '../record-key.ts';
import { nextTurn, turnIsOver } from '../turn.ts';
import { LogFilter } from './log-filter.ts';
import type { LogPage } from './log-query.ts';
import { type LogReader, needleOf } from './log-reader.ts';
import { matchesLog } from './match.ts';
import { encodeLogCursor, type LogPlan } from './plan.ts';

/** A log record with its place in the order. */
export interface KeyedLog {
  readonly key: RecordKey;
  readonly log: LogData;
}

/** Something that has log records: the hot tier, the cold tier. */
export interface LogSource {
  /** The records that match a plan, in order, each once; those behind `plan.after`. No further than it is asked. */
  logs(plan: LogPlan): AsyncIterable<KeyedLog>;
}

/** A page of the records of all sources together. */
export async function findLogs(sources: readonly LogSource[], plan: LogPlan): Promise<LogPage> {
  if (turnIsOver()) await nextTurn();
  const all = newestFirst(
    sources.map((source) => source.logs(plan)),
    (a, b) => compareRecordKeys(a.key, b.key),
  );
  const { rows, more } = await firstRows(all, plan.limit);
  const logs = rows.map(({ log }) => log);
  return more ? { logs, cursor: encodeLogCursor(rows.at(-1)!.key) } : { logs };
}

// Bodies and attributes are not in the index: rows are fetched in growing numbers until enough records match.
const FIRST_FETCH = 256;
const MAX_FETCH = 16_384;

/** The records of the hot tier: the newest rows that pass the index's filter, decoded in order. */
export class HotLogs implements LogSource {
  readonly #index: LogIndex;
  readonly #reader: LogReader;

  constructor(index: LogIndex, reader: LogReader) {
    this.#index = index;
    this.#reader = reader;
  }

  async *logs(plan: LogPlan): AsyncGenerator<KeyedLog> {
    const needle = needleOf(plan.contains);
    const decodes = plan.attributes.length > 0 || plan.contains !== undefined;
    // One more than the page: the record that shows that there is another page.
    let fetch = decodes ? Math.max(FIRST_FETCH, plan.limit * 2) : plan.limit + 1;
    let after = plan.after && rowKeyOf(plan.after);
    for (;;) {
      const blocks = this.#index.blocksByTime();
      const rows = await newestRows(blocks, new LogFilter(plan, this.#index.services, after), fetch);
      for (let at = 0; at < rows.count; at++) {
        if (at % 16 === 15 && turnIsOver()) await nextTurn();
        // A copy in another segment.
        if (at > 0 && rows.same(at - 1, at)) continue;
        const log = this.#reader.read(blocks[rows.blockNumber(at)]!, rows.row(at), needle);
        if (log !== undefined && matchesLog(log, plan)) yield { key: recordKeyOf(rows.key(at)), log };
      }
      if (rows.count < fetch) return;
      after = rows.key(rows.count - 1);
      fetch = Math.min(Math.max(fetch * 2, FIRST_FETCH), Math.max(fetch, MAX_FETCH));
    }
  }
}

async function newestRows(
  blocks: readonly PlacedLogBlock[],
  filter: LogFilter,
  capacity: number,
): Promise<NewestRows> {
  const newest = new NewestRows(capacity);
  for (const [number, { block }] of blocks.entries()) {
    if (block.minTime > filter.maxTime) continue;
    if (block.maxTime < filter.minTime) break;
    if (newest.full && block.maxTime < newest.minTime) break;
    filter.scan(block, number, newest);
    if (turnIsOver()) await nextTurn();
  }
  newest.finish();
  return newest;
}
