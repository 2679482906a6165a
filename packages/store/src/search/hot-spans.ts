import type { SpanData } from '@tracewell/plugin';
import { RECORD_WORDS } from '../hot/spans/block.ts';
import { FLAG_COPY, WORD_SPAN_KEY, WORD_START_HIGH, WORD_START_LOW } from '../hot/spans/row.ts';
import { isUnfinished } from '../hot/spans/same-span.ts';
import type { SpanIndex } from '../hot/spans/span-index.ts';
import type { SpanReader } from '../query/spans/span-reader.ts';
import { withoutCopies } from '../query/spans/without-copies.ts';
import type { SearchHit } from './search-db.ts';

/** The span of a hit from the hot tier, if it is there: only its own row is decoded, not its trace. */
export function hotSpansOf(index: SpanIndex, hit: SearchHit, reader: SpanReader): SpanData[] {
  const { traceId, spanId, time } = hit;
  const startHigh = Number(time >> 32n);
  const startLow = Number(time & 0xffff_ffffn);
  const spanKey = Number.parseInt(spanId.slice(8), 16);
  const traceHigh = Number.parseInt(traceId.slice(16, 24), 16);
  const traceLow = Number.parseInt(traceId.slice(24), 16);
  const spans: SpanData[] = [];
  for (const placed of index.blocksOfTrace(traceHigh, traceLow)) {
    const { block } = placed;
    const { records, flags, nextInTrace } = block;
    for (let row = block.lastRowOfTrace(traceHigh, traceLow); row >= 0; row = nextInTrace[row]! - 1) {
      const at = row * RECORD_WORDS;
      if ((flags[row]! & FLAG_COPY) !== 0 || records[at + WORD_SPAN_KEY] !== spanKey) continue;
      if (records[at + WORD_START_HIGH] !== startHigh || records[at + WORD_START_LOW] !== startLow) continue;
      const span = reader.read(placed, row);
      if (span?.traceId === traceId && span.spanId === spanId) spans.push(span);
    }
  }
  return withoutCopies(spans);
}

/**
 * The span of a hit from both tiers.
 *
 * @param hot - what the hot tier has of it
 * @param all - both tiers
 */
export async function spansOfHit(
  hit: SearchHit,
  hot: readonly SpanData[],
  all: { trace(traceId: string): Promise<SpanData[]> },
): Promise<readonly SpanData[]> {
  // What is finished and hot stands for every copy of it.
  if (hot.length > 0 && !hot.some(isUnfinished)) return hot;
  const trace = await all.trace(hit.traceId);
  return trace.filter((span) => span.spanId === hit.spanId && span.startTimeUnixNanos === hit.time);
}
