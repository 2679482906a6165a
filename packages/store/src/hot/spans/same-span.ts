import { decodeSpan } from '@tracewell/otlp';
import type { ResourceData, ScopeData, SpanData } from '@tracewell/plugin';

/**
 * The attribute of a span that was still open when its process ended. Its recorder may deliver it again, ended.
 */
export const UNFINISHED = 'tracewell.unfinished';

/** In place of a resource that does not matter. */
export const NO_RESOURCE: ResourceData = { attributes: {}, droppedAttributesCount: 0, schemaUrl: '' };
/** In place of a scope that does not matter. */
export const NO_SCOPE: ScopeData = {
  name: '',
  version: '',
  attributes: {},
  droppedAttributesCount: 0,
  schemaUrl: '',
};

/**
 * What two copies of a span are to each other. A span is known by its trace id, its span id and its start: a
 * retry repeats all three. (By the ids alone, the client and the server half of a span in Zipkin's model,
 * which share them, would be taken for one.)
 *
 * - `'different'`: two spans
 * - `'first'`, `'second'`: one span, and which copy stands for it: the one that is finished, else the one
 *   that ended later, else the first
 */
export type CopyVerdict = 'different' | 'first' | 'second';

/** Compares two encoded Span messages. A message that cannot be decoded is different from every other one. */
export function compareCopies(first: Uint8Array, second: Uint8Array): CopyVerdict {
  // A retry sends the same bytes, so this is nearly always the end of it.
  if (Buffer.compare(first, second) === 0) return 'first';
  try {
    return preferredCopy(
      decodeSpan(first, 0, first.length, NO_RESOURCE, NO_SCOPE),
      decodeSpan(second, 0, second.length, NO_RESOURCE, NO_SCOPE),
    );
  } catch {
    return 'different';
  }
}

/** As {@link compareCopies}, of spans that are decoded already. */
export function preferredCopy(first: SpanData, second: SpanData): CopyVerdict {
  if (
    first.traceId !== second.traceId ||
    first.spanId !== second.spanId ||
    first.startTimeUnixNanos !== second.startTimeUnixNanos
  ) {
    return 'different';
  }
  const firstOpen = isUnfinished(first);
  const secondOpen = isUnfinished(second);
  if (firstOpen !== secondOpen) return firstOpen ? 'second' : 'first';
  return second.endTimeUnixNanos > first.endTimeUnixNanos ? 'second' : 'first';
}

/** Whether a span was still open when it was recorded. */
export function isUnfinished(span: SpanData): boolean {
  return span.attributes[UNFINISHED] === true;
}
