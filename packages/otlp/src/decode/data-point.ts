import type {
  ExemplarData,
  ExponentialBucketsData,
  ExponentialHistogramPointData,
  HistogramPointData,
  MetricNumber,
  MetricPointData,
  MetricType,
  NumberPointData,
  QuantileData,
  SummaryPointData,
} from '../data/metric.ts';
import {
  BUCKETS_BUCKET_COUNTS,
  BUCKETS_BUCKET_COUNTS_ONE,
  BUCKETS_OFFSET,
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
  HISTOGRAM_POINT_BUCKET_COUNTS_ONE,
  HISTOGRAM_POINT_EXEMPLARS,
  HISTOGRAM_POINT_EXPLICIT_BOUNDS,
  HISTOGRAM_POINT_EXPLICIT_BOUNDS_ONE,
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
import {
  fromDouble,
  type MutableAttributes,
  NO_ATTRIBUTES,
  newAttributes,
  readKeyValue,
} from './attributes.ts';
import { NO_EXEMPLARS, readExemplar } from './exemplar.ts';
import { readPackedDoubles, readPackedFixed64, readPackedUint64 } from './number-lists.ts';
import type { Reader } from './reader.ts';

/** Reads one data point of a metric of some type up to `end`. */
export function readPoint(reader: Reader, end: number, type: MetricType): MetricPointData {
  reader.countItem();
  switch (type) {
    case 'gauge':
    case 'sum':
      return readNumberPoint(reader, end);
    case 'histogram':
      return readHistogramPoint(reader, end);
    case 'exponentialHistogram':
      return readExponentialHistogramPoint(reader, end);
    case 'summary':
      return readSummaryPoint(reader, end);
  }
}

function readNumberPoint(reader: Reader, end: number): NumberPointData {
  let attributes: MutableAttributes | undefined;
  let startTimeUnixNanos = 0n;
  let timeUnixNanos = 0n;
  let value: MetricNumber;
  let exemplars: ExemplarData[] | undefined;
  let flags = 0;
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case NUMBER_POINT_ATTRIBUTES:
        attributes ??= newAttributes();
        readKeyValue(reader, reader.open(end), attributes, 0);
        break;
      case POINT_START_TIME:
        startTimeUnixNanos = reader.fixed64(end);
        break;
      case POINT_TIME:
        timeUnixNanos = reader.fixed64(end);
        break;
      case NUMBER_POINT_AS_DOUBLE:
        value = fromDouble(reader.double(end));
        break;
      case NUMBER_POINT_AS_INT:
        value = reader.sfixed64(end);
        break;
      case NUMBER_POINT_EXEMPLARS:
        exemplars ??= [];
        exemplars.push(readExemplar(reader, reader.open(end)));
        break;
      case NUMBER_POINT_FLAGS:
        flags = reader.uint32(end);
        break;
      default:
        reader.skip(key, end, 2, 8);
    }
  }
  return {
    attributes: attributes ?? NO_ATTRIBUTES,
    startTimeUnixNanos,
    timeUnixNanos,
    flags,
    value,
    exemplars: exemplars ?? NO_EXEMPLARS,
  };
}

function readHistogramPoint(reader: Reader, end: number): HistogramPointData {
  let attributes: MutableAttributes | undefined;
  let startTimeUnixNanos = 0n;
  let timeUnixNanos = 0n;
  let flags = 0;
  let count = 0n;
  let sum: number | undefined;
  let min: number | undefined;
  let max: number | undefined;
  const bucketCounts: bigint[] = [];
  const explicitBounds: number[] = [];
  let exemplars: ExemplarData[] | undefined;
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case HISTOGRAM_POINT_ATTRIBUTES:
        attributes ??= newAttributes();
        readKeyValue(reader, reader.open(end), attributes, 0);
        break;
      case POINT_START_TIME:
        startTimeUnixNanos = reader.fixed64(end);
        break;
      case POINT_TIME:
        timeUnixNanos = reader.fixed64(end);
        break;
      case POINT_COUNT:
        count = reader.fixed64(end);
        break;
      case POINT_SUM:
        sum = reader.double(end);
        break;
      case HISTOGRAM_POINT_BUCKET_COUNTS:
        readPackedFixed64(reader, reader.open(end), bucketCounts);
        break;
      case HISTOGRAM_POINT_BUCKET_COUNTS_ONE:
        reader.countItem();
        bucketCounts.push(reader.fixed64(end));
        break;
      case HISTOGRAM_POINT_EXPLICIT_BOUNDS:
        readPackedDoubles(reader, reader.open(end), explicitBounds);
        break;
      case HISTOGRAM_POINT_EXPLICIT_BOUNDS_ONE:
        reader.countItem();
        explicitBounds.push(reader.double(end));
        break;
      case HISTOGRAM_POINT_EXEMPLARS:
        exemplars ??= [];
        exemplars.push(readExemplar(reader, reader.open(end)));
        break;
      case HISTOGRAM_POINT_FLAGS:
        flags = reader.uint32(end);
        break;
      case HISTOGRAM_POINT_MIN:
        min = reader.double(end);
        break;
      case HISTOGRAM_POINT_MAX:
        max = reader.double(end);
        break;
      default:
        reader.skip(key, end, 2, 12);
    }
  }
  return {
    attributes: attributes ?? NO_ATTRIBUTES,
    startTimeUnixNanos,
    timeUnixNanos,
    flags,
    count,
    sum,
    min,
    max,
    bucketCounts,
    explicitBounds,
    exemplars: exemplars ?? NO_EXEMPLARS,
  };
}

function readExponentialHistogramPoint(reader: Reader, end: number): ExponentialHistogramPointData {
  let attributes: MutableAttributes | undefined;
  let startTimeUnixNanos = 0n;
  let timeUnixNanos = 0n;
  let flags = 0;
  let count = 0n;
  let sum: number | undefined;
  let min: number | undefined;
  let max: number | undefined;
  let scale = 0;
  let zeroCount = 0n;
  let zeroThreshold = 0;
  let positive = newBuckets();
  let negative = newBuckets();
  let exemplars: ExemplarData[] | undefined;
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case EXPONENTIAL_POINT_ATTRIBUTES:
        attributes ??= newAttributes();
        readKeyValue(reader, reader.open(end), attributes, 0);
        break;
      case POINT_START_TIME:
        startTimeUnixNanos = reader.fixed64(end);
        break;
      case POINT_TIME:
        timeUnixNanos = reader.fixed64(end);
        break;
      case POINT_COUNT:
        count = reader.fixed64(end);
        break;
      case POINT_SUM:
        sum = reader.double(end);
        break;
      case EXPONENTIAL_POINT_SCALE:
        scale = reader.sint32(end);
        break;
      case EXPONENTIAL_POINT_ZERO_COUNT:
        zeroCount = reader.fixed64(end);
        break;
      case EXPONENTIAL_POINT_POSITIVE:
        positive = readBuckets(reader, reader.open(end), positive);
        break;
      case EXPONENTIAL_POINT_NEGATIVE:
        negative = readBuckets(reader, reader.open(end), negative);
        break;
      case EXPONENTIAL_POINT_FLAGS:
        flags = reader.uint32(end);
        break;
      case EXPONENTIAL_POINT_EXEMPLARS:
        exemplars ??= [];
        exemplars.push(readExemplar(reader, reader.open(end)));
        break;
      case EXPONENTIAL_POINT_MIN:
        min = reader.double(end);
        break;
      case EXPONENTIAL_POINT_MAX:
        max = reader.double(end);
        break;
      case EXPONENTIAL_POINT_ZERO_THRESHOLD:
        zeroThreshold = reader.double(end);
        break;
      default:
        reader.skip(key, end, 1, 14);
    }
  }
  return {
    attributes: attributes ?? NO_ATTRIBUTES,
    startTimeUnixNanos,
    timeUnixNanos,
    flags,
    count,
    sum,
    min,
    max,
    scale,
    zeroCount,
    zeroThreshold,
    positive,
    negative,
    exemplars: exemplars ?? NO_EXEMPLARS,
  };
}

function readSummaryPoint(reader: Reader, end: number): SummaryPointData {
  let attributes: MutableAttributes | undefined;
  let startTimeUnixNanos = 0n;
  let timeUnixNanos = 0n;
  let flags = 0;
  let count = 0n;
  let sum = 0;
  const quantileValues: QuantileData[] = [];
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case SUMMARY_POINT_ATTRIBUTES:
        attributes ??= newAttributes();
        readKeyValue(reader, reader.open(end), attributes, 0);
        break;
      case POINT_START_TIME:
        startTimeUnixNanos = reader.fixed64(end);
        break;
      case POINT_TIME:
        timeUnixNanos = reader.fixed64(end);
        break;
      case POINT_COUNT:
        count = reader.fixed64(end);
        break;
      case POINT_SUM:
        sum = reader.double(end);
        break;
      case SUMMARY_POINT_QUANTILE_VALUES:
        quantileValues.push(readQuantile(reader, reader.open(end)));
        break;
      case SUMMARY_POINT_FLAGS:
        flags = reader.uint32(end);
        break;
      default:
        reader.skip(key, end, 2, 8);
    }
  }
  return {
    attributes: attributes ?? NO_ATTRIBUTES,
    startTimeUnixNanos,
    timeUnixNanos,
    flags,
    count,
    sum,
    quantileValues,
  };
}

interface BucketsBuilder extends ExponentialBucketsData {
  readonly bucketCounts: bigint[];
}

function newBuckets(): BucketsBuilder {
  return { offset: 0, bucketCounts: [] };
}

// Buckets that come in two parts are merged: the counts are a list that goes on.
function readBuckets(reader: Reader, end: number, before: BucketsBuilder): BucketsBuilder {
  let { offset } = before;
  const { bucketCounts } = before;
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case BUCKETS_OFFSET:
        offset = reader.sint32(end);
        break;
      case BUCKETS_BUCKET_COUNTS:
        readPackedUint64(reader, reader.open(end), bucketCounts);
        break;
      case BUCKETS_BUCKET_COUNTS_ONE:
        reader.countItem();
        bucketCounts.push(reader.uint64(end));
        break;
      default:
        reader.skip(key, end, 1, 2);
    }
  }
  return { offset, bucketCounts };
}

function readQuantile(reader: Reader, end: number): QuantileData {
  reader.countItem();
  let quantile = 0;
  let value = 0;
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case QUANTILE_QUANTILE:
        quantile = reader.double(end);
        break;
      case QUANTILE_VALUE:
        value = reader.double(end);
        break;
      default:
        reader.skip(key, end, 1, 2);
    }
  }
  return { quantile, value };
}
