import {
  decodeDataPoint,
  decodeMetricHead,
  METRIC_TYPES,
  type MetricData,
  type MetricPointData,
  type MetricType,
} from '@tracewell/otlp';
import {
  DATA_IS_MONOTONIC,
  DATA_TEMPORALITY,
  HISTOGRAM_POINT_BUCKET_COUNTS,
  HISTOGRAM_POINT_EXPLICIT_BOUNDS,
  METRIC_DESCRIPTION,
  METRIC_EXPONENTIAL_HISTOGRAM,
  METRIC_GAUGE,
  METRIC_HISTOGRAM,
  METRIC_NAME,
  METRIC_SUM,
  METRIC_SUMMARY,
  METRIC_UNIT,
  NUMBER_POINT_AS_DOUBLE,
  NUMBER_POINT_AS_INT,
  POINT_COUNT,
  POINT_START_TIME,
  POINT_SUM,
  POINT_TIME,
  QUANTILE_QUANTILE,
  QUANTILE_VALUE,
  SUMMARY_POINT_QUANTILE_VALUES,
} from '@tracewell/otlp/wire';
import { ByteBuffer } from '../../parquet/byte-buffer.ts';
import type { ParquetFile } from '../../parquet/file.ts';
import type { FlatColumn, ListColumn, MapColumn, Values } from '../../parquet/values.ts';
import { writeAttributes } from '../attributes/write-attributes.ts';
import { numbersOf, readFlat } from '../flat-column.ts';
import type { DecodedOrigins } from '../origin-messages.ts';
import { appendBytes, appendFixed64, appendFixed64Field, appendTextField, isThere } from '../text-at.ts';
import { TEMPORALITIES } from './columns.ts';
import { POINT_LAYOUTS } from './point-layout.ts';
import type { MetricHead } from './row-group.ts';

/** Some rows of a row group, all that metrics are made of but for their points. */
export interface MetricRows {
  readonly names: FlatColumn;
  readonly units: FlatColumn;
  readonly descriptions: FlatColumn;
  /** Places in `METRIC_TYPES`. */
  readonly types: Uint8Array;
  /** OTLP's numbers. */
  readonly temporalities: Uint8Array;
  readonly monotonic: FlatColumn;
  readonly metadata: FlatColumn;
}

/** Some rows of a row group, all that points and their metrics are made of. */
export interface PointRows extends MetricRows {
  readonly count: number;
  readonly times: FlatColumn;
  readonly startTimes: FlatColumn;
  readonly values: FlatColumn;
  readonly integers: FlatColumn;
  readonly counts: FlatColumn;
  readonly sums: FlatColumn;
  readonly mins: FlatColumn;
  readonly maxs: FlatColumn;
  readonly bucketCounts: ListColumn;
  readonly explicitBounds: ListColumn;
  readonly quantiles: ListColumn;
  readonly quantileValues: ListColumn;
  readonly attributes: MapColumn;
  readonly attributeTypes: Values;
  readonly flags: Int32Array;
  readonly resources: Values;
  readonly scopes: Values;
  readonly rest: FlatColumn;
}

/** Reads the rows `from` to `to` of a row group. @throws `TracewellError` (`TW_COLD_DAMAGED`) */
export function readPointRows(file: ParquetFile, group: number, from: number, to: number): PointRows {
  const flat = (name: string): FlatColumn => readFlat(file, group, name, from, to);
  const list = (name: string): ListColumn => file.readColumn(group, name, from, to) as ListColumn;
  const count = to - from;
  return {
    count,
    names: flat('name'),
    units: flat('unit'),
    descriptions: flat('description'),
    types: numbersOf(flat('type').values, METRIC_TYPES, count),
    temporalities: numbersOf(flat('temporality').values, TEMPORALITIES, count),
    monotonic: flat('is_monotonic'),
    metadata: flat('metadata'),
    times: flat('time'),
    startTimes: flat('start_time'),
    values: flat('value'),
    integers: flat('value_int'),
    counts: flat('count'),
    sums: flat('sum'),
    mins: flat('min'),
    maxs: flat('max'),
    bucketCounts: list('bucket_counts'),
    explicitBounds: list('explicit_bounds'),
    quantiles: list('quantiles'),
    quantileValues: list('quantile_values'),
    attributes: file.readColumn(group, 'attributes', from, to) as MapColumn,
    attributeTypes: flat('attribute_types').values,
    flags: flat('flags').values as Int32Array,
    resources: flat('resource').values,
    scopes: flat('scope').values,
    rest: flat('otlp'),
  };
}

/** The type of a row's metric. */
export function typeOf({ types }: MetricRows, row: number): MetricType {
  return METRIC_TYPES[types[row]!]!;
}

/**
 * Writes a row as the message of the data point that it was made of: what decodes to the same point.
 *
 * Fields come in the order in which later ones win: what the columns say first, then what `otlp` says instead or
 * beside, then attributes, of which an earlier one with the same key may be in `otlp`.
 */
export function writePointMessage(target: ByteBuffer, rows: PointRows, row: number): void {
  const { attributes, flags: flagsKey, min, max, isNumber, type } = POINT_LAYOUTS[typeOf(rows, row)];
  appendFixed64Field(target, POINT_START_TIME, rows.startTimes, row);
  appendFixed64Field(target, POINT_TIME, rows.times, row);
  if (isNumber) {
    if (isThere(rows.integers, row)) appendFixed64Field(target, NUMBER_POINT_AS_INT, rows.integers, row);
    else appendFixed64Field(target, NUMBER_POINT_AS_DOUBLE, rows.values, row);
  } else {
    appendFixed64Field(target, POINT_COUNT, rows.counts, row);
    appendFixed64Field(target, POINT_SUM, rows.sums, row);
    if (min > 0) appendFixed64Field(target, min, rows.mins, row);
    if (max > 0) appendFixed64Field(target, max, rows.maxs, row);
  }
  if (type === 'histogram') {
    appendList(target, HISTOGRAM_POINT_BUCKET_COUNTS, rows.bucketCounts, row);
    appendList(target, HISTOGRAM_POINT_EXPLICIT_BOUNDS, rows.explicitBounds, row);
  } else if (type === 'summary') appendQuantiles(target, rows, row);
  const flags = rows.flags[row]! >>> 0;
  if (flags !== 0) {
    target.byte(flagsKey);
    target.varint(flags);
  }
  appendBytes(target, rows.rest, row);
  writeAttributes(target, attributes, rows.attributes, rows.attributeTypes, row);
}

/** Numbers of 8 bytes by the halves of their bits. A column that has a dictionary is looked up in it. */
function halvesAt(values: Values, index: number, half: 0 | 1): number {
  const isCoded = 'codes' in values;
  const numbers = (isCoded ? values.dictionary : values) as Uint32Array | Float64Array;
  const at = 2 * (isCoded ? values.codes[index]! : index) + half;
  return numbers instanceof Float64Array
    ? new Uint32Array(numbers.buffer, numbers.byteOffset, 2 * numbers.length)[at]!
    : numbers[at]!;
}

function appendList(target: ByteBuffer, key: number, { offsets, elements }: ListColumn, row: number): void {
  const start = offsets[row]!;
  const end = offsets[row + 1]!;
  if (end === start) return;
  target.byte(key);
  target.varint(8 * (end - start));
  for (let index = start; index < end; index++) {
    target.fixed32(halvesAt(elements, index, 0));
    target.fixed32(halvesAt(elements, index, 1));
  }
}

function appendQuantiles(target: ByteBuffer, { quantiles, quantileValues }: PointRows, row: number): void {
  for (let index = quantiles.offsets[row]!; index < quantiles.offsets[row + 1]!; index++) {
    target.byte(SUMMARY_POINT_QUANTILE_VALUES);
    target.varint(18);
    appendFixed64(
      target,
      QUANTILE_QUANTILE,
      halvesAt(quantiles.elements, index, 0),
      halvesAt(quantiles.elements, index, 1),
    );
    appendFixed64(
      target,
      QUANTILE_VALUE,
      halvesAt(quantileValues.elements, index, 0),
      halvesAt(quantileValues.elements, index, 1),
    );
  }
}

const DATA_KEYS: Readonly<Record<MetricType, number>> = {
  gauge: METRIC_GAUGE,
  sum: METRIC_SUM,
  histogram: METRIC_HISTOGRAM,
  exponentialHistogram: METRIC_EXPONENTIAL_HISTOGRAM,
  summary: METRIC_SUMMARY,
};

const data = new ByteBuffer(16);

/** Writes the metric of a row as a `Metric` message without points; returns where its parts lie. */
export function writeMetricMessage(target: ByteBuffer, rows: MetricRows, row: number): MetricHead {
  const type = typeOf(rows, row);
  const temporality = rows.temporalities[row]!;
  const isMonotonic = isThere(rows.monotonic, row) && (rows.monotonic.values as Uint8Array)[row] === 1;
  const start = target.length;
  const [nameStart, nameEnd] = appendText(target, METRIC_NAME, rows.names, row);
  const [descriptionStart, descriptionEnd] = appendText(target, METRIC_DESCRIPTION, rows.descriptions, row);
  const [unitStart, unitEnd] = appendText(target, METRIC_UNIT, rows.units, row);
  data.length = 0;
  if (temporality !== 0) {
    data.byte(DATA_TEMPORALITY);
    data.byte(temporality);
  }
  if (isMonotonic) {
    data.byte(DATA_IS_MONOTONIC);
    data.byte(1);
  }
  target.byte(DATA_KEYS[type]);
  target.varint(data.length);
  target.append(data.written());
  appendBytes(target, rows.metadata, row);
  return {
    bytes: target.bytes,
    start,
    end: target.length,
    type,
    temporality,
    isMonotonic,
    nameStart,
    nameEnd,
    unitStart,
    unitEnd,
    descriptionStart,
    descriptionEnd,
  };
}

/** Appends the text of a row as a field; returns where the text lies. */
function appendText(
  target: ByteBuffer,
  key: number,
  column: FlatColumn,
  row: number,
): readonly [start: number, end: number] {
  const before = target.length;
  appendTextField(target, key, column, row);
  const end = target.length;
  if (end === before) return [end, end];
  // Key and length; a text may be longer than what one byte says.
  let start = before + 1;
  while (target.bytes[start]! >= 0x80) start++;
  return [start + 1, end];
}

const message = new ByteBuffer(4096);

/** The point of a row. */
export function decodePointRow(rows: PointRows, row: number): MetricPointData {
  message.length = 0;
  writePointMessage(message, rows, row);
  return decodeDataPoint(message.bytes, 0, message.length, typeOf(rows, row));
}

/** The metric of a row, without points. */
export function decodeMetricRow(rows: PointRows, row: number, origins: DecodedOrigins): MetricData {
  message.length = 0;
  const { bytes, start, end } = writeMetricMessage(message, rows, row);
  const resource = origins.resource(rows.resources, row);
  const scope = origins.scope(rows.scopes, row);
  return decodeMetricHead(bytes, start, end, resource, scope)!;
}
