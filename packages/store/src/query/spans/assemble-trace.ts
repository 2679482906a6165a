import { type SpanData, StatusCode, traceTree } from '@tracewell/plugin';
import type { Comment } from '../../comments/comment.ts';
import { type GenAiPrices, genAiOf } from '../../genai/gen-ai.ts';
import type { Trace } from '../../store.ts';
import { serviceOf } from '../service-of.ts';

/**
 * Puts a trace together.
 *
 * @param spans - at least one, in the order in which they started
 */
export function assembleTrace(
  traceId: string,
  spans: readonly SpanData[],
  comments: readonly Comment[],
  prices: GenAiPrices = {},
): Trace {
  const start = spans[0]!.startTimeUnixNanos;
  let end = start;
  let hasError = false;
  const services = new Set<string>();
  for (const span of spans) {
    if (span.endTimeUnixNanos > end) end = span.endTimeUnixNanos;
    if (span.status.code === StatusCode.ERROR) hasError = true;
    services.add(serviceOf(span));
  }
  return {
    traceId,
    spans,
    roots: traceTree(spans),
    startTimeUnixNanos: start,
    endTimeUnixNanos: end,
    durationMs: Number(end - start) / 1e6,
    services: [...services],
    hasError,
    comments,
    genAi: spans.map((span) => genAiOf(span, prices)).filter((found) => found !== undefined),
  };
}
