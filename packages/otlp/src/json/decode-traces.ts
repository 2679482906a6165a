import {
  type ResourceData,
  type ScopeData,
  type SpanData,
  type SpanEventData,
  SpanKind,
  type SpanLinkData,
  StatusCode,
} from '@tracewell/plugin';
import {
  invalidSpanMessage,
  invalidSpanReason,
  presentParent,
  toSpanKind,
  toStatusCode,
} from '../decode/span.ts';
import { invalidJson, tooDeep, tooLarge } from '../decode-error.ts';
import { type DecodeOptions, type InvalidSpanReason, MAX_DEPTH, resolveLimits } from '../decode-limits.ts';
import { readAttributes } from './attributes.ts';
import {
  isObject,
  type JsonObject,
  JsonReader,
  toEnum,
  toHex,
  toObject,
  toText,
  toUint32,
  toUint64,
} from './json-reader.ts';

/**
 * Decodes an OTLP `ExportTraceServiceRequest` from JSON.
 *
 * It takes what proto3's JSON mapping and OTLP allow a sender: field names in camel case or snake case, ids in
 * hex of either case, 64-bit integers as strings or numbers (those of text lose no digit), enums as numbers
 * or names, base64 of either alphabet, `null` for absent. Unknown fields are ignored. What comes out is
 * what {@link decodeTraces} makes of the same request in protobuf.
 *
 * @param json - text, or what `JSON.parse` made of it
 * @param options - limits, and what to do about invalid spans
 * @throws `TracewellError`: `TW_DECODE_INVALID` with the path of what is wrong, `TW_DECODE_TOO_DEEP`,
 * `TW_DECODE_TOO_LARGE`
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 *
 * @example
 * ```ts
 * import { decodeTracesJson } from '@tracewell/otlp';
 *
 * const [span] = decodeTracesJson(`{"resourceSpans":[{"scopeSpans":[{"spans":[{
 *   "traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","name":"checkout","kind":2}]}]}]}`);
 * console.log(span?.traceId); // 5b8efff798038103d269b633813fc60c
 * ```
 */
export function decodeTracesJson(json: string | object, options?: DecodeOptions): SpanData[] {
  const limits = resolveLimits(options);
  if (typeof json === 'string' && json.length > limits.maxBytes) {
    throw tooLarge(`${json.length} characters`, 'maxBytes', limits.maxBytes);
  }
  const request: unknown = typeof json === 'string' ? parse(json) : json;
  if (!isObject(request)) throw invalidJson('', 'a request must be an object');
  const reader = new JsonReader(limits);
  const spans: SpanData[] = [];
  reader.each(request, 'resourceSpans', 'resource_spans', (resourceSpans) => {
    reader.countItem();
    const resource = readResource(reader, resourceSpans);
    reader.each(resourceSpans, 'scopeSpans', 'scope_spans', (scopeSpans) => {
      reader.countItem();
      const scope = readScope(reader, scopeSpans);
      reader.each(scopeSpans, 'spans', 'spans', (message) => {
        const span = readSpan(reader, message, resource, scope);
        if (typeof span !== 'string') spans.push(span);
        else if (options?.onInvalidSpan === undefined) throw reader.invalid(invalidSpanMessage(span));
        else options.onInvalidSpan({ reason: span, where: reader.path });
      });
    });
  });
  return spans;
}

// JSON.parse rounds integers beyond 2^53. Few senders write those as bare numbers, so only text that looks like
// it pays for a walk that keeps their digits.
const LONG_NUMBER = /[\s:,[]-?\d{16}/;

function parse(text: string): unknown {
  try {
    return LONG_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch (error) {
    // JSON.parse itself does not recurse, but its walk with a function does.
    if (error instanceof RangeError) throw tooDeep('the top', MAX_DEPTH);
    throw invalidJson('', error instanceof Error ? error.message : String(error), error);
  }
}

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const digits = context?.source;
  return digits !== undefined && /^-?\d+$/.test(digits) ? BigInt(digits) : value;
}

function readResource(reader: JsonReader, resourceSpans: JsonObject): ResourceData {
  const resource = toObject(reader, resourceSpans.resource);
  return {
    attributes: readAttributes(reader, resource),
    droppedAttributesCount: readDroppedAttributesCount(reader, resource),
    schemaUrl: reader.read(resourceSpans, 'schemaUrl', 'schema_url', toText),
  };
}

function readScope(reader: JsonReader, scopeSpans: JsonObject): ScopeData {
  const scope = toObject(reader, scopeSpans.scope);
  return {
    name: reader.read(scope, 'name', 'name', toText),
    version: reader.read(scope, 'version', 'version', toText),
    attributes: readAttributes(reader, scope),
    droppedAttributesCount: readDroppedAttributesCount(reader, scope),
    schemaUrl: reader.read(scopeSpans, 'schemaUrl', 'schema_url', toText),
  };
}

function readSpan(
  reader: JsonReader,
  message: JsonObject,
  resource: ResourceData,
  scope: ScopeData,
): SpanData | InvalidSpanReason {
  reader.countItem();
  const events: SpanEventData[] = [];
  reader.each(message, 'events', 'events', (event) => events.push(readEvent(reader, event)));
  const links: SpanLinkData[] = [];
  reader.each(message, 'links', 'links', (link) => links.push(readLink(reader, link)));
  const status = reader.read(message, 'status', 'status', toObject);
  const span: SpanData = {
    traceId: reader.read(message, 'traceId', 'trace_id', toHex),
    spanId: reader.read(message, 'spanId', 'span_id', toHex),
    parentSpanId: presentParent(reader.read(message, 'parentSpanId', 'parent_span_id', toHex)),
    traceState: reader.read(message, 'traceState', 'trace_state', toText),
    flags: reader.read(message, 'flags', 'flags', toUint32),
    name: reader.read(message, 'name', 'name', toText),
    kind: reader.read(message, 'kind', 'kind', toKind),
    startTimeUnixNanos: reader.read(message, 'startTimeUnixNano', 'start_time_unix_nano', toUint64),
    endTimeUnixNanos: reader.read(message, 'endTimeUnixNano', 'end_time_unix_nano', toUint64),
    attributes: readAttributes(reader, message),
    droppedAttributesCount: readDroppedAttributesCount(reader, message),
    events,
    droppedEventsCount: reader.read(message, 'droppedEventsCount', 'dropped_events_count', toUint32),
    links,
    droppedLinksCount: reader.read(message, 'droppedLinksCount', 'dropped_links_count', toUint32),
    status: {
      code: reader.read(status, 'code', 'code', toCode),
      message: reader.read(status, 'message', 'message', toText),
    },
    resource,
    scope,
  };
  return invalidSpanReason(span.traceId, span.spanId, span.parentSpanId) ?? span;
}

function readEvent(reader: JsonReader, event: JsonObject): SpanEventData {
  reader.countItem();
  return {
    timeUnixNanos: reader.read(event, 'timeUnixNano', 'time_unix_nano', toUint64),
    name: reader.read(event, 'name', 'name', toText),
    attributes: readAttributes(reader, event),
    droppedAttributesCount: readDroppedAttributesCount(reader, event),
  };
}

function readLink(reader: JsonReader, link: JsonObject): SpanLinkData {
  reader.countItem();
  return {
    traceId: reader.read(link, 'traceId', 'trace_id', toHex),
    spanId: reader.read(link, 'spanId', 'span_id', toHex),
    traceState: reader.read(link, 'traceState', 'trace_state', toText),
    flags: reader.read(link, 'flags', 'flags', toUint32),
    attributes: readAttributes(reader, link),
    droppedAttributesCount: readDroppedAttributesCount(reader, link),
  };
}

function readDroppedAttributesCount(reader: JsonReader, message: JsonObject): number {
  return reader.read(message, 'droppedAttributesCount', 'dropped_attributes_count', toUint32);
}

function toKind(reader: JsonReader, value: unknown): SpanKind {
  return toSpanKind(toEnum(reader, value, 'SPAN_KIND_', SpanKind));
}

function toCode(reader: JsonReader, value: unknown): StatusCode {
  return toStatusCode(toEnum(reader, value, 'STATUS_CODE_', StatusCode));
}
