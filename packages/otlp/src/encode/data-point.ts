import type {
  ExemplarData,
  ExponentialBucketsData,
  ExponentialHistogramPointData,
  HistogramPointData,
  NumberPointData,
  PointData,
  QuantileData,
  SummaryPointData,
} from '../data/metric.ts';
import {
  BUCKETS_BUCKET_COUNTS,
  BUCKETS_OFFSET,
  DATA_POINTS,
  EXEMPLAR_AS_DOUBLE,
  EXEMPLAR_AS_INT,
  EXEMPLAR_FILTERED_ATTRIBUTES,
  EXEMPLAR_SPAN_ID,
  EXEMPLAR_TIME,
  EXEMPLAR_TRACE_ID,
  EXPONENTIAL_POINT_ATTRIBUTES,
  EXPONENTIAL_POINT_EXEMPLARS,
  EXPONENTIAL_POINT_FLAGS,
  EXPONENTIAL_POINT_MAX,
  EXPONENTIAL_POINT_MIN,
  EXPONENTIAL_POINT_NEGATIVE,
  EXPONENTIAL_POINT_POSITIVE,
  EXPONENTIAL_POINT_SCALE,
  EXPONENTIAL_POINT_ZERO_COUNT,
  EXPONENTIAL_POINT_ZERO_THRESHOLD,
  HISTOGRAM_POINT_ATTRIBUTES,
  HISTOGRAM_POINT_BUCKET_COUNTS,
  HISTOGRAM_POINT_EXEMPLARS,
  HISTOGRAM_POINT_EXPLICIT_BOUNDS,
  HISTOGRAM_POINT_FLAGS,
  HISTOGRAM_POINT_MAX,
  HISTOGRAM_POINT_MIN,
  NUMBER_POINT_AS_DOUBLE,
  NUMBER_POINT_AS_INT,
  NUMBER_POINT_ATTRIBUTES,
  NUMBER_POINT_EXEMPLARS,
  NUMBER_POINT_FLAGS,
  POINT_COUNT,
  POINT_START_TIME,
  POINT_SUM,
  POINT_TIME,
  QUANTILE_QUANTILE,
  QUANTILE_VALUE,
  SUMMARY_POINT_ATTRIBUTES,
  SUMMARY_POINT_FLAGS,
  SUMMARY_POINT_QUANTILE_VALUES,
} from '../wire/metric-fields.ts';
import { writeAttributes } from './attributes.ts';
import { checkObject } from './checks.ts';
import { writeList } from './list.ts';
import { writeMetricNumber } from './metric-number.ts';
import { writePackedCounts, writePackedDoubles, writePackedFixed64 } from './number-lists.ts';
import {
  writeCountField,
  writeDoubleField,
  writeIdField,
  writeOptionalDouble,
  writeSint32Field,
  writeTimeField,
  writeUint32Field,
} from './primitive-fields.ts';
import type { Writer } from './writer.ts';

/** Appends a point of a gauge or a sum. */
export function writeNumberPoint(writer: Writer, at: number, point: NumberPointData): number {
  const start = openPoint(writer, at);
  let end = writePointTimes(writer, start, point);
  end = writeMetricNumber(writer, end, NUMBER_POINT_AS_DOUBLE, NUMBER_POINT_AS_INT, point.value);
  end = writeExemplars(writer, end, NUMBER_POINT_EXEMPLARS, point.exemplars);
  end = writeAttributes(writer, end, NUMBER_POINT_ATTRIBUTES, point.attributes, 'attributes');
  end = writeUint32Field(writer, end, NUMBER_POINT_FLAGS, point.flags, 'flags');
  return writer.close(start, end, 1);
}

/** Appends a point of a histogram. */
export function writeHistogramPoint(writer: Writer, at: number, point: HistogramPointData): number {
  const start = openPoint(writer, at);
  let end = writePointTimes(writer, start, point);
  end = writeCountField(writer, end, POINT_COUNT, point.count, 'count');
  end = writeOptionalDouble(writer, end, POINT_SUM, point.sum, 'sum');
  end = writePackedFixed64(writer, end, HISTOGRAM_POINT_BUCKET_COUNTS, point.bucketCounts, 'bucketCounts');
  end = writePackedDoubles(
    writer,
    end,
    HISTOGRAM_POINT_EXPLICIT_BOUNDS,
    point.explicitBounds,
    'explicitBounds',
  );
  end = writeExemplars(writer, end, HISTOGRAM_POINT_EXEMPLARS, point.exemplars);
  end = writeAttributes(writer, end, HISTOGRAM_POINT_ATTRIBUTES, point.attributes, 'attributes');
  end = writeUint32Field(writer, end, HISTOGRAM_POINT_FLAGS, point.flags, 'flags');
  end = writeOptionalDouble(writer, end, HISTOGRAM_POINT_MIN, point.min, 'min');
  end = writeOptionalDouble(writer, end, HISTOGRAM_POINT_MAX, point.max, 'max');
  return writer.close(start, end, 1);
}

/** Appends a point of an exponential histogram. */
export function writeExponentialHistogramPoint(
  writer: Writer,
  at: number,
  point: ExponentialHistogramPointData,
): number {
  const start = openPoint(writer, at);
  const { zeroThreshold } = point;
  let end = writeAttributes(writer, start, EXPONENTIAL_POINT_ATTRIBUTES, point.attributes, 'attributes');
  end = writePointTimes(writer, end, point);
  end = writeCountField(writer, end, POINT_COUNT, point.count, 'count');
  end = writeOptionalDouble(writer, end, POINT_SUM, point.sum, 'sum');
  end = writeSint32Field(writer, end, EXPONENTIAL_POINT_SCALE, point.scale, 'scale');
  end = writeCountField(writer, end, EXPONENTIAL_POINT_ZERO_COUNT, point.zeroCount, 'zeroCount');
  end = writeBuckets(writer, end, EXPONENTIAL_POINT_POSITIVE, point.positive, 'positive');
  end = writeBuckets(writer, end, EXPONENTIAL_POINT_NEGATIVE, point.negative, 'negative');
  end = writeUint32Field(writer, end, EXPONENTIAL_POINT_FLAGS, point.flags, 'flags');
  end = writeExemplars(writer, end, EXPONENTIAL_POINT_EXEMPLARS, point.exemplars);
  end = writeOptionalDouble(writer, end, EXPONENTIAL_POINT_MIN, point.min, 'min');
  end = writeOptionalDouble(writer, end, EXPONENTIAL_POINT_MAX, point.max, 'max');
  end = writeDoubleField(writer, end, EXPONENTIAL_POINT_ZERO_THRESHOLD, zeroThreshold, 'zeroThreshold');
  return writer.close(start, end, 1);
}

/** Appends a point of a summary. */
export function writeSummaryPoint(writer: Writer, at: number, point: SummaryPointData): number {
  const start = openPoint(writer, at);
  let end = writePointTimes(writer, start, point);
  end = writeCountField(writer, end, POINT_COUNT, point.count, 'count');
  end = writeDoubleField(writer, end, POINT_SUM, point.sum, 'sum');
  end = writeList(writer, end, point.quantileValues, 'quantileValues', writeQuantile);
  end = writeAttributes(writer, end, SUMMARY_POINT_ATTRIBUTES, point.attributes, 'attributes');
  end = writeUint32Field(writer, end, SUMMARY_POINT_FLAGS, point.flags, 'flags');
  return writer.close(start, end, 1);
}

function openPoint(writer: Writer, at: number): number {
  writer.room(at, 2)[at] = DATA_POINTS;
  return at + 2;
}

function writePointTimes(writer: Writer, at: number, point: PointData): number {
  const end = writeTimeField(writer, at, POINT_START_TIME, point.startTimeUnixNanos, 'startTimeUnixNanos');
  return writeTimeField(writer, end, POINT_TIME, point.timeUnixNanos, 'timeUnixNanos');
}

function writeQuantile(writer: Writer, at: number, { quantile, value }: QuantileData): number {
  writer.room(at, 2)[at] = SUMMARY_POINT_QUANTILE_VALUES;
  const start = at + 2;
  let end = writeDoubleField(writer, start, QUANTILE_QUANTILE, quantile, 'quantile');
  end = writeDoubleField(writer, end, QUANTILE_VALUE, value, 'value');
  return writer.close(start, end, 1);
}

function writeBuckets(
  writer: Writer,
  at: number,
  key: number,
  buckets: ExponentialBucketsData,
  name: string,
): number {
  checkObject(buckets, name);
  writer.room(at, 2)[at] = key;
  const start = at + 2;
  let end = writeSint32Field(writer, start, BUCKETS_OFFSET, buckets.offset, `${name}.offset`);
  end = writePackedCounts(writer, end, BUCKETS_BUCKET_COUNTS, buckets.bucketCounts, `${name}.bucketCounts`);
  return end === start ? at : writer.close(start, end, 1);
}

function writeExemplars(writer: Writer, at: number, key: number, exemplars: readonly ExemplarData[]): number {
  return writeList(writer, at, exemplars, 'exemplars', (_, start, exemplar) =>
    writeExemplar(writer, start, key, exemplar),
  );
}

function writeExemplar(writer: Writer, at: number, key: number, exemplar: ExemplarData): number {
  writer.room(at, 2)[at] = key;
  const start = at + 2;
  const { filteredAttributes } = exemplar;
  let end = writeTimeField(writer, start, EXEMPLAR_TIME, exemplar.timeUnixNanos, 'timeUnixNanos');
  end = writeMetricNumber(writer, end, EXEMPLAR_AS_DOUBLE, EXEMPLAR_AS_INT, exemplar.value);
  end = writeIdField(writer, end, EXEMPLAR_SPAN_ID, writer.spanIds, exemplar.spanId, 'spanId');
  end = writeIdField(writer, end, EXEMPLAR_TRACE_ID, writer.traceIds, exemplar.traceId, 'traceId');
  end = writeAttributes(writer, end, EXEMPLAR_FILTERED_ATTRIBUTES, filteredAttributes, 'filteredAttributes');
  return writer.close(start, end, 1);
}
