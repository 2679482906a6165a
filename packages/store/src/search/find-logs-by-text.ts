import type { KeyedLog, LogSource } from '../query/logs/find-logs.ts';
import type { LogPage } from '../query/logs/log-query.ts';
import { encodeLogCursor, type LogPlan } from '../query/logs/plan.ts';
import { compareRecordKeys } from '../query/record-key.ts';
import { nextTurn, turnIsOver } from '../query/turn.ts';
import { ftsQuery } from './fts-query.ts';
import { type HitSource, hitsFor, type WantedHits } from './hits.ts';
import { matchTexts, type TextMatch } from './match-text.ts';
import { ROW_SPREAD, rowOf, type SearchHit } from './search-db.ts';
import type { TextQuery } from './text-query.ts';
import type { TextPicker } from './texts.ts';

/** What a search for log records reads from. */
export interface LogTextSource extends HitSource {
  readonly picker: TextPicker;
  /** The hot and the cold tier. */
  readonly sources: readonly LogSource[];
}

interface Found extends KeyedLog {
  readonly match: TextMatch;
}

/**
 * The log records whose texts match. A record has no id, so a hit says only when to look; the records of that
 * nanosecond, read from the store, decide.
 *
 * @param text - of the plan
 */
export async function findLogsByText(
  source: LogTextSource,
  plan: LogPlan,
  text: TextQuery,
): Promise<LogPage> {
  const found: Found[] = [];
  const looked = new Set<bigint>();
  for await (const time of timesOf(hitsFor(source, requestOf(plan, text), plan))) {
    if (turnIsOver()) await nextTurn();
    if (looked.has(time.at)) continue;
    looked.add(time.at);
    for (const one of await logsAt(source, plan, text, time)) {
      if (found.length === plan.limit) {
        const page = pageOf(found);
        return plan.order === 'relevance' ? page : { ...page, cursor: encodeLogCursor(found.at(-1)!.key) };
      }
      found.push(one);
    }
  }
  return pageOf(found);
}

function pageOf(found: readonly Found[]): LogPage {
  return { logs: found.map(({ log }) => log), matches: found.map(({ match }) => match) };
}

function requestOf(plan: LogPlan, text: TextQuery): WantedHits {
  const { minStart, maxStart, after } = plan;
  const newest = after !== undefined && after.timeUnixNanos < maxStart ? after.timeUnixNanos : maxStart;
  return {
    signal: 'log',
    match: ftsQuery(text),
    service: plan.service,
    failed: false,
    minRow: rowOf(minStart < 0n ? 0n : minStart),
    beforeRow: rowOf(newest < 0n ? 0n : newest) + ROW_SPREAD,
  };
}

/** A nanosecond with hits. */
interface HitTime {
  readonly at: bigint;
  /** The trace of all of them; empty if there are several, or none. */
  readonly traceId: string;
}

/** Hits of the same nanosecond as one. */
async function* timesOf(hits: AsyncIterable<SearchHit>): AsyncGenerator<HitTime> {
  let last: HitTime | undefined;
  for await (const { time: at, traceId } of hits) {
    if (last?.at === at) {
      last = { at, traceId: last.traceId === traceId ? traceId : '' };
      continue;
    }
    if (last !== undefined) yield last;
    last = { at, traceId };
  }
  if (last !== undefined) yield last;
}

/** The records of a nanosecond that match, in order. */
async function logsAt(
  { sources, picker }: LogTextSource,
  plan: LogPlan,
  text: TextQuery,
  { at, traceId }: HitTime,
): Promise<Found[]> {
  if (at < plan.minStart || at > plan.maxStart) return [];
  // By its trace, a record is found without looking through all of its time. In another order, any may be it.
  const narrowed = plan.order === 'newest' && traceId !== '' ? (plan.traceId ?? traceId) : plan.traceId;
  const then: LogPlan = { ...plan, minStart: at, maxStart: at, traceId: narrowed };
  const found: Found[] = [];
  for (const source of sources) {
    for await (const { key, log } of source.logs(then)) {
      const match = matchTexts(text, picker.ofLog(log));
      if (match !== undefined) found.push({ key, log, match });
    }
  }
  found.sort((a, b) => compareRecordKeys(a.key, b.key));
  return found.filter(({ key }, index) => index === 0 || compareRecordKeys(found[index - 1]!.key, key) !== 0);
}
