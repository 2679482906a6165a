// A log record and metrics with what a test wants to say about them, and something plain for the rest.
import type {
  ExponentialHistogramData,
  GaugeData,
  HistogramData,
  LogData,
  NumberPointData,
  SumData,
  SummaryData,
} from '@tracewell/otlp';
import { span } from './span.ts';

const { resource, scope } = span();

export function log(part: Partial<LogData> = {}): LogData {
  return {
    timeUnixNanos: 1_700_000_000_000_000_001n,
    observedTimeUnixNanos: 1_700_000_000_000_000_002n,
    severityNumber: 9,
    severityText: 'INFO',
    body: 'cart loaded',
    attributes: {},
    droppedAttributesCount: 0,
    flags: 1,
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    eventName: '',
    resource,
    scope,
    ...part,
  };
}

export function numberPoint(part: Partial<NumberPointData> = {}): NumberPointData {
  return {
    attributes: {},
    startTimeUnixNanos: 1_700_000_000_000_000_000n,
    timeUnixNanos: 1_700_000_010_000_000_000n,
    flags: 0,
    value: 1,
    exemplars: [],
    ...part,
  };
}

const head = { name: 'm', description: '', unit: '1', metadata: {}, resource, scope };
const distribution = { ...numberPoint(), count: 3n, sum: 6, min: 1, max: 3 };

export function gauge(part: Partial<GaugeData> = {}): GaugeData {
  return { type: 'gauge', ...head, points: [numberPoint()], ...part };
}

export function sum(part: Partial<SumData> = {}): SumData {
  return { type: 'sum', ...head, temporality: 2, isMonotonic: true, points: [numberPoint()], ...part };
}

export function histogram(part: Partial<HistogramData['points'][number]> = {}): HistogramData {
  const { value: _, ...rest } = distribution;
  const points = [{ ...rest, bucketCounts: [1n, 2n], explicitBounds: [1], ...part }];
  return { type: 'histogram', ...head, temporality: 1, points };
}

export function exponentialHistogram(
  part: Partial<ExponentialHistogramData['points'][number]> = {},
): ExponentialHistogramData {
  const { value: _, ...rest } = distribution;
  const buckets = { offset: -1, bucketCounts: [1n, 0n, 2n] };
  const point = { ...rest, scale: 3, zeroCount: 0n, zeroThreshold: 0, positive: buckets, negative: buckets };
  return { type: 'exponentialHistogram', ...head, temporality: 1, points: [{ ...point, ...part }] };
}

export function summary(part: Partial<SummaryData['points'][number]> = {}): SummaryData {
  const { attributes, startTimeUnixNanos, timeUnixNanos, flags } = numberPoint();
  const point = { attributes, startTimeUnixNanos, timeUnixNanos, flags, count: 3n, sum: 6 };
  return {
    type: 'summary',
    ...head,
    points: [{ ...point, quantileValues: [{ quantile: 0.5, value: 2 }], ...part }],
  };
}
