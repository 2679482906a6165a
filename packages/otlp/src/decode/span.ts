import type { ResourceData, ScopeData, SpanData, SpanEventData, SpanLinkData } from '@tracewell/plugin';
import { SpanKind, StatusCode } from '@tracewell/plugin';
import { invalidAt } from '../decode-error.ts';
import type { DecodeLimits, InvalidSpanReason } from '../decode-limits.ts';
import {
  EVENT_ATTRIBUTES,
  EVENT_DROPPED_ATTRIBUTES_COUNT,
  EVENT_NAME,
  EVENT_TIME,
  LINK_ATTRIBUTES,
  LINK_DROPPED_ATTRIBUTES_COUNT,
  LINK_FLAGS,
  LINK_SPAN_ID,
  LINK_TRACE_ID,
  LINK_TRACE_STATE,
  SPAN_ATTRIBUTES,
  SPAN_DROPPED_ATTRIBUTES_COUNT,
  SPAN_DROPPED_EVENTS_COUNT,
  SPAN_DROPPED_LINKS_COUNT,
  SPAN_END_TIME,
  SPAN_EVENTS,
  SPAN_FLAGS,
  SPAN_KIND,
  SPAN_LINKS,
  SPAN_NAME,
  SPAN_PARENT_SPAN_ID,
  SPAN_SPAN_ID,
  SPAN_START_TIME,
  SPAN_STATUS,
  SPAN_TRACE_ID,
  SPAN_TRACE_STATE,
  STATUS_CODE,
  STATUS_MESSAGE,
} from '../wire/trace-fields.ts';
import { type MutableAttributes, NO_ATTRIBUTES, newAttributes, readKeyValue } from './attributes.ts';
import { isSpanId, isTraceId, presentParent } from './ids.ts';
import { openReader, releaseReader } from './lone-reader.ts';
import type { Reader } from './reader.ts';

const NO_EVENTS: readonly SpanEventData[] = Object.freeze([]);
const NO_LINKS: readonly SpanLinkData[] = Object.freeze([]);
const UNSET = Object.freeze({ code: StatusCode.UNSET, message: '' });

/**
 * Decodes one `Span` message, such as `TraceScanner` found.
 *
 * @param start - `scanner.spanStart`
 * @param end - `scanner.spanEnd`
 * @param resource - what the span's `resource` shall be; see {@link decodeResource}
 * @param scope - what the span's `scope` shall be; see {@link decodeScope}
 * @throws `TracewellError` (`TW_DECODE_INVALID`, `TW_DECODE_TOO_DEEP`, `TW_DECODE_TOO_LARGE`)
 *
 * @example
 * ```ts
 * import { decodeResource, decodeScope, decodeSpan, TraceScanner } from '@tracewell/otlp';
 * import type { SpanData } from '@tracewell/plugin';
 *
 * function failedSpans(bytes: Uint8Array): SpanData[] {
 *   const failed: SpanData[] = [];
 *   const scanner = new TraceScanner();
 *   scanner.reset(bytes);
 *   while (scanner.next()) {
 *     if (scanner.statusCode !== 2) continue;
 *     const resource = decodeResource(bytes, scanner.resourceStart, scanner.resourceEnd);
 *     const scope = decodeScope(bytes, scanner.scopeStart, scanner.scopeEnd);
 *     failed.push(decodeSpan(bytes, scanner.spanStart, scanner.spanEnd, resource, scope));
 *   }
 *   return failed;
 * }
 * console.log(failedSpans(new Uint8Array())); // []
 * ```
 */
export function decodeSpan(
  bytes: Uint8Array,
  start: number,
  end: number,
  resource: ResourceData,
  scope: ScopeData,
  limits?: DecodeLimits,
): SpanData {
  const reader = openReader(bytes, start, limits);
  try {
    const span = readSpan(reader, end, resource, scope);
    if (typeof span === 'string') throw invalidAt(start, invalidSpanMessage(span));
    return span;
  } finally {
    releaseReader();
  }
}

/** The words for a span that OTLP calls invalid. */
export function invalidSpanMessage(reason: InvalidSpanReason): string {
  return `a span has an invalid ${reason}`;
}

/** Reads one `Span` message up to `end`, or says why OTLP calls it invalid. */
export function readSpan(
  reader: Reader,
  end: number,
  resource: ResourceData,
  scope: ScopeData,
): SpanData | InvalidSpanReason {
  reader.countItem();
  let traceId = '';
  let spanId = '';
  let traceState = '';
  let parentSpanId = '';
  let name = '';
  let kind = 0;
  let startTimeUnixNanos = 0n;
  let endTimeUnixNanos = 0n;
  let attributes: MutableAttributes | undefined;
  let droppedAttributesCount = 0;
  let events: SpanEventData[] | undefined;
  let droppedEventsCount = 0;
  let links: SpanLinkData[] | undefined;
  let droppedLinksCount = 0;
  let status: SpanData['status'] = UNSET;
  let flags = 0;

  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case SPAN_ATTRIBUTES:
        attributes ??= newAttributes();
        readKeyValue(reader, reader.open(end), attributes, 0);
        break;
      case SPAN_TRACE_ID:
        traceId = reader.repeatedHex(end, reader.traceIds);
        break;
      case SPAN_SPAN_ID:
        spanId = reader.hex(end);
        break;
      case SPAN_TRACE_STATE:
        traceState = reader.repeatedString(end);
        break;
      case SPAN_PARENT_SPAN_ID:
        parentSpanId = reader.repeatedHex(end, reader.spanIds);
        break;
      case SPAN_NAME:
        name = reader.repeatedString(end);
        break;
      case SPAN_KIND:
        kind = reader.uint32(end);
        break;
      case SPAN_START_TIME:
        startTimeUnixNanos = reader.fixed64(end);
        break;
      case SPAN_END_TIME:
        endTimeUnixNanos = reader.fixed64(end);
        break;
      case SPAN_DROPPED_ATTRIBUTES_COUNT:
        droppedAttributesCount = reader.uint32(end);
        break;
      case SPAN_EVENTS:
        events ??= [];
        events.push(readEvent(reader, reader.open(end)));
        break;
      case SPAN_DROPPED_EVENTS_COUNT:
        droppedEventsCount = reader.uint32(end);
        break;
      case SPAN_LINKS:
        links ??= [];
        links.push(readLink(reader, reader.open(end)));
        break;
      case SPAN_DROPPED_LINKS_COUNT:
        droppedLinksCount = reader.uint32(end);
        break;
      case SPAN_STATUS:
        status = readStatus(reader, reader.open(end), status);
        break;
      case SPAN_FLAGS:
        flags = reader.fixed32(end);
        break;
      default:
        reader.skip(key, end, 1, 16);
    }
  }

  const reason = invalidSpanReason(traceId, spanId, parentSpanId);
  if (reason !== undefined) return reason;
  return {
    traceId,
    spanId,
    parentSpanId: presentParent(parentSpanId),
    traceState,
    flags,
    name,
    kind: toSpanKind(kind),
    startTimeUnixNanos,
    endTimeUnixNanos,
    attributes: attributes ?? NO_ATTRIBUTES,
    droppedAttributesCount,
    events: events ?? NO_EVENTS,
    droppedEventsCount,
    links: links ?? NO_LINKS,
    droppedLinksCount,
    status,
    resource,
    scope,
  };
}

/** Which of a span's ids, as hex digits, OTLP calls invalid. */
export function invalidSpanReason(
  traceId: string,
  spanId: string,
  parentSpanId: string,
): InvalidSpanReason | undefined {
  if (!isTraceId(traceId)) return 'trace id';
  if (!isSpanId(spanId)) return 'span id';
  if (parentSpanId.length !== 16 && parentSpanId !== '') return 'parent span id';
  return undefined;
}

/** The kind of a number on the wire; one that OTLP does not know is unspecified. */
export function toSpanKind(value: number): SpanKind {
  return value >= 0 && value <= SpanKind.CONSUMER ? (value as SpanKind) : SpanKind.UNSPECIFIED;
}

/** The status code of a number on the wire; one that OTLP does not know is unset. */
export function toStatusCode(value: number): StatusCode {
  return value >= 0 && value <= StatusCode.ERROR ? (value as StatusCode) : StatusCode.UNSET;
}

function readEvent(reader: Reader, end: number): SpanEventData {
  reader.countItem();
  let timeUnixNanos = 0n;
  let name = '';
  let attributes: MutableAttributes | undefined;
  let droppedAttributesCount = 0;
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case EVENT_TIME:
        timeUnixNanos = reader.fixed64(end);
        break;
      case EVENT_NAME:
        name = reader.repeatedString(end);
        break;
      case EVENT_ATTRIBUTES:
        attributes ??= newAttributes();
        readKeyValue(reader, reader.open(end), attributes, 0);
        break;
      case EVENT_DROPPED_ATTRIBUTES_COUNT:
        droppedAttributesCount = reader.uint32(end);
        break;
      default:
        reader.skip(key, end, 1, 4);
    }
  }
  return { timeUnixNanos, name, attributes: attributes ?? NO_ATTRIBUTES, droppedAttributesCount };
}

function readLink(reader: Reader, end: number): SpanLinkData {
  reader.countItem();
  let traceId = '';
  let spanId = '';
  let traceState = '';
  let flags = 0;
  let attributes: MutableAttributes | undefined;
  let droppedAttributesCount = 0;
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case LINK_TRACE_ID:
        traceId = reader.hex(end);
        break;
      case LINK_SPAN_ID:
        spanId = reader.hex(end);
        break;
      case LINK_TRACE_STATE:
        traceState = reader.repeatedString(end);
        break;
      case LINK_ATTRIBUTES:
        attributes ??= newAttributes();
        readKeyValue(reader, reader.open(end), attributes, 0);
        break;
      case LINK_DROPPED_ATTRIBUTES_COUNT:
        droppedAttributesCount = reader.uint32(end);
        break;
      case LINK_FLAGS:
        flags = reader.fixed32(end);
        break;
      default:
        reader.skip(key, end, 1, 6);
    }
  }
  return {
    traceId,
    spanId,
    traceState,
    flags,
    attributes: attributes ?? NO_ATTRIBUTES,
    droppedAttributesCount,
  };
}

// A status that comes in two parts is merged. Field 1 was a code of its own before OTLP 1.0; it is skipped.
function readStatus(reader: Reader, end: number, before: SpanData['status']): SpanData['status'] {
  let { code, message } = before;
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case STATUS_CODE:
        code = toStatusCode(reader.uint32(end));
        break;
      case STATUS_MESSAGE:
        message = reader.repeatedString(end);
        break;
      default:
        reader.skip(key, end, 2, 3);
    }
  }
  return { code, message };
}
