import type { Attributes, ResourceData, ScopeData } from '@tracewell/plugin';
import {
  AggregationTemporality,
  type MetricData,
  type MetricPointData,
  type MetricType,
} from '../data/metric.ts';
import type { DecodeLimits } from '../decode-limits.ts';
import { isReservedMetricField, lastDataField, metricTypeOf } from '../wire/metric-data.ts';
import {
  DATA_IS_MONOTONIC,
  DATA_POINTS,
  DATA_TEMPORALITY,
  METRIC_DESCRIPTION,
  METRIC_METADATA,
  METRIC_NAME,
  METRIC_UNIT,
} from '../wire/metric-fields.ts';
import { type MutableAttributes, NO_ATTRIBUTES, newAttributes, readKeyValue } from './attributes.ts';
import { readPoint } from './data-point.ts';
import { openReader, releaseReader } from './lone-reader.ts';
import type { Reader } from './reader.ts';

/** What a metric is made of, whatever its type. */
export interface MetricParts {
  readonly type: MetricType;
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly metadata: Attributes;
  readonly temporality: number;
  readonly isMonotonic: boolean;
  readonly points: readonly MetricPointData[];
  readonly resource: ResourceData;
  readonly scope: ScopeData;
}

/**
 * Decodes one `Metric` message but for its points, such as {@link MetricScanner} found: its `points` are empty.
 *
 * @param start - `scanner.metricStart`
 * @param end - `scanner.metricEnd`
 * @param resource - what the metric's `resource` shall be; see {@link decodeResource}
 * @param scope - what the metric's `scope` shall be; see {@link decodeScope}
 * @returns the metric; `undefined` if it has no data of a type that OTLP knows
 * @throws `TracewellError` (`TW_DECODE_INVALID`, `TW_DECODE_TOO_DEEP`, `TW_DECODE_TOO_LARGE`)
 *
 * @example
 * ```ts
 * import { decodeDataPoint, decodeMetricHead, decodeResource, decodeScope, MetricScanner } from '@tracewell/otlp';
 *
 * const scanner = new MetricScanner();
 * const { bytes } = scanner;
 * scanner.reset(bytes);
 * while (scanner.next()) {
 *   const resource = decodeResource(bytes, scanner.resourceStart, scanner.resourceEnd);
 *   const scope = decodeScope(bytes, scanner.scopeStart, scanner.scopeEnd);
 *   const metric = decodeMetricHead(bytes, scanner.metricStart, scanner.metricEnd, resource, scope);
 *   const point = decodeDataPoint(bytes, scanner.pointStart, scanner.pointEnd, scanner.type);
 *   console.log(metric?.name, point.timeUnixNanos);
 * }
 * ```
 */
export function decodeMetricHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  resource: ResourceData,
  scope: ScopeData,
  limits?: DecodeLimits,
): MetricData | undefined {
  const reader = openReader(bytes, start, limits);
  try {
    return readMetric(reader, end, resource, scope, false);
  } finally {
    releaseReader();
  }
}

/**
 * Decodes one data point, such as {@link MetricScanner} found.
 *
 * @param start - `scanner.pointStart`
 * @param end - `scanner.pointEnd`
 * @param type - `scanner.type`
 * @throws `TracewellError` (`TW_DECODE_INVALID`, `TW_DECODE_TOO_DEEP`, `TW_DECODE_TOO_LARGE`)
 *
 * @example
 * ```ts
 * import { decodeDataPoint } from '@tracewell/otlp';
 *
 * const point = decodeDataPoint(new Uint8Array(), 0, 0, 'gauge');
 * console.log(point.timeUnixNanos); // 0n
 * ```
 */
export function decodeDataPoint<Type extends MetricType>(
  bytes: Uint8Array,
  start: number,
  end: number,
  type: Type,
  limits?: DecodeLimits,
): Extract<MetricData, { type: Type }>['points'][number] {
  const reader = openReader(bytes, start, limits);
  try {
    // What a point is follows from the type, which the compiler cannot see.
    return readPoint(reader, end, type) as never;
  } finally {
    releaseReader();
  }
}

/** Reads one `Metric` message up to `end`; `undefined` if it has no data of a type that OTLP knows. */
export function readMetric(
  reader: Reader,
  end: number,
  resource: ResourceData,
  scope: ScopeData,
  withPoints = true,
): MetricData | undefined {
  reader.countItem();
  let name = '';
  let description = '';
  let unit = '';
  let metadata: MutableAttributes | undefined;
  let data: MetricDataBuilder | undefined;
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case METRIC_NAME:
        name = reader.repeatedString(end);
        break;
      case METRIC_DESCRIPTION:
        description = reader.repeatedString(end);
        break;
      case METRIC_UNIT:
        unit = reader.repeatedString(end);
        break;
      case METRIC_METADATA:
        metadata ??= newAttributes();
        readKeyValue(reader, reader.open(end), metadata, 0);
        break;
      default: {
        const type = metricTypeOf(key);
        if (type !== undefined) {
          // The types exclude each other and the last one counts; parts of the same are merged.
          if (data?.type !== type) data = { type, temporality: 0, isMonotonic: false, points: [] };
          readData(reader, reader.open(end), data, withPoints);
        } else if (isReservedMetricField(key >>> 3)) {
          reader.skip(key, end, 0, 0);
        } else {
          reader.skip(key, end, 1, 12);
        }
      }
    }
  }
  if (data === undefined) return undefined;
  return metricOf({ ...data, name, description, unit, metadata: metadata ?? NO_ATTRIBUTES, resource, scope });
}

/** The data of a metric while it is being read. */
interface MetricDataBuilder {
  readonly type: MetricType;
  temporality: number;
  isMonotonic: boolean;
  readonly points: MetricPointData[];
}

function readData(reader: Reader, end: number, data: MetricDataBuilder, withPoints: boolean): void {
  const lastField = lastDataField(data.type);
  while (reader.at < end) {
    const key = reader.key(end);
    if (key === DATA_POINTS) {
      const pointEnd = reader.open(end);
      if (withPoints) data.points.push(readPoint(reader, pointEnd, data.type));
      else reader.at = pointEnd;
    } else if (key === DATA_TEMPORALITY && lastField >= 2) {
      data.temporality = reader.uint32(end);
    } else if (key === DATA_IS_MONOTONIC && lastField >= 3) {
      data.isMonotonic = reader.bool(end);
    } else {
      reader.skip(key, end, 1, lastField);
    }
  }
}

/** Makes a metric of its parts; its points must be of its type. */
export function metricOf(parts: MetricParts): MetricData {
  const { type, name, description, unit, metadata, isMonotonic, resource, scope } = parts;
  const head = { name, description, unit, metadata, resource, scope };
  const temporality = toTemporality(parts.temporality);
  const points = parts.points as never;
  switch (type) {
    case 'gauge':
    case 'summary':
      return { type, ...head, points };
    case 'sum':
      return { type, ...head, temporality, isMonotonic, points };
    case 'histogram':
    case 'exponentialHistogram':
      return { type, ...head, temporality, points };
  }
}

/** The temporality of a number on the wire; one that OTLP does not know is unspecified. */
export function toTemporality(value: number): AggregationTemporality {
  const { CUMULATIVE, UNSPECIFIED } = AggregationTemporality;
  return value >= 0 && value <= CUMULATIVE ? (value as AggregationTemporality) : UNSPECIFIED;
}
