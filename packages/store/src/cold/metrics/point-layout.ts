import type { MetricType } from '@tracewell/otlp';
import {
  EXPONENTIAL_POINT_ATTRIBUTES,
  EXPONENTIAL_POINT_FLAGS,
  EXPONENTIAL_POINT_MAX,
  EXPONENTIAL_POINT_MIN,
  HISTOGRAM_POINT_ATTRIBUTES,
  HISTOGRAM_POINT_FLAGS,
  HISTOGRAM_POINT_MAX,
  HISTOGRAM_POINT_MIN,
  NUMBER_POINT_ATTRIBUTES,
  NUMBER_POINT_FLAGS,
  SUMMARY_POINT_ATTRIBUTES,
  SUMMARY_POINT_FLAGS,
} from '@tracewell/otlp/wire';

/** The protobuf keys at which the points of a type differ from those of another; -1 for what they do not have. */
export interface PointLayout {
  readonly type: MetricType;
  readonly attributes: number;
  readonly flags: number;
  readonly min: number;
  readonly max: number;
  /** Whether it has a value, and no count and no sum. */
  readonly isNumber: boolean;
}

const histogram = {
  attributes: HISTOGRAM_POINT_ATTRIBUTES,
  flags: HISTOGRAM_POINT_FLAGS,
  min: HISTOGRAM_POINT_MIN,
  max: HISTOGRAM_POINT_MAX,
  isNumber: false,
};
const exponential = {
  attributes: EXPONENTIAL_POINT_ATTRIBUTES,
  flags: EXPONENTIAL_POINT_FLAGS,
  min: EXPONENTIAL_POINT_MIN,
  max: EXPONENTIAL_POINT_MAX,
  isNumber: false,
};
const number = {
  attributes: NUMBER_POINT_ATTRIBUTES,
  flags: NUMBER_POINT_FLAGS,
  min: -1,
  max: -1,
  isNumber: true,
};
const summary = {
  ...number,
  attributes: SUMMARY_POINT_ATTRIBUTES,
  flags: SUMMARY_POINT_FLAGS,
  isNumber: false,
};

/** The layout of the points of each type of metric. */
export const POINT_LAYOUTS: Readonly<Record<MetricType, PointLayout>> = {
  gauge: { type: 'gauge', ...number },
  sum: { type: 'sum', ...number },
  histogram: { type: 'histogram', ...histogram },
  exponentialHistogram: { type: 'exponentialHistogram', ...exponential },
  summary: { type: 'summary', ...summary },
};
