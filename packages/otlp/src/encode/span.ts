import {
  type SpanData,
  type SpanEventData,
  SpanKind,
  type SpanLinkData,
  StatusCode,
} from '@tracewell/plugin';
import { presentParent } from '../decode/ids.ts';
import { SCOPE_GROUP_ENTRIES } from '../wire/fields.ts';
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
import { writeAttributes } from './attributes.ts';
import { checkObject, checkSpanId, checkText, checkTraceId } from './checks.ts';
import { writeList } from './list.ts';
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
  checkSpanIds(span);
  writer.room(at, 3)[at] = SCOPE_GROUP_ENTRIES;
  const start = at + 3;
  const parent = presentParent(span.parentSpanId);
  let end = writeIdField(writer, start, SPAN_TRACE_ID, writer.traceIds, span.traceId, 'traceId');
  end = writeHexField(writer, end, SPAN_SPAN_ID, span.spanId, 'spanId');
  end = writeStringField(writer, end, SPAN_TRACE_STATE, span.traceState, 'traceState');
  end = writeIdField(writer, end, SPAN_PARENT_SPAN_ID, writer.spanIds, parent, 'parentSpanId');
  end = writeStringField(writer, end, SPAN_NAME, span.name, 'name');
  end = writeUint32Field(writer, end, SPAN_KIND, span.kind, 'kind', SpanKind.CONSUMER);
  end = writeTimeField(writer, end, SPAN_START_TIME, span.startTimeUnixNanos, 'startTimeUnixNanos');
  end = writeTimeField(writer, end, SPAN_END_TIME, span.endTimeUnixNanos, 'endTimeUnixNanos');
  end = writeAttributes(writer, end, SPAN_ATTRIBUTES, span.attributes, 'attributes');
  end = writeDropped(writer, end, SPAN_DROPPED_ATTRIBUTES_COUNT, span.droppedAttributesCount);
  end = writeList(writer, end, span.events, 'events', writeEvent);
  end = writeUint32Field(
    writer,
    end,
    SPAN_DROPPED_EVENTS_COUNT,
    span.droppedEventsCount,
    'droppedEventsCount',
  );
  end = writeList(writer, end, span.links, 'links', writeLink);
  end = writeUint32Field(writer, end, SPAN_DROPPED_LINKS_COUNT, span.droppedLinksCount, 'droppedLinksCount');
  end = writeStatus(writer, end, span.status);
  end = writeFixed32Field(writer, end, SPAN_FLAGS, span.flags, 'flags');
  return writer.close(start, end, 2);
}

/** Checks what OTLP demands of a span's ids: a receiver might refuse the whole request for one. */
export function checkSpanIds({ traceId, spanId, parentSpanId }: SpanData): void {
  checkTraceId(traceId, 'traceId');
  checkSpanId(spanId, 'spanId');
  checkText(parentSpanId, 'parentSpanId');
}

function writeDropped(writer: Writer, at: number, key: number, count: number): number {
  return writeUint32Field(writer, at, key, count, 'droppedAttributesCount');
}

function writeEvent(writer: Writer, at: number, event: SpanEventData): number {
  writer.room(at, 2)[at] = SPAN_EVENTS;
  const start = at + 2;
  let end = writeTimeField(writer, start, EVENT_TIME, event.timeUnixNanos, 'timeUnixNanos');
  end = writeStringField(writer, end, EVENT_NAME, event.name, 'name');
  end = writeAttributes(writer, end, EVENT_ATTRIBUTES, event.attributes, 'attributes');
  end = writeDropped(writer, end, EVENT_DROPPED_ATTRIBUTES_COUNT, event.droppedAttributesCount);
  return writer.close(start, end, 1);
}

function writeLink(writer: Writer, at: number, link: SpanLinkData): number {
  writer.room(at, 2)[at] = SPAN_LINKS;
  const start = at + 2;
  let end = writeHexField(writer, start, LINK_TRACE_ID, link.traceId, 'traceId');
  end = writeHexField(writer, end, LINK_SPAN_ID, link.spanId, 'spanId');
  end = writeStringField(writer, end, LINK_TRACE_STATE, link.traceState, 'traceState');
  end = writeAttributes(writer, end, LINK_ATTRIBUTES, link.attributes, 'attributes');
  end = writeDropped(writer, end, LINK_DROPPED_ATTRIBUTES_COUNT, link.droppedAttributesCount);
  end = writeFixed32Field(writer, end, LINK_FLAGS, link.flags, 'flags');
  return writer.close(start, end, 1);
}

function writeStatus(writer: Writer, at: number, status: SpanData['status']): number {
  checkObject(status, 'status');
  const { code, message } = status;
  if (code === 0 && message === '') return at;
  writer.room(at, 2)[at] = SPAN_STATUS;
  const start = at + 2;
  let end = writeStringField(writer, start, STATUS_MESSAGE, message, 'status.message');
  end = writeUint32Field(writer, end, STATUS_CODE, code, 'status.code', StatusCode.ERROR);
  return writer.close(start, end, 1);
}
