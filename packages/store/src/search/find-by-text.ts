import type { SpanData } from '@tracewell/plugin';
import { StatusCode } from '@tracewell/plugin';
import { matches } from '../query/spans/match.ts';
import type { QueryPlan } from '../query/spans/plan.ts';
import { compareSpanKeys, encodeCursor } from '../query/spans/span-order.ts';
import { nextTurn, turnIsOver } from '../query/turn.ts';
import type { TracePage } from '../store.ts';
import { ftsQuery } from './fts-query.ts';
import { type HitSource, hitsFor, type WantedHits } from './hits.ts';
import { matchTexts, type TextMatch } from './match-text.ts';
import { ROW_SPREAD, rowOf, type SearchHit } from './search-db.ts';
import type { TextQuery } from './text-query.ts';
import type { TextPicker } from './texts.ts';

/** What a search reads from. */
export interface TextSource extends HitSource {
  readonly picker: TextPicker;
  /** The span of a hit, from wherever it is; none if it is gone. */
  spansOf(hit: SearchHit): Promise<readonly SpanData[]>;
}

interface Found {
  readonly span: SpanData;
  readonly match: TextMatch;
}

/**
 * The spans whose texts match. The index says where to look; the spans themselves, read from the store, decide.
 *
 * @param text - of the plan
 */
export async function findByText(source: TextSource, plan: QueryPlan, text: TextQuery): Promise<TracePage> {
  const found: Found[] = [];
  const hits = hitsFor(source, requestOf(plan, text), plan);
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

function requestOf(plan: QueryPlan, text: TextQuery): WantedHits {
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

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
