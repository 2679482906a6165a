import type { SpanData } from '@tracewell/plugin';
import { preferredCopy } from '../../hot/spans/same-span.ts';
import { compareSpanKeys } from './span-order.ts';

/** Puts spans in order, newest first, and keeps one copy of each. */
export function withoutCopies(spans: SpanData[]): SpanData[] {
  spans.sort(compareSpanKeys);
  const single: SpanData[] = [];
  for (const span of spans) {
    const last = single.at(-1);
    const verdict = last === undefined ? 'different' : preferredCopy(last, span);
    if (verdict === 'different') single.push(span);
    else if (verdict === 'second') single[single.length - 1] = span;
  }
  return single;
}
