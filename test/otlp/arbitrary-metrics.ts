// Metrics of every shape that OTLP allows, in the form in which a decoder returns them.
import {
  AggregationTemporality,
  type ExemplarData,
  type ExponentialBucketsData,
  type ExponentialHistogramPointData,
  type HistogramPointData,
  type MetricData,
  type MetricNumber,
  type NumberPointData,
  type SummaryPointData,
} from '@tracewell/otlp';
import fc from 'fast-check';
import {
  anyAttributes,
  anyText,
  double,
  hexId,
  integer,
  largeInteger,
  record,
  requestOf,
  uint32,
  uint64,
} from './arbitrary.ts';

type Own = Omit<MetricData, 'resource' | 'scope'>;

const anyNumber: fc.Arbitrary<MetricNumber> = fc.oneof(integer, largeInteger, double, fc.constant(undefined));
const anyFloat = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1, Number.NaN, Number.NEGATIVE_INFINITY));
const optionalFloat = fc.oneof(anyFloat, fc.constant(undefined));
const int32 = fc.oneof(fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31)), fc.integer());
const counts = fc.array(uint64, { maxLength: 20 });

const exemplars: fc.Arbitrary<ExemplarData[]> = fc.array(
  record({
    timeUnixNanos: uint64,
    value: anyNumber,
    filteredAttributes: anyAttributes,
    traceId: fc.oneof(fc.constant(''), hexId(16)),
    spanId: fc.oneof(fc.constant(''), hexId(8)),
  }),
  { maxLength: 2 },
);

const point = {
  attributes: anyAttributes,
  startTimeUnixNanos: uint64,
  timeUnixNanos: uint64,
  flags: uint32,
};
const distribution = { ...point, count: uint64, sum: optionalFloat, min: optionalFloat, max: optionalFloat };

const numberPoint: fc.Arbitrary<NumberPointData> = record({ ...point, value: anyNumber, exemplars });
const histogramPoint: fc.Arbitrary<HistogramPointData> = record({
  ...distribution,
  bucketCounts: counts,
  explicitBounds: fc.array(anyFloat, { maxLength: 20 }),
  exemplars,
});
const buckets: fc.Arbitrary<ExponentialBucketsData> = record({ offset: int32, bucketCounts: counts });
const exponentialPoint: fc.Arbitrary<ExponentialHistogramPointData> = record({
  ...distribution,
  scale: int32,
  zeroCount: uint64,
  zeroThreshold: anyFloat,
  positive: buckets,
  negative: buckets,
  exemplars,
});
const summaryPoint: fc.Arbitrary<SummaryPointData> = record({
  ...point,
  count: uint64,
  sum: anyFloat,
  quantileValues: fc.array(record({ quantile: anyFloat, value: anyFloat }), { maxLength: 4 }),
});

const head = { name: anyText, description: anyText, unit: anyText, metadata: anyAttributes };
const temporality = fc.constantFrom(...Object.values(AggregationTemporality));
const some = <Point>(points: fc.Arbitrary<Point>): fc.Arbitrary<Point[]> =>
  fc.array(points, { maxLength: 3 });

const anyMetric = fc.oneof(
  record({ ...head, type: fc.constant('gauge'), points: some(numberPoint) }),
  record({
    ...head,
    type: fc.constant('sum'),
    temporality,
    isMonotonic: fc.boolean(),
    points: some(numberPoint),
  }),
  record({ ...head, type: fc.constant('histogram'), temporality, points: some(histogramPoint) }),
  record({ ...head, type: fc.constant('exponentialHistogram'), temporality, points: some(exponentialPoint) }),
  record({ ...head, type: fc.constant('summary'), points: some(summaryPoint) }),
) as fc.Arbitrary<Own>;

/** Some metrics of some resources and scopes. */
export const anyMetrics: fc.Arbitrary<MetricData[]> = requestOf<MetricData>(anyMetric);
