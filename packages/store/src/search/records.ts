import type { LogData } from '@tracewell/otlp';
import { type SpanData, StatusCode } from '@tracewell/plugin';
import { timeOf } from '../query/logs/match.ts';
import { serviceOf } from '../query/service-of.ts';
import type { SearchRecord } from './search-db.ts';
import type { TextPicker } from './texts.ts';

/** What the index is told of a span. */
export function recordOfSpan(span: SpanData, picker: TextPicker): SearchRecord {
  return {
    signal: 'span',
    time: span.startTimeUnixNanos,
    service: serviceOf(span),
    traceId: span.traceId,
    spanId: span.spanId,
    failed: span.status.code === StatusCode.ERROR,
    texts: picker.ofSpan(span).map(({ text }) => text),
  };
}

/** What the index is told of a log record. */
export function recordOfLog(log: LogData, picker: TextPicker): SearchRecord {
  return {
    signal: 'log',
    time: timeOf(log),
    service: serviceOf(log),
    traceId: log.traceId,
    spanId: log.spanId,
    failed: false,
    texts: picker.ofLog(log).map(({ text }) => text),
  };
}
