import {
  type ResourceData,
  type ScopeData,
  type SpanData,
  type SpanEventData,
  SpanKind,
  type SpanLinkData,
  StatusCode,
} from '@tracewell/plugin';
import { presentParent } from '../decode/ids.ts';
import { invalidSpanMessage, invalidSpanReason, toSpanKind, toStatusCode } from '../decode/span.ts';
import type { DecodeOptions, InvalidSpanReason } from '../decode-limits.ts';
import { readAttributes } from './decode-attributes.ts';
import { type RequestNames, readDroppedAttributesCount, readRequestJson } from './decode-request.ts';
import {
  type JsonObject,
  type JsonReader,
  toEnum,
  toHex,
  toObject,
  toText,
  toUint32,
  toUint64,
} from './json-reader.ts';

const NAMES: RequestNames = {
  resourceGroups: ['resourceSpans', 'resource_spans'],
  scopeGroups: ['scopeSpans', 'scope_spans'],
  entries: ['spans', 'spans'],
};

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
  const spans: SpanData[] = [];
  readRequestJson(json, options, NAMES, (reader, message, resource, scope) => {
    const span = readSpan(reader, message, resource, scope);
    if (typeof span !== 'string') spans.push(span);
    else if (options?.onInvalidSpan === undefined) throw reader.invalid(invalidSpanMessage(span));
    else options.onInvalidSpan({ reason: span, where: reader.path });
  });
  return spans;
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

function toKind(reader: JsonReader, value: unknown): SpanKind {
  return toSpanKind(toEnum(reader, value, 'SPAN_KIND_', SpanKind));
}

function toCode(reader: JsonReader, value: unknown): StatusCode {
  return toStatusCode(toEnum(reader, value, 'STATUS_CODE_', StatusCode));
}
