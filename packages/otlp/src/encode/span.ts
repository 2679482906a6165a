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
  writeIdField,
  writeStringField,
  writeTimeField,
  writeUint32Field,
} from './primitive-fields.ts';
import type { Writer } from './writer.ts';

/** Appends a span as one of the spans of a `ScopeSpans`. */
export function writeSpan(writer: Writer, at: number, span: SpanData): number {
  checkIds(span);
  writer.room(at, 3)[at] = SCOPE_SPANS_SPANS;
  const start = at + 3;
  let end = writeIdField(writer, start, SPAN_TRACE_ID, writer.traceIds, span.traceId, 'traceId');
  end = writeHexField(writer, end, SPAN_SPAN_ID, span.spanId, 'spanId');
  end = writeStringField(writer, end, SPAN_TRACE_STATE, span.traceState);
  end = writeIdField(writer, end, SPAN_PARENT_SPAN_ID, writer.parentIds, span.parentSpanId, 'parentSpanId');
  end = writeStringField(writer, end, SPAN_NAME, span.name);
  end = writeUint32Field(writer, end, SPAN_KIND, span.kind);
  end = writeTimeField(writer, end, SPAN_START_TIME, span.startTimeUnixNanos, 'startTimeUnixNanos');
  end = writeTimeField(writer, end, SPAN_END_TIME, span.endTimeUnixNanos, 'endTimeUnixNanos');
  end = writeAttributes(writer, end, SPAN_ATTRIBUTES, span.attributes);
  end = writeUint32Field(writer, end, SPAN_DROPPED_ATTRIBUTES_COUNT, span.droppedAttributesCount);
  for (const event of span.events) end = writeEvent(writer, end, event);
  end = writeUint32Field(writer, end, SPAN_DROPPED_EVENTS_COUNT, span.droppedEventsCount);
  for (const link of span.links) end = writeLink(writer, end, link);
  end = writeUint32Field(writer, end, SPAN_DROPPED_LINKS_COUNT, span.droppedLinksCount);
  end = writeStatus(writer, end, span.status);
  end = writeFixed32Field(writer, end, SPAN_FLAGS, span.flags);
  return writer.close(start, end, 2);
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

function writeEvent(writer: Writer, at: number, event: SpanEventData): number {
  writer.room(at, 2)[at] = SPAN_EVENTS;
  const start = at + 2;
  let end = writeTimeField(writer, start, EVENT_TIME, event.timeUnixNanos, "an event's timeUnixNanos");
  end = writeStringField(writer, end, EVENT_NAME, event.name);
  end = writeAttributes(writer, end, EVENT_ATTRIBUTES, event.attributes);
  end = writeUint32Field(writer, end, EVENT_DROPPED_ATTRIBUTES_COUNT, event.droppedAttributesCount);
  return writer.close(start, end, 1);
}

function writeLink(writer: Writer, at: number, link: SpanLinkData): number {
  writer.room(at, 2)[at] = SPAN_LINKS;
  const start = at + 2;
  let end = writeHexField(writer, start, LINK_TRACE_ID, link.traceId, "a link's traceId");
  end = writeHexField(writer, end, LINK_SPAN_ID, link.spanId, "a link's spanId");
  end = writeStringField(writer, end, LINK_TRACE_STATE, link.traceState);
  end = writeAttributes(writer, end, LINK_ATTRIBUTES, link.attributes);
  end = writeUint32Field(writer, end, LINK_DROPPED_ATTRIBUTES_COUNT, link.droppedAttributesCount);
  end = writeFixed32Field(writer, end, LINK_FLAGS, link.flags);
  return writer.close(start, end, 1);
}

function writeStatus(writer: Writer, at: number, status: SpanData['status']): number {
  if (status.code === 0 && status.message === '') return at;
  writer.room(at, 2)[at] = SPAN_STATUS;
  const start = at + 2;
  let end = writeStringField(writer, start, STATUS_MESSAGE, status.message);
  end = writeUint32Field(writer, end, STATUS_CODE, status.code);
  return writer.close(start, end, 1);
}
