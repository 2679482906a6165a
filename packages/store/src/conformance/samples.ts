// A small world of telemetry, in which services, ids, times and values often meet.
import {
  AggregationTemporality,
  type LogData,
  METRIC_TYPES,
  type MetricData,
  type MetricPointData,
  type MetricType,
  SeverityNumber,
} from '@tracewell/otlp';
import {
  type Attributes,
  type AttributeValue,
  Double,
  type ResourceData,
  type ScopeData,
  type SpanData,
  SpanKind,
  StatusCode,
} from '@tracewell/plugin';
import type { Random } from './random.ts';

/** Every type of value that OTLP has, with what it may get wrong. */
export const ALL_VALUES: Attributes = {
  text: 'ünïcode \u{1f680} "quoted"\n',
  empty: '',
  yes: true,
  no: false,
  integer: 17,
  negative: -17,
  large: 2n ** 62n + 1n,
  least: -(2n ** 63n),
  double: 2.5,
  'whole double': new Double(3),
  'negative zero': -0,
  infinity: Number.POSITIVE_INFINITY,
  bytes: Uint8Array.of(0, 1, 254, 255),
  list: ['a', 1, new Double(1), [true, null], { key: 2n ** 60n }],
  map: { nested: { deeper: [1, 2.5, 'x'] }, empty: {}, none: null },
  nothing: null,
  ['__proto__']: 'a key like others',
  constructor: 'a key like others',
};

export const SERVICES = ['shop', 'pay', 'ünïcode', undefined] as const;
const RESOURCES: readonly ResourceData[] = SERVICES.map((service, index) => ({
  attributes: { ...(service === undefined ? {} : { 'service.name': service }), 'host.name': `host-${index}` },
  droppedAttributesCount: index,
  schemaUrl: index === 1 ? 'https://example.com/resource/1' : '',
}));
const SCOPES: readonly ScopeData[] = [
  { name: 'http', version: '1.2.3', attributes: {}, droppedAttributesCount: 0, schemaUrl: '' },
  {
    name: 'db',
    version: '',
    attributes: { list: [1, 'x'] },
    droppedAttributesCount: 2,
    schemaUrl: 'https://example.com/scope/1',
  },
];
const ATTRIBUTES: readonly Attributes[] = [
  {},
  { color: 'red' },
  { color: 'red', size: 2.5 },
  { color: 'green', size: 1 },
];
const NAMES = ['GET /', 'POST /pay', 'query'];
const DURATIONS = [0n, 1n, 1_000_000n, 1_000_001n, 5_000_000_000n];

/** An hour ago: recent enough for `lastSeconds`. */
export function anHourAgo(): bigint {
  return BigInt(Date.now() - 3_600_000) * 1_000_000n;
}

/** A moment within the same second as others: often the very same. */
function momentAfter(start: bigint, random: Random): bigint {
  return start + BigInt(random.below(40)) * 25_000_000n + BigInt(random.below(3));
}

/** Random spans of eight traces, all different. */
export function sampleSpans(random: Random, count: number, start: bigint): SpanData[] {
  const traces = Array.from({ length: 8 }, () => random.hex(32));
  return Array.from({ length: count }, (): SpanData => {
    const startTimeUnixNanos = momentAfter(start, random);
    return {
      traceId: random.pick(traces),
      spanId: `${random.hex(15)}1`,
      parentSpanId: random.pick(['', `${random.hex(15)}1`]),
      traceState: random.pick(['', 'vendor=1']),
      flags: random.pick([0, 1, 0x301]),
      name: random.pick(NAMES),
      kind: random.pick(Object.values(SpanKind)),
      startTimeUnixNanos,
      endTimeUnixNanos: startTimeUnixNanos + random.pick(DURATIONS),
      attributes: random.pick(ATTRIBUTES),
      droppedAttributesCount: random.below(2),
      events: [],
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0,
      status: { code: random.pick(Object.values(StatusCode)), message: '' },
      resource: random.pick(RESOURCES),
      scope: random.pick(SCOPES),
    };
  });
}

/** A span that says everything that OTLP can say of one. */
export function wholeSpan(random: Random, start: bigint): SpanData {
  return {
    ...sampleSpans(random, 1, start)[0]!,
    traceState: 'a=1,b=2',
    flags: 0x301,
    attributes: ALL_VALUES,
    droppedAttributesCount: 3,
    events: [
      { name: 'first', timeUnixNanos: start + 1n, attributes: ALL_VALUES, droppedAttributesCount: 4 },
      { name: '', timeUnixNanos: 0n, attributes: {}, droppedAttributesCount: 0 },
    ],
    droppedEventsCount: 5,
    links: [
      {
        traceId: `${random.hex(31)}1`,
        spanId: `${random.hex(15)}1`,
        traceState: 'c=3',
        attributes: ALL_VALUES,
        droppedAttributesCount: 6,
        flags: 1,
      },
    ],
    droppedLinksCount: 7,
    status: { code: StatusCode.ERROR, message: 'it broke' },
  };
}

const BODIES: readonly (AttributeValue | undefined)[] = [
  undefined,
  '',
  'payment failed',
  'payment of 12 € done',
  17,
  ['list', { with: 'payment in it' }],
  { payment: 'only as a key' },
];

/** Random log records of four traces. */
export function sampleLogs(random: Random, count: number, start: bigint): LogData[] {
  const ids = Array.from({ length: 4 }, () => ({ traceId: random.hex(32), spanId: random.hex(16) }));
  return Array.from({ length: count }, (_, number): LogData => {
    const time = momentAfter(start, random);
    const isObserved = random.below(5) === 0;
    return {
      timeUnixNanos: isObserved ? 0n : time,
      observedTimeUnixNanos: isObserved ? time : 0n,
      severityNumber: random.pick(Object.values(SeverityNumber)),
      severityText: random.pick(['', 'warning']),
      body: random.pick(BODIES),
      // Makes each record another one.
      attributes: { ...random.pick(ATTRIBUTES), number },
      droppedAttributesCount: random.below(2),
      flags: random.below(2),
      ...random.pick([{ traceId: '', spanId: '' }, ...ids]),
      eventName: random.pick(['', 'app.start']),
      resource: random.pick(RESOURCES),
      scope: random.pick(SCOPES),
    };
  });
}

/** A log record that says everything that OTLP can say of one. */
export function wholeLog(random: Random, start: bigint): LogData {
  return {
    ...sampleLogs(random, 1, start)[0]!,
    timeUnixNanos: start,
    observedTimeUnixNanos: start + 1n,
    severityNumber: SeverityNumber.FATAL4,
    severityText: 'wrong',
    body: ALL_VALUES as AttributeValue,
    attributes: ALL_VALUES,
    droppedAttributesCount: 3,
    flags: 1,
    traceId: `${random.hex(31)}1`,
    spanId: `${random.hex(15)}1`,
    eventName: 'app.end',
  };
}

const EXEMPLARS = [
  {
    timeUnixNanos: 5n,
    value: 2.5,
    filteredAttributes: ALL_VALUES,
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
  },
  { timeUnixNanos: 6n, value: 17, filteredAttributes: {}, traceId: '', spanId: '' },
];

/** A point of a type, whose values follow from a number. */
function pointOf(
  type: MetricType,
  number: number,
  timeUnixNanos: bigint,
  attributes: Attributes,
): MetricPointData {
  const head = { attributes, startTimeUnixNanos: 7n, timeUnixNanos, flags: number % 2 };
  const exemplars = number % 3 === 0 ? EXEMPLARS : [];
  const count = BigInt(number);
  switch (type) {
    case 'gauge':
    case 'sum':
      return {
        ...head,
        value: [number, number + 0.5, new Double(number), 2n ** 60n + count][number % 4],
        exemplars,
      };
    case 'histogram':
      return {
        ...head,
        count,
        sum: number * 1.5,
        min: number % 2 === 0 ? 0.5 : undefined,
        max: number,
        bucketCounts: [count, 0n, 2n ** 63n],
        explicitBounds: [1, 2.5],
        exemplars,
      };
    case 'exponentialHistogram':
      return {
        ...head,
        count,
        sum: undefined,
        min: -1.5,
        max: number,
        scale: number % 2 === 0 ? 3 : -2,
        zeroCount: 2n,
        zeroThreshold: 0.25,
        positive: { offset: -5, bucketCounts: [1n, count] },
        negative: { offset: 4, bucketCounts: [] },
        exemplars,
      };
    case 'summary':
      return {
        ...head,
        count,
        sum: number,
        quantileValues: [
          { quantile: 0.5, value: number },
          { quantile: 1, value: 9 },
        ],
      };
  }
}

/** Random metrics of all types with several series each, their points at different times. */
export function sampleMetrics(random: Random, count: number, start: bigint): MetricData[] {
  let number = 0;
  return Array.from({ length: count }, () => {
    const type = random.pick(METRIC_TYPES);
    const temporality = random.pick(Object.values(AggregationTemporality));
    const points = Array.from({ length: 1 + random.below(4) }, () =>
      pointOf(type, ++number, momentAfter(start, random), random.pick(ATTRIBUTES)),
    );
    const head = {
      name: random.pick(['requests', 'requests.duration', 'memory']),
      description: 'what it measures',
      unit: random.pick(['', 'ms']),
      metadata: {},
      resource: random.pick(RESOURCES),
      scope: random.pick(SCOPES),
    };
    return metricOf(type, head, temporality, random.below(2) === 0, points);
  });
}

/** A metric of each type that says everything that OTLP can say of one. */
export function wholeMetrics(start: bigint): MetricData[] {
  return METRIC_TYPES.map((type) => {
    const head = {
      name: `whole ${type}`,
      description: 'everything',
      unit: 'By',
      metadata: ALL_VALUES,
      resource: { ...RESOURCES[1]!, attributes: { ...RESOURCES[1]!.attributes, ...ALL_VALUES } },
      scope: SCOPES[1]!,
    };
    const points = Array.from({ length: 12 }, (_, number) =>
      pointOf(type, number, start + BigInt(number), ALL_VALUES),
    );
    return metricOf(type, head, AggregationTemporality.CUMULATIVE, true, points);
  });
}

function metricOf(
  type: MetricType,
  head: Omit<MetricData, 'type' | 'points'>,
  temporality: AggregationTemporality,
  isMonotonic: boolean,
  points: readonly MetricPointData[],
): MetricData {
  const hasTemporality = type !== 'gauge' && type !== 'summary';
  return {
    type,
    ...head,
    ...(hasTemporality ? { temporality } : {}),
    ...(type === 'sum' ? { isMonotonic } : {}),
    points,
    // The points are of the type, which the compiler cannot see.
  } as MetricData;
}
