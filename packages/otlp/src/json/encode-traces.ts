import {
  type SpanData,
  type SpanEventData,
  SpanKind,
  type SpanLinkData,
  StatusCode,
} from '@tracewell/plugin';
import { presentParent } from '../decode/ids.ts';
import { decodeTraces } from '../decode/traces.ts';
import type { DecodeOptions } from '../decode-limits.ts';
import { checkObject } from '../encode/checks.ts';
import { checkSpanIds } from '../encode/span.ts';
import { attributesJson } from './encode-attributes.ts';
import { encodeRequestJson, type JsonNames } from './encode-request.ts';
import {
  hexJson,
  type Json,
  listOrNothing,
  nanosJson,
  spanIdOrNothing,
  textJson,
  textOrNothing,
  traceIdOrNothing,
  uint32OrNothing,
} from './encode-values.ts';

const NAMES: JsonNames = { resourceGroups: 'resourceSpans', scopeGroups: 'scopeSpans', entries: 'spans' };

/**
 * Encodes spans as one OTLP `ExportTraceServiceRequest` in JSON, on one line: ids in hex, enums as numbers,
 * 64-bit integers as strings, bytes in base64, `NaN` and infinities as strings. Fields that have their
 * default are left out, but for a span's name, kind and times. Groups and errors are those of
 * {@link encodeTraces}.
 *
 * @throws `RangeError`, `TypeError` as {@link encodeTraces}
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 *
 * @example
 * ```ts
 * import { encodeTracesJson } from '@tracewell/otlp';
 *
 * console.log(encodeTracesJson([])); // {"resourceSpans":[]}
 * ```
 */
export function encodeTracesJson(spans: Iterable<SpanData>): string {
  return encodeRequestJson(spans, 'spans', NAMES, spanJson);
}

/**
 * Translates an OTLP trace request from protobuf to JSON, on one line.
 *
 * @throws `TracewellError` as {@link decodeTraces}
 *
 * @example
 * ```ts
 * import { tracesToJson } from '@tracewell/otlp';
 *
 * console.log(tracesToJson(new Uint8Array())); // {"resourceSpans":[]}
 * ```
 */
export function tracesToJson(bytes: Uint8Array, options?: DecodeOptions): string {
  return encodeTracesJson(decodeTraces(bytes, options));
}

function spanJson(span: SpanData): Json {
  checkSpanIds(span);
  uint32OrNothing(span.kind, 'kind', SpanKind.CONSUMER);
  return {
    traceId: traceIdOrNothing(span.traceId, 'traceId'),
    spanId: spanIdOrNothing(span.spanId, 'spanId'),
    traceState: textOrNothing(span.traceState, 'traceState'),
    parentSpanId: spanIdOrNothing(presentParent(span.parentSpanId), 'parentSpanId'),
    name: textJson(span.name, 'name'),
    kind: span.kind,
    startTimeUnixNano: nanosJson(span.startTimeUnixNanos, 'startTimeUnixNanos'),
    endTimeUnixNano: nanosJson(span.endTimeUnixNanos, 'endTimeUnixNanos'),
    attributes: attributesJson(span.attributes, 'attributes'),
    droppedAttributesCount: uint32OrNothing(span.droppedAttributesCount, 'droppedAttributesCount'),
    events: listOrNothing(span.events, 'events', eventJson),
    droppedEventsCount: uint32OrNothing(span.droppedEventsCount, 'droppedEventsCount'),
    links: listOrNothing(span.links, 'links', linkJson),
    droppedLinksCount: uint32OrNothing(span.droppedLinksCount, 'droppedLinksCount'),
    status: statusJson(span.status),
    flags: uint32OrNothing(span.flags, 'flags'),
  };
}

function statusJson(status: SpanData['status']): Json | undefined {
  checkObject(status, 'status');
  const code = uint32OrNothing(status.code, 'status.code', StatusCode.ERROR);
  const message = textOrNothing(status.message, 'status.message');
  return code === undefined && message === undefined ? undefined : { message, code };
}

function eventJson(event: SpanEventData): Json {
  return {
    timeUnixNano: nanosJson(event.timeUnixNanos, 'timeUnixNanos'),
    name: textOrNothing(event.name, 'name'),
    attributes: attributesJson(event.attributes, 'attributes'),
    droppedAttributesCount: uint32OrNothing(event.droppedAttributesCount, 'droppedAttributesCount'),
  };
}

function linkJson(link: SpanLinkData): Json {
  return {
    traceId: hexJson(link.traceId, 'traceId'),
    spanId: hexJson(link.spanId, 'spanId'),
    traceState: textOrNothing(link.traceState, 'traceState'),
    attributes: attributesJson(link.attributes, 'attributes'),
    droppedAttributesCount: uint32OrNothing(link.droppedAttributesCount, 'droppedAttributesCount'),
    flags: uint32OrNothing(link.flags, 'flags'),
  };
}
