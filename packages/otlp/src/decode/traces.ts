import type { SpanData } from '@tracewell/plugin';
import { invalidAt } from '../decode-error.ts';
import type { DecodeOptions } from '../decode-limits.ts';
import { readRequest } from './request.ts';
import { invalidSpanMessage, readSpan } from './span.ts';

/**
 * Decodes an OTLP `ExportTraceServiceRequest` (or `TracesData`, the same on the wire) from protobuf.
 *
 * Spans of one request share their `resource` and `scope` objects. Attributes have no prototype; of a key
 * that comes twice the last value counts. Bytes that are not valid UTF-8 become U+FFFD. Unknown fields are
 * skipped, a kind or status code that OTLP does not know becomes 0, and a parent id of zeros is no parent.
 * Nothing that is returned refers to `bytes`.
 *
 * @param options - limits, and what to do about invalid spans
 * @returns the spans in the order of the request
 * @throws `TracewellError`: `TW_DECODE_INVALID` with the offset where the bytes stop making sense,
 * `TW_DECODE_TOO_DEEP`, `TW_DECODE_TOO_LARGE`
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 *
 * @example
 * ```ts
 * import { decodeTraces } from '@tracewell/otlp';
 *
 * console.log(decodeTraces(new Uint8Array())); // []
 * ```
 */
export function decodeTraces(bytes: Uint8Array, options?: DecodeOptions): SpanData[] {
  const spans: SpanData[] = [];
  readRequest('decodeTraces', bytes, options, (reader, end, resource, scope) => {
    const start = reader.at;
    const span = readSpan(reader, end, resource, scope);
    if (typeof span !== 'string') spans.push(span);
    else if (options?.onInvalidSpan === undefined) throw invalidAt(start, invalidSpanMessage(span));
    else options.onInvalidSpan({ reason: span, where: `byte ${start}` });
  });
  return spans;
}
