import {
  AggregationTemporality,
  type ExemplarData,
  type ExponentialBucketsData,
  type ExponentialHistogramPointData,
  type HistogramPointData,
  type MetricData,
  type MetricNumber,
  type NumberPointData,
  type PointData,
  type QuantileData,
  type SummaryPointData,
} from '../data/metric.ts';
import { decodeMetrics } from '../decode/metrics.ts';
import type { DecodeLimits } from '../decode-limits.ts';
import { checkObject } from '../encode/checks.ts';
import { wrongMetricType } from '../encode/metric.ts';
import { isInteger } from '../encode/metric-number.ts';
import { attributesJson } from './encode-attributes.ts';
import { encodeRequestJson, type JsonNames } from './encode-request.ts';
import {
  countJson,
  doubleFieldJson,
  doubleJson,
  flagOrNothing,
  int32OrNothing,
  type Json,
  listOrNothing,
  nanosJson,
  nanosOrNothing,
  numbersOrNothing,
  optionalDoubleJson,
  spanIdOrNothing,
  textJson,
  textOrNothing,
  traceIdOrNothing,
  uint32OrNothing,
} from './encode-values.ts';

const NAMES: JsonNames = {
  resourceGroups: 'resourceMetrics',
  scopeGroups: 'scopeMetrics',
  entries: 'metrics',
};

/**
 * Encodes metrics as one OTLP `ExportMetricsServiceRequest` in JSON, on one line, in the form that
 * {@link encodeTracesJson} gives spans. Fields that have their default are left out, but for a metric's name and a
 * point's time, count and value. Groups and errors are those of {@link encodeMetrics}.
 *
 * @throws `RangeError`, `TypeError` as {@link encodeMetrics}
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 *
 * @example
 * ```ts
 * import { encodeMetricsJson } from '@tracewell/otlp';
 *
 * console.log(encodeMetricsJson([])); // {"resourceMetrics":[]}
 * ```
 */
export function encodeMetricsJson(metrics: Iterable<MetricData>): string {
  return encodeRequestJson(metrics, 'metrics', NAMES, metricJson);
}

/**
 * Translates an OTLP metrics request from protobuf to JSON, on one line.
 *
 * @throws `TracewellError` as {@link decodeMetrics}
 *
 * @example
 * ```ts
 * import { metricsToJson } from '@tracewell/otlp';
 *
 * console.log(metricsToJson(new Uint8Array())); // {"resourceMetrics":[]}
 * ```
 */
export function metricsToJson(bytes: Uint8Array, limits?: DecodeLimits): string {
  return encodeMetricsJson(decodeMetrics(bytes, limits));
}

function metricJson(metric: MetricData): Json {
  return {
    name: textJson(metric.name, 'name'),
    description: textOrNothing(metric.description, 'description'),
    unit: textOrNothing(metric.unit, 'unit'),
    ...dataJson(metric),
    metadata: attributesJson(metric.metadata, 'metadata'),
  };
}

function dataJson(metric: MetricData): Json {
  switch (metric.type) {
    case 'gauge':
      return { gauge: { dataPoints: listOrNothing(metric.points, 'points', numberPointJson) } };
    case 'sum':
      return {
        sum: {
          dataPoints: listOrNothing(metric.points, 'points', numberPointJson),
          aggregationTemporality: temporalityJson(metric.temporality),
          isMonotonic: flagOrNothing(metric.isMonotonic, 'isMonotonic'),
        },
      };
    case 'histogram':
      return {
        histogram: {
          dataPoints: listOrNothing(metric.points, 'points', histogramPointJson),
          aggregationTemporality: temporalityJson(metric.temporality),
        },
      };
    case 'exponentialHistogram':
      return {
        exponentialHistogram: {
          dataPoints: listOrNothing(metric.points, 'points', exponentialHistogramPointJson),
          aggregationTemporality: temporalityJson(metric.temporality),
        },
      };
    case 'summary':
      return { summary: { dataPoints: listOrNothing(metric.points, 'points', summaryPointJson) } };
    default:
      throw wrongMetricType(metric);
  }
}

function temporalityJson(temporality: number): number | undefined {
  return uint32OrNothing(temporality, 'temporality', AggregationTemporality.CUMULATIVE);
}

function pointJson(point: PointData): Json {
  return {
    attributes: attributesJson(point.attributes, 'attributes'),
    startTimeUnixNano: nanosOrNothing(point.startTimeUnixNanos, 'startTimeUnixNanos'),
    timeUnixNano: nanosJson(point.timeUnixNanos, 'timeUnixNanos'),
    flags: uint32OrNothing(point.flags, 'flags'),
  };
}

function numberPointJson(point: NumberPointData): Json {
  return {
    ...pointJson(point),
    ...valueJson(point.value),
    exemplars: listOrNothing(point.exemplars, 'exemplars', exemplarJson),
  };
}

function histogramPointJson(point: HistogramPointData): Json {
  return {
    ...pointJson(point),
    ...distributionJson(point),
    bucketCounts: numbersOrNothing(point.bucketCounts, 'bucketCounts', countJson),
    explicitBounds: numbersOrNothing(point.explicitBounds, 'explicitBounds', doubleFieldJson),
  };
}

function exponentialHistogramPointJson(point: ExponentialHistogramPointData): Json {
  return {
    ...pointJson(point),
    ...distributionJson(point),
    scale: int32OrNothing(point.scale, 'scale'),
    zeroCount: countJson(point.zeroCount, 'zeroCount'),
    zeroThreshold: doubleFieldJson(point.zeroThreshold, 'zeroThreshold'),
    positive: bucketsJson(point.positive, 'positive'),
    negative: bucketsJson(point.negative, 'negative'),
  };
}

function distributionJson(point: HistogramPointData | ExponentialHistogramPointData): Json {
  return {
    count: countJson(point.count, 'count'),
    sum: optionalDoubleJson(point.sum, 'sum'),
    min: optionalDoubleJson(point.min, 'min'),
    max: optionalDoubleJson(point.max, 'max'),
    exemplars: listOrNothing(point.exemplars, 'exemplars', exemplarJson),
  };
}

function bucketsJson(buckets: ExponentialBucketsData, name: string): Json {
  checkObject(buckets, name);
  return {
    offset: int32OrNothing(buckets.offset, `${name}.offset`),
    bucketCounts: numbersOrNothing(buckets.bucketCounts, `${name}.bucketCounts`, countJson),
  };
}

function summaryPointJson(point: SummaryPointData): Json {
  return {
    ...pointJson(point),
    count: countJson(point.count, 'count'),
    sum: doubleFieldJson(point.sum, 'sum'),
    quantileValues: listOrNothing(point.quantileValues, 'quantileValues', quantileJson),
  };
}

function quantileJson({ quantile, value }: QuantileData): Json {
  return { quantile: doubleFieldJson(quantile, 'quantile'), value: doubleFieldJson(value, 'value') };
}

function exemplarJson(exemplar: ExemplarData): Json {
  return {
    filteredAttributes: attributesJson(exemplar.filteredAttributes, 'filteredAttributes'),
    timeUnixNano: nanosJson(exemplar.timeUnixNanos, 'timeUnixNanos'),
    ...valueJson(exemplar.value),
    spanId: spanIdOrNothing(exemplar.spanId, 'spanId'),
    traceId: traceIdOrNothing(exemplar.traceId, 'traceId'),
  };
}

function valueJson(value: MetricNumber): Json {
  if (value === undefined) return {};
  return isInteger(value) ? { asInt: String(value) } : { asDouble: doubleJson(Number(value)) };
}
