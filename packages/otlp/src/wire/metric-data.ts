import type { MetricType } from '../data/metric.ts';
import {
  METRIC_EXPONENTIAL_HISTOGRAM,
  METRIC_GAUGE,
  METRIC_HISTOGRAM,
  METRIC_SUM,
  METRIC_SUMMARY,
} from './metric-fields.ts';

/** The type of metric whose data a key of `Metric` holds; `undefined` for any other key. */
export function metricTypeOf(key: number): MetricType | undefined {
  switch (key) {
    case METRIC_GAUGE:
      return 'gauge';
    case METRIC_SUM:
      return 'sum';
    case METRIC_HISTOGRAM:
      return 'histogram';
    case METRIC_EXPONENTIAL_HISTOGRAM:
      return 'exponentialHistogram';
    case METRIC_SUMMARY:
      return 'summary';
    default:
      return undefined;
  }
}

/**
 * The largest number of a field that the data of a type of metric has: all have points, distributions and sums a
 * temporality, sums also tell whether they are monotonic.
 */
export function lastDataField(type: MetricType): number {
  switch (type) {
    case 'gauge':
    case 'summary':
      return 1;
    case 'sum':
      return 3;
    default:
      return 2;
  }
}

/** Whether `Metric` had a field of that number before OTLP 1.0; it is unknown now. */
export function isReservedMetricField(field: number): boolean {
  return field === 4 || field === 6 || field === 8;
}
