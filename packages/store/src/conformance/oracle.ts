// What a store should find, worked out in the plainest way: by asking each record.
import type { LogData, MetricData, MetricPointData } from '@tracewell/otlp';
import {
  type Attributes,
  type AttributeValue,
  Double,
  type ResourceData,
  type SpanData,
} from '@tracewell/plugin';
import type { LogQuery } from '../query/logs/log-query.ts';
import type { MetricQuery } from '../query/metrics/metric-query.ts';
import type { TraceQuery } from '../store.ts';

/** Whether a span is one that a query asks for. */
export function isWantedSpan(span: SpanData, query: TraceQuery): boolean {
  const took = Number(span.endTimeUnixNanos - span.startTimeUnixNanos) / 1e6;
  return (
    is(query.service, serviceOf(span)) &&
    is(query.operation, span.name) &&
    is(query.status, span.status.code) &&
    is(query.kind, span.kind) &&
    took >= (query.minDurationMs ?? 0) &&
    took <= (query.maxDurationMs ?? Number.POSITIVE_INFINITY) &&
    isWithin(span.startTimeUnixNanos, query) &&
    hasAll(span.attributes, span.resource, query.attributes)
  );
}

/** Whether a log record is one that a query asks for. */
export function isWantedLog(log: LogData, query: LogQuery): boolean {
  return (
    is(query.service, serviceOf(log)) &&
    log.severityNumber >= (query.minSeverity ?? 0) &&
    (query.contains === undefined || contains(log.body, query.contains)) &&
    is(query.traceId, log.traceId) &&
    is(query.spanId, log.spanId) &&
    isWithin(timeOfLog(log), query) &&
    hasAll(log.attributes, log.resource, query.attributes)
  );
}

/** Whether a point is one that a query asks for. */
export function isWantedPoint(metric: MetricData, point: MetricPointData, query: MetricQuery): boolean {
  return (
    is(query.service, serviceOf(metric)) &&
    is(query.name, metric.name) &&
    is(query.type, metric.type) &&
    isWithin(point.timeUnixNanos, query) &&
    hasAll(point.attributes, metric.resource, query.labels)
  );
}

/** When a log record happened, or else when it was seen. */
export function timeOfLog(log: LogData): bigint {
  return log.timeUnixNanos === 0n ? log.observedTimeUnixNanos : log.timeUnixNanos;
}

/** The service that something comes from. */
export function serviceOf({ resource }: { readonly resource: ResourceData }): string {
  return String(resource.attributes['service.name'] ?? 'unknown_service');
}

function is<Value>(wanted: Value | undefined, value: Value): boolean {
  return wanted === undefined || wanted === value;
}

function isWithin(
  time: bigint,
  {
    startTime,
    endTime,
  }: { readonly startTime?: bigint | Date | undefined; readonly endTime?: bigint | Date | undefined },
): boolean {
  return (
    (startTime === undefined || time >= nanos(startTime)) && (endTime === undefined || time < nanos(endTime))
  );
}

function nanos(time: bigint | Date): bigint {
  return typeof time === 'bigint' ? time : BigInt(time.getTime()) * 1_000_000n;
}

/** Only texts and numbers are asked for here. */
function hasAll(attributes: Attributes, resource: ResourceData, wanted: Attributes = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => {
    const own = attributes[key] ?? resource.attributes[key];
    return (own instanceof Double ? own.value : own) === value;
  });
}

function contains(body: AttributeValue | undefined, text: string): boolean {
  if (typeof body === 'string') return body.includes(text);
  if (typeof body !== 'object' || body === null || body instanceof Uint8Array) return false;
  return Object.values(body).some((part: AttributeValue) => contains(part, text));
}
