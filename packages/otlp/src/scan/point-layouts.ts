import type { MetricType } from '../data/metric.ts';
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
} from '../wire/metric-fields.ts';
import {
  exponentialHistogramPoint,
  histogramPoint,
  type MessageType,
  numberPoint,
  summaryPoint,
  wireTypesOf,
} from './message-types.ts';

/** The keys at which the points of a type differ from those of another; -1 for what they do not have. */
export interface PointLayout {
  readonly attributes: number;
  readonly flags: number;
  readonly min: number;
  readonly max: number;
  /** Whether it has a value, and no count and no sum. */
  readonly isNumber: boolean;
  /** By field number, one bit for each wire type that it may have; 0 for fields that nobody knows. */
  readonly wireTypes: Uint8Array;
}

function layout(type: MessageType, attributes: number, flags: number, min = -1, max = -1): PointLayout {
  return { attributes, flags, min, max, isNumber: type === numberPoint, wireTypes: wireTypesOf(type) };
}

const number = layout(numberPoint, NUMBER_POINT_ATTRIBUTES, NUMBER_POINT_FLAGS);

/** The layout of the points of each type of metric. */
export const POINT_LAYOUTS: Readonly<Record<MetricType, PointLayout>> = {
  gauge: number,
  sum: number,
  histogram: layout(
    histogramPoint,
    HISTOGRAM_POINT_ATTRIBUTES,
    HISTOGRAM_POINT_FLAGS,
    HISTOGRAM_POINT_MIN,
    HISTOGRAM_POINT_MAX,
  ),
  exponentialHistogram: layout(
    exponentialHistogramPoint,
    EXPONENTIAL_POINT_ATTRIBUTES,
    EXPONENTIAL_POINT_FLAGS,
    EXPONENTIAL_POINT_MIN,
    EXPONENTIAL_POINT_MAX,
  ),
  summary: layout(summaryPoint, SUMMARY_POINT_ATTRIBUTES, SUMMARY_POINT_FLAGS),
};
