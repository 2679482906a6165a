import type { SpanData } from '@tracewell/plugin';
import { REQUEST_RESOURCE_SPANS, RESOURCE_SPANS_SCOPE_SPANS } from '../wire/fields.ts';
import { groupSpans } from './group-spans.ts';
import { writeSpan } from './span.ts';
import { Writer } from './writer.ts';

/**
 * Encodes spans as one OTLP `ExportTraceServiceRequest` in protobuf.
 *
 * Spans are grouped by resource, then by scope: objects that say the same share a group, whether they are
 * the same object or not. Groups keep the order of their first span, spans the order within their group.
 * Lone surrogates in strings become U+FFFD; everything else comes back from {@link decodeTraces} as it was.
 *
 * @returns the request, which belongs to the caller; empty if there are no spans
 * @throws `RangeError` for an id that is not of its length in hex digits or is all zeros, a time or
 * other `bigint` beyond 64 bits, or a value nested deeper than 256 levels; `TypeError` for a value that OTLP has no type for
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
  const groups = groupSpans(spans);
  const writer = new Writer();
  let end = 0;
  for (const resource of groups) {
    writer.room(end, 4)[end] = REQUEST_RESOURCE_SPANS;
    const resourceStart = end + 4;
    end = writer.append(resourceStart, resource.head);
    for (const scope of resource.scopes.all()) {
      writer.room(end, 4)[end] = RESOURCE_SPANS_SCOPE_SPANS;
      const scopeStart = end + 4;
      end = writer.append(scopeStart, scope.head);
      for (const span of scope.spans) end = writeSpan(writer, end, span);
      end = writer.close(scopeStart, end, 3);
    }
    end = writer.close(resourceStart, end, 3);
  }
  const request = writer.copy(end);
  writer.release();
  return request;
}
