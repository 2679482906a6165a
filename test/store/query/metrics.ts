// Metrics for the tests of the store: one by hand, or random ones from a small world, in which series and times often
// meet.
import {
  AggregationTemporality,
  type ExemplarData,
  type GaugeData,
  METRIC_TYPES,
  type MetricData,
  type MetricPointData,
  type MetricType,
} from '@tracewell/otlp';
import { Double, type ScopeData } from '@tracewell/plugin';
import type { MetricQuery } from '@tracewell/store';
import fc from 'fast-check';
import { arbitraryStart, resourceOf } from './spans.ts';

const SCOPE: ScopeData = {
  name: 'test',
  version: '',
  attributes: {},
  droppedAttributesCount: 0,
  schemaUrl: '',
};

/** A gauge with one point, with the fields that a test cares about. */
export function gauge(
  fields: Partial<GaugeData> & { readonly service?: string | undefined } = {},
  ...points: Partial<GaugeData['points'][number]>[]
): GaugeData {
  const { service = 'shop', ...rest } = fields;
  return {
    type: 'gauge',
    name: 'queue.length',
    description: '',
    unit: '{item}',
    metadata: {},
    resource: resourceOf(service),
    scope: SCOPE,
    points: (points.length === 0 ? [{}] : points).map((point) => ({
      attributes: {},
      startTimeUnixNanos: 0n,
      timeUnixNanos: 1_000_000_000n,
      flags: 0,
      value: 17,
      exemplars: [],
      ...point,
    })),
    ...rest,
  };
}

const RESOURCES = ['shop', 'pay', '', 'schema', 'ünïcode', undefined].map(resourceOf);
const SCOPES = [
  SCOPE,
  { ...SCOPE, name: 'other', attributes: { a: 1, b: 'x' }, schemaUrl: 'https://example.com' },
];
// The second and the third are the same labels.
const LABELS = [
  {},
  { color: 'red', size: 1 },
  { size: 1, color: 'red' },
  { size: new Double(1) },
  { n: 2n ** 60n },
];

const count = fc.bigInt(0n, 2n ** 64n - 1n);
const double = fc.constantFrom(0, -0, 1.5, 1e300, Number.NEGATIVE_INFINITY);
const optional = fc.option(double, { nil: undefined });
const exemplars = fc.array(
  fc.record({
    timeUnixNanos: arbitraryStart,
    value: fc.constantFrom<ExemplarData['value']>(undefined, 5, 2.5, -(2n ** 63n)),
    filteredAttributes: fc.constantFrom(...LABELS),
    traceId: fc.constantFrom('', '0af7651916cd43dd8448eb211c80319c'),
    spanId: fc.constantFrom('', 'b7ad6b7169203331'),
  }),
  { maxLength: 2 },
);
const head = {
  attributes: fc.constantFrom(...LABELS),
  startTimeUnixNanos: fc.constantFrom(0n, 5n),
  timeUnixNanos: arbitraryStart,
  flags: fc.constantFrom(0, 1),
};
const buckets = fc.record({
  offset: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  bucketCounts: fc.array(count, { maxLength: 3 }),
});
const numberPoint = fc.record({
  ...head,
  value: fc.constantFrom<ExemplarData['value']>(undefined, 0, 17, 2.5, -(2n ** 63n), new Double(3)),
  exemplars,
});
const POINTS: Record<MetricType, fc.Arbitrary<MetricPointData>> = {
  gauge: numberPoint,
  sum: numberPoint,
  histogram: fc.record({
    ...head,
    count,
    sum: optional,
    min: optional,
    max: optional,
    bucketCounts: fc.array(count, { maxLength: 3 }),
    explicitBounds: fc.array(double, { maxLength: 2 }),
    exemplars,
  }),
  exponentialHistogram: fc.record({
    ...head,
    count,
    sum: optional,
    min: optional,
    max: optional,
    scale: fc.integer({ min: -10, max: 20 }),
    zeroCount: count,
    zeroThreshold: double,
    positive: buckets,
    negative: buckets,
    exemplars,
  }),
  summary: fc.record({
    ...head,
    count,
    sum: double,
    quantileValues: fc.array(fc.record({ quantile: fc.constantFrom(0, 0.5, 1), value: double }), {
      maxLength: 2,
    }),
  }),
};

const shared = fc.record({
  name: fc.constantFrom('a', 'a.b', 'requests', 'ünïcode', ''),
  unit: fc.constantFrom('', 'ms'),
  resource: fc.constantFrom(...RESOURCES),
  scope: fc.constantFrom(...SCOPES),
  temporality: fc.constantFrom(...Object.values(AggregationTemporality)),
  isMonotonic: fc.boolean(),
});

/** A metric of the small world; description and metadata follow from the name. */
export const arbitraryMetric: fc.Arbitrary<MetricData> = fc
  .tuple(fc.constantFrom(...METRIC_TYPES), shared)
  .chain(([type, { temporality, isMonotonic, ...rest }]) =>
    fc.array(POINTS[type], { minLength: 1, maxLength: 5 }).map((points) => {
      const description = rest.name === 'a' ? 'the first letter' : '';
      const metadata = rest.name === 'requests' ? { 'prometheus.type': 'counter' } : {};
      const has = type !== 'gauge' && type !== 'summary' ? { temporality } : {};
      const metric = { type, ...rest, description, metadata, ...has, points };
      return (type === 'sum' ? { ...metric, isMonotonic } : metric) as MetricData;
    }),
  );

/** Queries of which many find something in the small world. */
export const arbitraryMetricQuery: fc.Arbitrary<MetricQuery> = fc.record(
  {
    service: fc.constantFrom('shop', 'pay', '', 'ünïcode', 'unknown_service', 'nobody'),
    name: fc.constantFrom('a', 'requests', '', 'nothing'),
    type: fc.constantFrom(...METRIC_TYPES),
    labels: fc.constantFrom(
      {},
      { color: 'red' },
      { size: 1 },
      { 'host.name': 'h', n: 2n ** 60n },
      { gone: 1 },
    ),
    startTime: arbitraryStart,
    endTime: arbitraryStart,
    limit: fc.constantFrom(1, 2, 3, 7, 1000),
  },
  { requiredKeys: [] },
);
