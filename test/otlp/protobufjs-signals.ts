// The peer of protobufjs.ts for logs and metrics.
import type {
  AggregationTemporality,
  ExemplarData,
  ExponentialBucketsData,
  LogData,
  MetricData,
  MetricNumber,
  SeverityNumber,
} from '@tracewell/otlp';
import {
  anyValueOf,
  attributesOf,
  decodeWith,
  doubleOf,
  droppedOf,
  ExportLogsServiceRequest,
  ExportMetricsServiceRequest,
  hex,
  integerOf,
  list,
  type Message,
  message,
  text,
} from './protobufjs.ts';

/** Decodes a logs request with protobufjs. */
export function peerDecodeLogs(bytes: Uint8Array): LogData[] {
  return decodeWith<LogData>(
    ExportLogsServiceRequest,
    bytes,
    ['resourceLogs', 'scopeLogs', 'logRecords'],
    (log) => ({
      timeUnixNanos: BigInt(text(log.timeUnixNano)),
      observedTimeUnixNanos: BigInt(text(log.observedTimeUnixNano)),
      severityNumber: Number(log.severityNumber) as SeverityNumber,
      severityText: text(log.severityText),
      body: log.body === null ? undefined : anyValueOf(message(log.body)),
      attributes: attributesOf(log),
      droppedAttributesCount: droppedOf(log),
      flags: Number(log.flags),
      traceId: hex(log.traceId),
      spanId: hex(log.spanId),
      eventName: text(log.eventName),
    }),
  );
}

/** Decodes a metrics request with protobufjs. */
export function peerDecodeMetrics(bytes: Uint8Array): MetricData[] {
  return decodeWith<MetricData>(
    ExportMetricsServiceRequest,
    bytes,
    ['resourceMetrics', 'scopeMetrics', 'metrics'],
    metricOf,
  );
}

function metricOf(metric: Message): Omit<MetricData, 'resource' | 'scope'> | undefined {
  const type = metric.data as MetricData['type'] | undefined;
  if (type === undefined) return undefined;
  const data = message(metric[type]);
  const points = list(data.dataPoints).map((point) => {
    const own =
      type === 'gauge' || type === 'sum'
        ? numberOf(point)
        : type === 'summary'
          ? summaryOf(point)
          : type === 'histogram'
            ? histogramOf(point)
            : exponentialOf(point);
    return {
      attributes: attributesOf(point),
      startTimeUnixNanos: BigInt(text(point.startTimeUnixNano)),
      timeUnixNanos: BigInt(text(point.timeUnixNano)),
      flags: Number(point.flags),
      ...own,
    };
  });
  const temporality = Number(data.aggregationTemporality ?? 0) as AggregationTemporality;
  return {
    type,
    name: text(metric.name),
    description: text(metric.description),
    unit: text(metric.unit),
    metadata: attributesOf(metric, 'metadata'),
    ...(type === 'gauge' || type === 'summary' ? {} : { temporality }),
    ...(type === 'sum' ? { isMonotonic: data.isMonotonic } : {}),
    points,
  } as never;
}

const count = (value: unknown): bigint => BigInt(text(value));
const counts = (value: unknown): bigint[] => ((value ?? []) as string[]).map(count);
const optional = (value: unknown): number | undefined => (value ?? undefined) as number | undefined;

function numberOf(point: Message): object {
  return { value: numberValueOf(point), exemplars: exemplarsOf(point) };
}

function summaryOf(point: Message): object {
  return {
    count: count(point.count),
    sum: Number(point.sum),
    quantileValues: list(point.quantileValues).map(({ quantile, value }) => ({ quantile, value })),
  };
}

function histogramOf(point: Message): object {
  return {
    count: count(point.count),
    sum: optional(point.sum),
    min: optional(point.min),
    max: optional(point.max),
    bucketCounts: counts(point.bucketCounts),
    explicitBounds: point.explicitBounds ?? [],
    exemplars: exemplarsOf(point),
  };
}

function exponentialOf(point: Message): object {
  return {
    count: count(point.count),
    sum: optional(point.sum),
    min: optional(point.min),
    max: optional(point.max),
    scale: point.scale,
    zeroCount: count(point.zeroCount),
    zeroThreshold: point.zeroThreshold,
    positive: bucketsOf(message(point.positive)),
    negative: bucketsOf(message(point.negative)),
    exemplars: exemplarsOf(point),
  };
}

function bucketsOf(buckets: Message): ExponentialBucketsData {
  return { offset: Number(buckets.offset ?? 0), bucketCounts: counts(buckets.bucketCounts) };
}

function exemplarsOf(point: Message): ExemplarData[] {
  return list(point.exemplars).map((exemplar) => ({
    timeUnixNanos: BigInt(text(exemplar.timeUnixNano)),
    value: numberValueOf(exemplar),
    filteredAttributes: attributesOf(exemplar, 'filteredAttributes'),
    traceId: hex(exemplar.traceId),
    spanId: hex(exemplar.spanId),
  }));
}

function numberValueOf({ value, asDouble, asInt }: Message): MetricNumber {
  if (value === 'asDouble') return doubleOf(asDouble);
  return value === 'asInt' ? integerOf(asInt) : undefined;
}
