import type { SpanData } from '@tracewell/plugin';
import { encodeRequest } from './request.ts';
import { writeSpan } from './span.ts';

/**
 * Encodes spans as one OTLP `ExportTraceServiceRequest` in protobuf.
 *
 * Spans are grouped by resource, then by scope: objects that say the same share a group, whether they are
 * the same object or not. Groups keep the order of their first span, spans the order within their group.
 * Lone surrogates in strings become U+FFFD; everything else comes back from {@link decodeTraces} as it was.
 *
 * @returns the request, which belongs to the caller; empty if there are no spans
 * @throws `RangeError` for an id that is not of its length in hex digits or is all zeros, a time or
 * other `bigint` beyond 64 bits, or a value nested deeper than 256 levels; `TypeError` for a field that is missing
 * or of the wrong type. Both name the span and the field: `spans[3].name must be a string, got 5`
 *
 * @example
 * ```ts
 * import { decodeTraces, encodeTraces } from '@tracewell/otlp';
 * import type { SpanData } from '@tracewell/plugin';
 *
 * const span: SpanData = {
 *   traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', parentSpanId: '',
 *   traceState: '', flags: 1, name: 'checkout', kind: 1,
 *   startTimeUnixNanos: 1_700_000_000_000_000_000n, endTimeUnixNanos: 1_700_000_000_020_000_000n,
 *   attributes: { items: 3 }, droppedAttributesCount: 0,
 *   events: [], droppedEventsCount: 0, links: [], droppedLinksCount: 0,
 *   status: { code: 0, message: '' },
 *   resource: { attributes: { 'service.name': 'shop' }, droppedAttributesCount: 0, schemaUrl: '' },
 *   scope: { name: 'shop', version: '1.0.0', attributes: {}, droppedAttributesCount: 0, schemaUrl: '' },
 * };
 * console.log(decodeTraces(encodeTraces([span]))[0]?.attributes.items); // 3
 * ```
 */
export function encodeTraces(spans: Iterable<SpanData>): Uint8Array {
  return encodeRequest(spans, 'spans', writeSpan);
}
