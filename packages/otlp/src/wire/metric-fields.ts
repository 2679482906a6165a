// The protobuf keys of OTLP metrics. A list of numbers has two: packed into one field, as proto3 writes it, and,
// with `_ONE` behind its name, one number a field, which every reader has to take too.
//
// Source: opentelemetry-proto 1.x, the file metrics/v1/metrics.proto.
// https://github.com/open-telemetry/opentelemetry-proto

/** `Metric.name` */
export const METRIC_NAME = 0x0a;
/** `Metric.description` */
export const METRIC_DESCRIPTION = 0x12;
/** `Metric.unit` */
export const METRIC_UNIT = 0x1a;
/** `Metric.gauge` */
export const METRIC_GAUGE = 0x2a;
/** `Metric.sum` */
export const METRIC_SUM = 0x3a;
/** `Metric.histogram` */
export const METRIC_HISTOGRAM = 0x4a;
/** `Metric.exponential_histogram` */
export const METRIC_EXPONENTIAL_HISTOGRAM = 0x52;
/** `Metric.summary` */
export const METRIC_SUMMARY = 0x5a;
/** `Metric.metadata` */
export const METRIC_METADATA = 0x62;

/** `Gauge.data_points`, and the same of every other type of metric. */
export const DATA_POINTS = 0x0a;
/** `Sum.aggregation_temporality`, and the same of both kinds of histograms. */
export const DATA_TEMPORALITY = 0x10;
/** `Sum.is_monotonic` */
export const DATA_IS_MONOTONIC = 0x18;

/** `NumberDataPoint.start_time_unix_nano`, fixed64, and the same of every other point. */
export const POINT_START_TIME = 0x11;
/** `NumberDataPoint.time_unix_nano`, fixed64, and the same of every other point. */
export const POINT_TIME = 0x19;
/** `HistogramDataPoint.count`, fixed64, and the same of every point but those of gauges and sums. */
export const POINT_COUNT = 0x21;
/** `HistogramDataPoint.sum`, double, and the same of every point but those of gauges and sums. */
export const POINT_SUM = 0x29;

/** `NumberDataPoint.as_double`, double */
export const NUMBER_POINT_AS_DOUBLE = 0x21;
/** `NumberDataPoint.exemplars` */
export const NUMBER_POINT_EXEMPLARS = 0x2a;
/** `NumberDataPoint.as_int`, sfixed64 */
export const NUMBER_POINT_AS_INT = 0x31;
/** `NumberDataPoint.attributes` */
export const NUMBER_POINT_ATTRIBUTES = 0x3a;
/** `NumberDataPoint.flags` */
export const NUMBER_POINT_FLAGS = 0x40;

/** `HistogramDataPoint.bucket_counts`, packed */
export const HISTOGRAM_POINT_BUCKET_COUNTS = 0x32;
/** `HistogramDataPoint.bucket_counts`, one of them, 8 bytes */
export const HISTOGRAM_POINT_BUCKET_COUNTS_ONE = 0x31;
/** `HistogramDataPoint.explicit_bounds`, packed */
export const HISTOGRAM_POINT_EXPLICIT_BOUNDS = 0x3a;
/** `HistogramDataPoint.explicit_bounds`, one of them, 8 bytes */
export const HISTOGRAM_POINT_EXPLICIT_BOUNDS_ONE = 0x39;
/** `HistogramDataPoint.exemplars` */
export const HISTOGRAM_POINT_EXEMPLARS = 0x42;
/** `HistogramDataPoint.attributes` */
export const HISTOGRAM_POINT_ATTRIBUTES = 0x4a;
/** `HistogramDataPoint.flags` */
export const HISTOGRAM_POINT_FLAGS = 0x50;
/** `HistogramDataPoint.min`, double */
export const HISTOGRAM_POINT_MIN = 0x59;
/** `HistogramDataPoint.max`, double */
export const HISTOGRAM_POINT_MAX = 0x61;

/** `ExponentialHistogramDataPoint.attributes` */
export const EXPONENTIAL_POINT_ATTRIBUTES = 0x0a;
/** `ExponentialHistogramDataPoint.scale`, sint32 */
export const EXPONENTIAL_POINT_SCALE = 0x30;
/** `ExponentialHistogramDataPoint.zero_count`, fixed64 */
export const EXPONENTIAL_POINT_ZERO_COUNT = 0x39;
/** `ExponentialHistogramDataPoint.positive` */
export const EXPONENTIAL_POINT_POSITIVE = 0x42;
/** `ExponentialHistogramDataPoint.negative` */
export const EXPONENTIAL_POINT_NEGATIVE = 0x4a;
/** `ExponentialHistogramDataPoint.flags` */
export const EXPONENTIAL_POINT_FLAGS = 0x50;
/** `ExponentialHistogramDataPoint.exemplars` */
export const EXPONENTIAL_POINT_EXEMPLARS = 0x5a;
/** `ExponentialHistogramDataPoint.min`, double */
export const EXPONENTIAL_POINT_MIN = 0x61;
/** `ExponentialHistogramDataPoint.max`, double */
export const EXPONENTIAL_POINT_MAX = 0x69;
/** `ExponentialHistogramDataPoint.zero_threshold`, double */
export const EXPONENTIAL_POINT_ZERO_THRESHOLD = 0x71;

/** `ExponentialHistogramDataPoint.Buckets.offset`, sint32 */
export const BUCKETS_OFFSET = 0x08;
/** `ExponentialHistogramDataPoint.Buckets.bucket_counts`, packed varints */
export const BUCKETS_BUCKET_COUNTS = 0x12;
/** `ExponentialHistogramDataPoint.Buckets.bucket_counts`, one of them */
export const BUCKETS_BUCKET_COUNTS_ONE = 0x10;

/** `SummaryDataPoint.quantile_values` */
export const SUMMARY_POINT_QUANTILE_VALUES = 0x32;
/** `SummaryDataPoint.attributes` */
export const SUMMARY_POINT_ATTRIBUTES = 0x3a;
/** `SummaryDataPoint.flags` */
export const SUMMARY_POINT_FLAGS = 0x40;

/** `SummaryDataPoint.ValueAtQuantile.quantile`, double */
export const QUANTILE_QUANTILE = 0x09;
/** `SummaryDataPoint.ValueAtQuantile.value`, double */
export const QUANTILE_VALUE = 0x11;

/** `Exemplar.time_unix_nano`, fixed64 */
export const EXEMPLAR_TIME = 0x11;
/** `Exemplar.as_double`, double */
export const EXEMPLAR_AS_DOUBLE = 0x19;
/** `Exemplar.span_id`, 8 bytes or none */
export const EXEMPLAR_SPAN_ID = 0x22;
/** `Exemplar.trace_id`, 16 bytes or none */
export const EXEMPLAR_TRACE_ID = 0x2a;
/** `Exemplar.as_int`, sfixed64 */
export const EXEMPLAR_AS_INT = 0x31;
/** `Exemplar.filtered_attributes` */
export const EXEMPLAR_FILTERED_ATTRIBUTES = 0x3a;
