import type { ResourceData, SpanData } from '@tracewell/plugin';
import { invalidAt, tooLarge } from '../decode-error.ts';
import { type DecodeOptions, resolveLimits } from '../decode-limits.ts';
import {
  REQUEST_RESOURCE_SPANS,
  RESOURCE_SPANS_RESOURCE,
  RESOURCE_SPANS_SCHEMA_URL,
  RESOURCE_SPANS_SCOPE_SPANS,
  SCOPE_SPANS_SCHEMA_URL,
  SCOPE_SPANS_SCOPE,
  SCOPE_SPANS_SPANS,
} from '../wire/fields.ts';
import { Reader } from './reader.ts';
import { newResource, newScope, readResource, readScope } from './resource.ts';
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
  const limits = resolveLimits(options);
  if (!(bytes instanceof Uint8Array)) throw new TypeError('decodeTraces: bytes must be a Uint8Array');
  if (bytes.length > limits.maxBytes) throw tooLarge(`${bytes.length} bytes`, 'maxBytes', limits.maxBytes);
  const reader = new Reader(bytes, 0, limits);
  const end = bytes.length;
  const spans: SpanData[] = [];
  while (reader.at < end) {
    const key = reader.key(end);
    if (key === REQUEST_RESOURCE_SPANS) readResourceSpans(reader, reader.open(end), spans, options);
    else reader.skip(key, end, 1, 1);
  }
  return spans;
}

// Fields come in any order, so the resource is read in a first walk that steps over the spans, the spans in
// a second one. ScopeSpans are read in the same way.
function readResourceSpans(
  reader: Reader,
  end: number,
  spans: SpanData[],
  options: DecodeOptions | undefined,
): void {
  reader.countItem();
  const start = reader.at;
  const resource = newResource();
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case RESOURCE_SPANS_RESOURCE:
        readResource(reader, reader.open(end), resource);
        break;
      case RESOURCE_SPANS_SCHEMA_URL:
        resource.schemaUrl = reader.repeatedString(end);
        break;
      case RESOURCE_SPANS_SCOPE_SPANS:
        reader.at = reader.open(end);
        break;
      default:
        reader.skip(key, end, 1, 3);
    }
  }
  reader.at = start;
  while (reader.at < end) {
    const key = reader.key(end);
    if (key === RESOURCE_SPANS_SCOPE_SPANS)
      readScopeSpans(reader, reader.open(end), resource, spans, options);
    else reader.skip(key, end, 0, 0);
  }
}

function readScopeSpans(
  reader: Reader,
  end: number,
  resource: ResourceData,
  spans: SpanData[],
  options: DecodeOptions | undefined,
): void {
  reader.countItem();
  const start = reader.at;
  const scope = newScope();
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case SCOPE_SPANS_SCOPE:
        readScope(reader, reader.open(end), scope);
        break;
      case SCOPE_SPANS_SCHEMA_URL:
        scope.schemaUrl = reader.repeatedString(end);
        break;
      case SCOPE_SPANS_SPANS:
        reader.at = reader.open(end);
        break;
      default:
        reader.skip(key, end, 1, 3);
    }
  }
  reader.at = start;
  while (reader.at < end) {
    const key = reader.key(end);
    if (key !== SCOPE_SPANS_SPANS) {
      reader.skip(key, end, 0, 0);
      continue;
    }
    const spanEnd = reader.open(end);
    const spanStart = reader.at;
    const span = readSpan(reader, spanEnd, resource, scope);
    if (typeof span !== 'string') spans.push(span);
    else if (options?.onInvalidSpan === undefined) throw invalidAt(spanStart, invalidSpanMessage(span));
    else options.onInvalidSpan({ reason: span, where: `byte ${spanStart}` });
  }
}
