import type { SpanData, SpanEventData, SpanLinkData } from '@tracewell/plugin';
import { invalidSpanReason } from '../decode/span.ts';
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
  SCOPE_SPANS_SPANS,
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
} from '../wire/fields.ts';
import { writeAttributes } from './attributes.ts';
import {
  writeFixed32Field,
  writeHexField,
  writeStringField,
  writeTimeField,
  writeUint32Field,
} from './primitive-fields.ts';
import type { Writer } from './writer.ts';

/** Appends a span as one of the spans of a `ScopeSpans`. */
export function writeSpan(writer: Writer, span: SpanData): void {
  checkIds(span);
  writer.room(8);
  const start = writer.open(SCOPE_SPANS_SPANS, 2);
  writeHexField(writer, SPAN_TRACE_ID, span.traceId, 'traceId');
  writeHexField(writer, SPAN_SPAN_ID, span.spanId, 'spanId');
  writeStringField(writer, SPAN_TRACE_STATE, span.traceState);
  writeHexField(writer, SPAN_PARENT_SPAN_ID, span.parentSpanId, 'parentSpanId');
  writeStringField(writer, SPAN_NAME, span.name);
  writeUint32Field(writer, SPAN_KIND, span.kind);
  writeTimeField(writer, SPAN_START_TIME, span.startTimeUnixNanos);
  writeTimeField(writer, SPAN_END_TIME, span.endTimeUnixNanos);
  writeAttributes(writer, SPAN_ATTRIBUTES, span.attributes);
  writeUint32Field(writer, SPAN_DROPPED_ATTRIBUTES_COUNT, span.droppedAttributesCount);
  for (const event of span.events) writeEvent(writer, event);
  writeUint32Field(writer, SPAN_DROPPED_EVENTS_COUNT, span.droppedEventsCount);
  for (const link of span.links) writeLink(writer, link);
  writeUint32Field(writer, SPAN_DROPPED_LINKS_COUNT, span.droppedLinksCount);
  writeStatus(writer, span.status);
  writeFixed32Field(writer, SPAN_FLAGS, span.flags);
  writer.close(start, 2);
}

/** Throws a `RangeError` for what OTLP calls invalid: a receiver might refuse the whole request for it. */
export function checkIds({ traceId, spanId, parentSpanId }: SpanData): void {
  const reason = invalidSpanReason(traceId, spanId, parentSpanId);
  if (reason === undefined) return;
  const got = reason === 'trace id' ? traceId : reason === 'span id' ? spanId : parentSpanId;
  const digits = reason === 'trace id' ? 32 : 16;
  throw new RangeError(
    `a span's ${reason} must be ${digits} hex digits, not all zero, got ${JSON.stringify(got)}`,
  );
}

function writeEvent(writer: Writer, event: SpanEventData): void {
  writer.room(8);
  const start = writer.open(SPAN_EVENTS, 1);
  writeTimeField(writer, EVENT_TIME, event.timeUnixNanos);
  writeStringField(writer, EVENT_NAME, event.name);
  writeAttributes(writer, EVENT_ATTRIBUTES, event.attributes);
  writeUint32Field(writer, EVENT_DROPPED_ATTRIBUTES_COUNT, event.droppedAttributesCount);
  writer.close(start, 1);
}

function writeLink(writer: Writer, link: SpanLinkData): void {
  writer.room(8);
  const start = writer.open(SPAN_LINKS, 1);
  writeHexField(writer, LINK_TRACE_ID, link.traceId, "a link's traceId");
  writeHexField(writer, LINK_SPAN_ID, link.spanId, "a link's spanId");
  writeStringField(writer, LINK_TRACE_STATE, link.traceState);
  writeAttributes(writer, LINK_ATTRIBUTES, link.attributes);
  writeUint32Field(writer, LINK_DROPPED_ATTRIBUTES_COUNT, link.droppedAttributesCount);
  writeFixed32Field(writer, LINK_FLAGS, link.flags);
  writer.close(start, 1);
}

function writeStatus(writer: Writer, status: SpanData['status']): void {
  if (status.code === 0 && status.message === '') return;
  writer.room(8);
  const start = writer.open(SPAN_STATUS, 1);
  writeStringField(writer, STATUS_MESSAGE, status.message);
  writeUint32Field(writer, STATUS_CODE, status.code);
  writer.close(start, 1);
}
