import type { SpanData } from '@tracewell/plugin';
import { StatusCode } from '@tracewell/plugin';
import { matches } from '../query/spans/match.ts';
import type { QueryPlan } from '../query/spans/plan.ts';
import { compareSpanKeys, encodeCursor } from '../query/spans/span-order.ts';
import { nextTurn, turnIsOver } from '../query/turn.ts';
import type { TracePage } from '../store.ts';
import { ftsQuery } from './fts-query.ts';
import { matchTexts, type TextMatch } from './match-text.ts';
import { ROW_SPREAD, rowOf, type SearchHit, type SearchRequest } from './search-db.ts';
import type { TextQuery } from './text-query.ts';
import type { TextPicker } from './texts.ts';

/** What a search reads from. */
export interface TextSource {
  readonly picker: TextPicker;
  /** Asks the index. */
  find(request: SearchRequest): Promise<readonly SearchHit[]>;
  /** The span of a hit, from wherever it is; none if it is gone. */
  spansOf(hit: SearchHit): Promise<readonly SpanData[]>;
}

interface Found {
  readonly span: SpanData;
  readonly match: TextMatch;
}

const FIRST_HITS = 200;
const MAX_HITS = 5000;

/**
 * The spans whose texts match. The index says where to look; the spans themselves, read from the store, decide.
 *
 * @param text - of the plan
 */
export async function findByText(source: TextSource, plan: QueryPlan, text: TextQuery): Promise<TracePage> {
  const found: Found[] = [];
  const hits = plan.order === 'relevance' ? best(source, plan, text) : inOrder(source, plan, text);
  const seen = new Set<string>();
  for await (const hit of hits) {
    if (turnIsOver()) await nextTurn();
    for (const span of await source.spansOf(hit)) {
      const key = `${span.traceId}${span.spanId}${span.startTimeUnixNanos}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (plan.after !== undefined && compareSpanKeys(span, plan.after) <= 0) continue;
      if (!matches(span, plan)) continue;
      const match = matchTexts(text, source.picker.ofSpan(span));
      if (match === undefined) continue;
      if (found.length === plan.limit) {
        const page = pageOf(found);
        return plan.order === 'relevance' ? page : { ...page, cursor: encodeCursor(found.at(-1)!.span) };
      }
      found.push({ span, match });
    }
  }
  return pageOf(found);
}

function pageOf(found: readonly Found[]): TracePage {
  return { spans: found.map(({ span }) => span), matches: found.map(({ match }) => match) };
}

function requestOf(plan: QueryPlan, text: TextQuery): Omit<SearchRequest, 'order' | 'limit'> {
  const newest = plan.after === undefined ? plan.maxStart : min(plan.maxStart, plan.after.startTimeUnixNanos);
  return {
    signal: 'span',
    match: ftsQuery(text),
    service: plan.service,
    failed: plan.status === StatusCode.ERROR,
    minRow: rowOf(plan.minStart < 0n ? 0n : plan.minStart),
    beforeRow: rowOf(newest) + ROW_SPREAD,
  };
}

/** The best hits first, as many as a page of those that match can need. */
async function* best(source: TextSource, plan: QueryPlan, text: TextQuery): AsyncGenerator<SearchHit> {
  const limit = Math.min(MAX_HITS, Math.max(FIRST_HITS, plan.limit * 4));
  yield* await source.find({ ...requestOf(plan, text), order: 'relevance', limit });
}

/**
 * The hits in the order of spans. They come in the order of their rows, and a record's row is its time or a little
 * later; so a hit may go on once a row has come that is older than its time.
 */
async function* inOrder(source: TextSource, plan: QueryPlan, text: TextQuery): AsyncGenerator<SearchHit> {
  const request = requestOf(plan, text);
  let { beforeRow } = request;
  let held: SearchHit[] = [];
  const release = function* (until: bigint): Generator<SearchHit> {
    held.sort(compareHits);
    let count = 0;
    while (count < held.length && rowOf(held[count]!.time) >= until) count++;
    yield* held.slice(0, count);
    held = held.slice(count);
  };
  for (
    let limit = Math.min(MAX_HITS, Math.max(FIRST_HITS, 2 * plan.limit));
    ;
    limit = Math.min(MAX_HITS, 2 * limit)
  ) {
    const hits = await source.find({ ...request, beforeRow, order: 'newest', limit });
    held.push(...hits);
    if (hits.length < limit) break;
    beforeRow = hits.at(-1)!.row;
    yield* release(beforeRow);
  }
  yield* release(-1n);
}

function compareHits(a: SearchHit, b: SearchHit): number {
  return compareSpanKeys({ startTimeUnixNanos: a.time, ...a }, { startTimeUnixNanos: b.time, ...b });
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
