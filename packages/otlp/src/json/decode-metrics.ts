import type { ResourceData, ScopeData } from '@tracewell/plugin';
import {
  AggregationTemporality,
  type ExemplarData,
  type ExponentialBucketsData,
  type ExponentialHistogramPointData,
  type HistogramPointData,
  type MetricData,
  type MetricNumber,
  type MetricPointData,
  type MetricType,
  type NumberPointData,
  type PointData,
  type QuantileData,
  type SummaryPointData,
} from '../data/metric.ts';
import { fromDouble } from '../decode/attributes.ts';
import { spanIdOrNone, traceIdOrNone } from '../decode/ids.ts';
import { metricOf, toTemporality } from '../decode/metric.ts';
import type { DecodeLimits } from '../decode-limits.ts';
import { readAttributes } from './decode-attributes.ts';
import { type RequestNames, readRequestJson } from './decode-request.ts';
import {
  type JsonObject,
  type JsonReader,
  toEnum,
  toFlag,
  toFloat,
  toFloatOrZero,
  toHex,
  toInt32,
  toInt64,
  toObject,
  toOptionalFloat,
  toText,
  toUint32,
  toUint64,
} from './json-reader.ts';

const NAMES: RequestNames = {
  resourceGroups: ['resourceMetrics', 'resource_metrics'],
  scopeGroups: ['scopeMetrics', 'scope_metrics'],
  entries: ['metrics', 'metrics'],
};

/** What the data of each type of metric is called. */
const DATA: readonly (readonly [MetricType, camelCase: string, snakeCase: string])[] = [
  ['gauge', 'gauge', 'gauge'],
  ['sum', 'sum', 'sum'],
  ['histogram', 'histogram', 'histogram'],
  ['exponentialHistogram', 'exponentialHistogram', 'exponential_histogram'],
  ['summary', 'summary', 'summary'],
];

/**
 * Decodes an OTLP `ExportMetricsServiceRequest` from JSON, in every form that {@link decodeTracesJson} takes. What
 * comes out is what {@link decodeMetrics} makes of the same request in protobuf.
 *
 * @param json - text, or what `JSON.parse` made of it
 * @throws `TracewellError`: `TW_DECODE_INVALID` with the path of what is wrong, `TW_DECODE_TOO_DEEP`,
 * `TW_DECODE_TOO_LARGE`
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 *
 * @example
 * ```ts
 * import { decodeMetricsJson } from '@tracewell/otlp';
 *
 * const [metric] = decodeMetricsJson(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{
 *   "name":"queue.length","gauge":{"dataPoints":[{"asInt":"17"}]}}]}]}]}`);
 * if (metric?.type === 'gauge') console.log(metric.points[0]?.value); // 17
 * ```
 */
export function decodeMetricsJson(json: string | object, limits?: DecodeLimits): MetricData[] {
  const metrics: MetricData[] = [];
  readRequestJson(json, limits, NAMES, (reader, message, resource, scope) => {
    const metric = readMetric(reader, message, resource, scope);
    if (metric !== undefined) metrics.push(metric);
  });
  return metrics;
}

function readMetric(
  reader: JsonReader,
  message: JsonObject,
  resource: ResourceData,
  scope: ScopeData,
): MetricData | undefined {
  reader.countItem();
  const name = reader.read(message, 'name', 'name', toText);
  const description = reader.read(message, 'description', 'description', toText);
  const unit = reader.read(message, 'unit', 'unit', toText);
  const metadata = readAttributes(reader, message, 'metadata', 'metadata');
  let metric: MetricData | undefined;
  for (const [type, camelCase, snakeCase] of DATA) {
    const given = message[camelCase] ?? message[snakeCase];
    if (given === undefined || given === null) continue;
    if (metric !== undefined) throw reader.invalid('a metric must not be of two types');
    metric = reader.read(message, camelCase, snakeCase, (_, value) => {
      const data = toObject(reader, value);
      const temporality = reader.read(data, 'aggregationTemporality', 'aggregation_temporality', toTemporal);
      const isMonotonic = reader.read(data, 'isMonotonic', 'is_monotonic', toFlag);
      const points: MetricPointData[] = [];
      reader.each(data, 'dataPoints', 'data_points', (point) => points.push(readPoint(reader, point, type)));
      return metricOf({
        type,
        name,
        description,
        unit,
        metadata,
        temporality,
        isMonotonic,
        points,
        resource,
        scope,
      });
    });
  }
  return metric;
}

function readPoint(reader: JsonReader, message: JsonObject, type: MetricType): MetricPointData {
  reader.countItem();
  const point: PointData = {
    attributes: readAttributes(reader, message),
    startTimeUnixNanos: reader.read(message, 'startTimeUnixNano', 'start_time_unix_nano', toUint64),
    timeUnixNanos: reader.read(message, 'timeUnixNano', 'time_unix_nano', toUint64),
    flags: reader.read(message, 'flags', 'flags', toUint32),
  };
  switch (type) {
    case 'gauge':
    case 'sum':
      return { ...point, ...readNumber(reader, message) };
    case 'histogram':
      return { ...point, ...readHistogram(reader, message) };
    case 'exponentialHistogram':
      return { ...point, ...readExponentialHistogram(reader, message) };
    case 'summary':
      return { ...point, ...readSummary(reader, message) };
  }
}

/** What a point has beside what all have. */
type Rest<Point extends PointData> = Omit<Point, keyof PointData>;

function readNumber(reader: JsonReader, message: JsonObject): Rest<NumberPointData> {
  return { value: readValue(reader, message), exemplars: readExemplars(reader, message) };
}

function readHistogram(reader: JsonReader, message: JsonObject): Rest<HistogramPointData> {
  return {
    count: reader.read(message, 'count', 'count', toUint64),
    sum: reader.read(message, 'sum', 'sum', toOptionalFloat),
    min: reader.read(message, 'min', 'min', toOptionalFloat),
    max: reader.read(message, 'max', 'max', toOptionalFloat),
    bucketCounts: reader.numbers(message, 'bucketCounts', 'bucket_counts', toUint64),
    explicitBounds: reader.numbers(message, 'explicitBounds', 'explicit_bounds', toFloat),
    exemplars: readExemplars(reader, message),
  };
}

function readExponentialHistogram(
  reader: JsonReader,
  message: JsonObject,
): Rest<ExponentialHistogramPointData> {
  return {
    count: reader.read(message, 'count', 'count', toUint64),
    sum: reader.read(message, 'sum', 'sum', toOptionalFloat),
    min: reader.read(message, 'min', 'min', toOptionalFloat),
    max: reader.read(message, 'max', 'max', toOptionalFloat),
    scale: reader.read(message, 'scale', 'scale', toInt32),
    zeroCount: reader.read(message, 'zeroCount', 'zero_count', toUint64),
    zeroThreshold: reader.read(message, 'zeroThreshold', 'zero_threshold', toFloatOrZero),
    positive: reader.read(message, 'positive', 'positive', toBuckets),
    negative: reader.read(message, 'negative', 'negative', toBuckets),
    exemplars: readExemplars(reader, message),
  };
}

function toBuckets(reader: JsonReader, value: unknown): ExponentialBucketsData {
  const message = toObject(reader, value);
  return {
    offset: reader.read(message, 'offset', 'offset', toInt32),
    bucketCounts: reader.numbers(message, 'bucketCounts', 'bucket_counts', toUint64),
  };
}

function readSummary(reader: JsonReader, message: JsonObject): Rest<SummaryPointData> {
  const quantileValues: QuantileData[] = [];
  reader.each(message, 'quantileValues', 'quantile_values', (quantile) => {
    reader.countItem();
    quantileValues.push({
      quantile: reader.read(quantile, 'quantile', 'quantile', toFloatOrZero),
      value: reader.read(quantile, 'value', 'value', toFloatOrZero),
    });
  });
  return {
    count: reader.read(message, 'count', 'count', toUint64),
    sum: reader.read(message, 'sum', 'sum', toFloatOrZero),
    quantileValues,
  };
}

function readExemplars(reader: JsonReader, message: JsonObject): ExemplarData[] {
  const exemplars: ExemplarData[] = [];
  reader.each(message, 'exemplars', 'exemplars', (exemplar) => {
    reader.countItem();
    exemplars.push({
      timeUnixNanos: reader.read(exemplar, 'timeUnixNano', 'time_unix_nano', toUint64),
      value: readValue(reader, exemplar),
      filteredAttributes: readAttributes(reader, exemplar, 'filteredAttributes', 'filtered_attributes'),
      traceId: traceIdOrNone(reader.read(exemplar, 'traceId', 'trace_id', toHex)),
      spanId: spanIdOrNone(reader.read(exemplar, 'spanId', 'span_id', toHex)),
    });
  });
  return exemplars;
}

function readValue(reader: JsonReader, message: JsonObject): MetricNumber {
  const double = reader.read(message, 'asDouble', 'as_double', toOptionalFloat);
  const integer = reader.read(message, 'asInt', 'as_int', (_, value) =>
    value === undefined || value === null ? undefined : toInt64(reader, value),
  );
  if (double !== undefined && integer !== undefined) throw reader.invalid('a value must not be of two types');
  return double === undefined ? integer : fromDouble(double);
}

function toTemporal(reader: JsonReader, value: unknown): AggregationTemporality {
  return toTemporality(toEnum(reader, value, 'AGGREGATION_TEMPORALITY_', AggregationTemporality));
}
