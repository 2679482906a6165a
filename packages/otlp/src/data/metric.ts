import type { Attributes, Double, ResourceData, ScopeData } from '@tracewell/plugin';

/**
 * Whether the points of a metric say what came since the point before or since the start; the numbers are OTLP's.
 *
 * @see https://opentelemetry.io/docs/specs/otel/metrics/data-model/#temporality
 */
export const AggregationTemporality = {
  UNSPECIFIED: 0,
  DELTA: 1,
  CUMULATIVE: 2,
} as const;
/** One of the numbers of {@link AggregationTemporality}. */
export type AggregationTemporality = (typeof AggregationTemporality)[keyof typeof AggregationTemporality];

/**
 * The value of a point or exemplar, typed as attribute values are: a safe integer is `as_int` on the wire, any
 * other `number` and a {@link Double} are `as_double`, a `bigint` (64 bits, signed) is `as_int`. `undefined` if
 * there is none.
 */
export type MetricNumber = number | bigint | Double | undefined;

/** A measurement that a point was made of, with the span in which it was taken. */
export interface ExemplarData {
  /** Nanoseconds since the Unix epoch, unsigned 64 bits. */
  readonly timeUnixNanos: bigint;
  readonly value: MetricNumber;
  /** The measurement's attributes that the point does not have. */
  readonly filteredAttributes: Attributes;
  /** 32 lower-case hex digits; empty if it was taken in no trace. */
  readonly traceId: string;
  /** 16 lower-case hex digits; empty if it was taken in no span. */
  readonly spanId: string;
}

/** What every point of a metric has. */
export interface PointData {
  readonly attributes: Attributes;
  /** From when on the point counts: nanoseconds since the Unix epoch, unsigned 64 bits; 0 if unknown. */
  readonly startTimeUnixNanos: bigint;
  /** When the point was taken: nanoseconds since the Unix epoch, unsigned 64 bits. */
  readonly timeUnixNanos: bigint;
  /** OTLP's flags: bit 0 says that there is no value, because the series ended. */
  readonly flags: number;
}

/** A point of a gauge or a sum. */
export interface NumberPointData extends PointData {
  readonly value: MetricNumber;
  readonly exemplars: readonly ExemplarData[];
}

/** A point of a histogram whose buckets have given bounds. */
export interface HistogramPointData extends PointData {
  /** How many measurements, unsigned 64 bits. */
  readonly count: bigint;
  /** Their sum, in the metric's unit; `undefined` if it is not known. */
  readonly sum: number | undefined;
  /** The smallest of them; `undefined` if it is not known. */
  readonly min: number | undefined;
  /** The largest of them; `undefined` if it is not known. */
  readonly max: number | undefined;
  /** How many fell into each bucket: one more than there are bounds, or none. */
  readonly bucketCounts: readonly bigint[];
  /** The upper bounds, inclusive, of all buckets but the last; ascending. */
  readonly explicitBounds: readonly number[];
  readonly exemplars: readonly ExemplarData[];
}

/** The buckets of one sign of an exponential histogram. */
export interface ExponentialBucketsData {
  /** The index of the first bucket; bucket `i` holds what is above `base ** i` up to `base ** (i + 1)`. */
  readonly offset: number;
  /** How many fell into each bucket, unsigned 64 bits. */
  readonly bucketCounts: readonly bigint[];
}

/** A point of a histogram whose buckets grow by the base `2 ** (2 ** -scale)`. */
export interface ExponentialHistogramPointData extends PointData {
  /** How many measurements, unsigned 64 bits. */
  readonly count: bigint;
  /** Their sum, in the metric's unit; `undefined` if it is not known. */
  readonly sum: number | undefined;
  /** The smallest of them; `undefined` if it is not known. */
  readonly min: number | undefined;
  /** The largest of them; `undefined` if it is not known. */
  readonly max: number | undefined;
  /** The resolution, signed 32 bits: larger is finer. */
  readonly scale: number;
  /** How many were zero, or closer to it than `zeroThreshold`; unsigned 64 bits. */
  readonly zeroCount: bigint;
  /** How far from zero counts as zero. */
  readonly zeroThreshold: number;
  readonly positive: ExponentialBucketsData;
  /** The buckets of the absolute values of negative measurements. */
  readonly negative: ExponentialBucketsData;
  readonly exemplars: readonly ExemplarData[];
}

/** One quantile of a summary. */
export interface QuantileData {
  /** From 0, the smallest, to 1, the largest. */
  readonly quantile: number;
  readonly value: number;
}

/** A point of a summary: quantiles that its source computed. */
export interface SummaryPointData extends PointData {
  /** How many measurements, unsigned 64 bits. */
  readonly count: bigint;
  /** Their sum, in the metric's unit. */
  readonly sum: number;
  readonly quantileValues: readonly QuantileData[];
}

/** What every metric has, whatever its type. */
export interface MetricHeadData {
  readonly name: string;
  readonly description: string;
  /** As UCUM writes units, such as `ms` or `By`; empty if unknown. */
  readonly unit: string;
  /** What another system says of the metric. */
  readonly metadata: Attributes;
  readonly resource: ResourceData;
  readonly scope: ScopeData;
}

/** A value that is what it was last seen to be, such as a temperature. */
export interface GaugeData extends MetricHeadData {
  readonly type: 'gauge';
  readonly points: readonly NumberPointData[];
}

/** A value that adds up, such as a number of requests. */
export interface SumData extends MetricHeadData {
  readonly type: 'sum';
  readonly temporality: AggregationTemporality;
  /** Whether it never falls but by a restart. */
  readonly isMonotonic: boolean;
  readonly points: readonly NumberPointData[];
}

/** A distribution in buckets of given bounds. */
export interface HistogramData extends MetricHeadData {
  readonly type: 'histogram';
  readonly temporality: AggregationTemporality;
  readonly points: readonly HistogramPointData[];
}

/** A distribution in buckets that grow exponentially. */
export interface ExponentialHistogramData extends MetricHeadData {
  readonly type: 'exponentialHistogram';
  readonly temporality: AggregationTemporality;
  readonly points: readonly ExponentialHistogramPointData[];
}

/** A distribution as quantiles. */
export interface SummaryData extends MetricHeadData {
  readonly type: 'summary';
  readonly points: readonly SummaryPointData[];
}

/**
 * A metric with its points as plain data, complete: what OTLP can say of a metric, this says. `type` tells which
 * kind it is.
 *
 * Metrics of one request share their `resource` and `scope` objects.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
 */
export type MetricData = GaugeData | SumData | HistogramData | ExponentialHistogramData | SummaryData;

/** The types of metrics, as {@link MetricData} calls them. */
export const METRIC_TYPES = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;
/** One of {@link METRIC_TYPES}. */
export type MetricType = (typeof METRIC_TYPES)[number];

/** A point of any metric; which one is what the metric's `type` tells. */
export type MetricPointData = MetricData['points'][number];
