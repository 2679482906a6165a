import type { MetricType } from '../data/metric.ts';
import { invalidAt } from '../decode-error.ts';
import {
  fixedEnd,
  keyAt,
  lengthAt,
  refuseKnown,
  skipUnknown,
  varintEnd,
  varintHigh,
  varintLow,
} from '../wire/checked.ts';
import { isReservedMetricField, lastDataField, metricTypeOf } from '../wire/metric-data.ts';
import {
  DATA_IS_MONOTONIC,
  DATA_POINTS,
  DATA_TEMPORALITY,
  METRIC_DESCRIPTION,
  METRIC_METADATA,
  METRIC_NAME,
  METRIC_UNIT,
  NUMBER_POINT_AS_DOUBLE,
  NUMBER_POINT_AS_INT,
  POINT_COUNT,
  POINT_START_TIME,
  POINT_SUM,
  POINT_TIME,
} from '../wire/metric-fields.ts';
import { readFixed32 } from '../wire/read.ts';
import { WIRE_BYTES } from '../wire/wire-types.ts';
import { POINT_LAYOUTS, type PointLayout } from './point-layouts.ts';
import { entryStart, fieldEnd, RequestScanner } from './request-scanner.ts';

/**
 * Walks the data points of an OTLP metrics request where they lie, as {@link TraceScanner} walks spans: a cursor
 * whose fields are numbers, most of them offsets into the bytes. {@link decodeMetricHead} and
 * {@link decodeDataPoint} turn what is wanted into plain data later.
 *
 * What it checks: the frame of every message down to the fields of each point, and of the resources. It does not
 * look into attributes, exemplars, buckets and quantiles: {@link validateMetrics} does, and bytes that come from
 * outside should go through that first.
 *
 * @example
 * ```ts
 * import { MetricScanner } from '@tracewell/otlp';
 *
 * const scanner = new MetricScanner();
 * scanner.reset(Uint8Array.of(0x0a, 0x00)); // a request with one ResourceMetrics, empty
 * let points = 0;
 * while (scanner.next()) points++;
 * console.log(points); // 0
 * ```
 */
export class MetricScanner extends RequestScanner {
  /** Counts the metrics of the request that have data, from 0: points with the same number share a metric. */
  metricNumber = -1;
  /** The `Metric` message. */
  metricStart = -1;
  metricEnd = -1;
  /** The UTF-8 bytes of the metric's name; an empty range if there is none. */
  nameStart = 0;
  nameEnd = 0;
  /** The UTF-8 bytes of the metric's description; an empty range if there is none. */
  descriptionStart = 0;
  descriptionEnd = 0;
  /** The UTF-8 bytes of the metric's unit; an empty range if there is none. */
  unitStart = 0;
  unitEnd = 0;
  type: MetricType = 'gauge';
  /** One of the numbers of `AggregationTemporality`; 0 for gauges, summaries and what OTLP does not know. */
  temporality = 0;
  /** Whether it is a sum that never falls. */
  isMonotonic = false;

  /** The message of the data point, which one is what {@link MetricScanner.type} tells. */
  pointStart = -1;
  pointEnd = -1;
  /**
   * All fields that are attributes, from the first to the last, keys and lengths and all; an empty range if there
   * are none. See {@link MetricScanner.attributesTogether}.
   */
  attributesStart = 0;
  attributesEnd = 0;
  /**
   * Whether nothing but attributes stands in that range, as with every known sender; the same bytes are then the
   * same attributes.
   */
  attributesTogether = true;
  /** From when on the point counts in nanoseconds since the Unix epoch, as unsigned 32-bit halves; 0 if unknown. */
  startTimeLow = 0;
  startTimeHigh = 0;
  /** When the point was taken in nanoseconds since the Unix epoch, as unsigned 32-bit halves. */
  timeLow = 0;
  timeHigh = 0;
  /** OTLP's flags: bit 0 says that there is no value. */
  flags = 0;
  /** The 8 bytes of the value of a gauge or sum; -1 if there is none, and for every other type. */
  valueAt = -1;
  /** Whether that value is a `double` and not an integer with sign. */
  valueIsDouble = false;
  /** How many measurements a distribution counts, as unsigned 32-bit halves; 0 for gauges and sums. */
  countLow = 0;
  countHigh = 0;
  /** The 8 bytes of the sum of a distribution, a `double`; -1 if there is none. */
  sumAt = -1;
  /** The 8 bytes of the smallest measurement of a histogram, a `double`; -1 if there is none. */
  minAt = -1;
  /** The 8 bytes of the largest measurement of a histogram, a `double`; -1 if there is none. */
  maxAt = -1;

  /** Metrics that were passed over since `reset`: they have no data of a type that OTLP knows. */
  withoutData = 0;

  // Where the walk over the points is, and where the data of the metric ends.
  #at = 0;
  #dataEnd = 0;
  #layout: PointLayout = POINT_LAYOUTS.gauge;

  override reset(bytes: Uint8Array, start?: number, end?: number): void {
    super.reset(bytes, start, end);
    this.#at = 0;
    this.#dataEnd = 0;
    this.metricNumber = -1;
    this.withoutData = 0;
  }

  /**
   * Goes to the next data point.
   *
   * @returns whether there was one
   * @throws `TracewellError` (`TW_DECODE_INVALID`) with the offset where the bytes stop making sense, also
   * for a second resource, scope or data of a metric where OTLP has one: protobuf would merge them, a range of
   * bytes cannot. `encodeMetrics(decodeMetrics(bytes))` makes one of them. (`TW_DECODE_TOO_DEEP`) for unknown
   * fields that are groups nested more than 64 deep.
   */
  next(): boolean {
    const { bytes } = this;
    for (;;) {
      while (this.#at < this.#dataEnd) {
        // The fields were checked by #readData.
        const end = this.#dataEnd;
        const key = keyAt(bytes, this.#at, end);
        const at = varintEnd(bytes, this.#at, end);
        if (key !== DATA_POINTS) {
          this.#at = skipUnknown(bytes, at, end, key, 0, 0);
          continue;
        }
        const start = varintEnd(bytes, at, end);
        this.#at = start + lengthAt(bytes, at, end);
        this.#readPoint(start, this.#at, this.#layout);
        return true;
      }
      if (!this.#nextMetric()) return false;
    }
  }

  #nextMetric(): boolean {
    const { bytes } = this;
    for (;;) {
      const at = this.entryAt;
      const end = this.entriesEnd;
      if (at < end) {
        const start = entryStart(bytes, at, end);
        const next = fieldEnd(bytes, at, end);
        this.entryAt = next;
        if (start === -1) continue;
        this.#readMetric(start, next);
        return true;
      }
      if (!this.nextScopeGroup()) return false;
    }
  }

  // Fields come in any order, so what all points of a metric share is looked up before the first of them.
  #readMetric(start: number, end: number): void {
    const { bytes } = this;
    this.nameStart = this.nameEnd = start;
    this.descriptionStart = this.descriptionEnd = start;
    this.unitStart = this.unitEnd = start;
    let type: MetricType | undefined;
    let dataStart = 0;
    let dataEnd = 0;
    for (let at = start; at < end; ) {
      const key = keyAt(bytes, at, end);
      const head = varintEnd(bytes, at, end);
      if ((key & 7) !== WIRE_BYTES || isReservedMetricField(key >>> 3) || key > METRIC_METADATA) {
        const known = isReservedMetricField(key >>> 3) ? 0 : 12;
        at = skipUnknown(bytes, head, end, key, Math.min(1, known), known);
        continue;
      }
      const body = varintEnd(bytes, head, end);
      const next = body + lengthAt(bytes, head, end);
      switch (key) {
        case METRIC_NAME:
          this.nameStart = body;
          this.nameEnd = next;
          break;
        case METRIC_DESCRIPTION:
          this.descriptionStart = body;
          this.descriptionEnd = next;
          break;
        case METRIC_UNIT:
          this.unitStart = body;
          this.unitEnd = next;
          break;
        case METRIC_METADATA:
          break;
        default:
          if (type !== undefined) throw invalidAt(at, 'two kinds of data where a metric can have one');
          type = metricTypeOf(key);
          dataStart = body;
          dataEnd = next;
      }
      at = next;
    }
    if (type === undefined) {
      this.withoutData++;
      return;
    }
    this.metricNumber++;
    this.metricStart = start;
    this.metricEnd = end;
    this.#readData(dataStart, dataEnd, type);
  }

  #readData(start: number, end: number, type: MetricType): void {
    const { bytes } = this;
    const lastField = lastDataField(type);
    let temporality = 0;
    let isMonotonic = false;
    for (let at = start; at < end; ) {
      const key = keyAt(bytes, at, end);
      at = varintEnd(bytes, at, end);
      if (key === DATA_POINTS) {
        at = varintEnd(bytes, at, end) + lengthAt(bytes, at, end);
      } else if (key === DATA_TEMPORALITY && lastField >= 2) {
        temporality = varintLow(bytes, at, end);
        at = varintEnd(bytes, at, end);
      } else if (key === DATA_IS_MONOTONIC && lastField >= 3) {
        isMonotonic = varintLow(bytes, at, end) !== 0 || varintHigh(bytes, at, end) !== 0;
        at = varintEnd(bytes, at, end);
      } else {
        at = skipUnknown(bytes, at, end, key, 1, lastField);
      }
    }
    this.type = type;
    this.temporality = temporality > 2 ? 0 : temporality;
    this.isMonotonic = isMonotonic;
    this.#layout = POINT_LAYOUTS[type];
    this.#at = start;
    this.#dataEnd = end;
  }

  // In the manner of TraceScanner, which says why.
  #readPoint(start: number, end: number, layout: PointLayout): void {
    const { bytes } = this;
    const { attributes, flags: flagsKey, min, max, isNumber, wireTypes } = layout;
    let attributesStart = start;
    let attributesEnd = start;
    let attributesTogether = true;
    let startTimeLow = 0;
    let startTimeHigh = 0;
    let timeLow = 0;
    let timeHigh = 0;
    let flags = 0;
    let valueAt = -1;
    let valueIsDouble = false;
    let countLow = 0;
    let countHigh = 0;
    let sumAt = -1;
    let minAt = -1;
    let maxAt = -1;

    for (let at = start; at < end; ) {
      const fieldStart = at;
      let key = bytes[at]!;
      if (key >= 0x80) {
        key = keyAt(bytes, at, end);
        at = varintEnd(bytes, at, end) - 1;
      }
      if (key === attributes) {
        at = varintEnd(bytes, at + 1, end) + lengthAt(bytes, at + 1, end);
        if (attributesStart === attributesEnd) attributesStart = fieldStart;
        else if (fieldStart !== attributesEnd) attributesTogether = false;
        attributesEnd = at;
      } else if (key === POINT_TIME) {
        timeLow = readFixed32(bytes, at + 1);
        timeHigh = readFixed32(bytes, at + 5);
        at = fixedEnd(at + 1, 8, end);
      } else if (key === POINT_START_TIME) {
        startTimeLow = readFixed32(bytes, at + 1);
        startTimeHigh = readFixed32(bytes, at + 5);
        at = fixedEnd(at + 1, 8, end);
      } else if (key === flagsKey) {
        flags = varintLow(bytes, at + 1, end);
        at = varintEnd(bytes, at + 1, end);
      } else if (isNumber && (key === NUMBER_POINT_AS_DOUBLE || key === NUMBER_POINT_AS_INT)) {
        valueAt = at + 1;
        valueIsDouble = key === NUMBER_POINT_AS_DOUBLE;
        at = fixedEnd(at + 1, 8, end);
      } else if (!isNumber && key === POINT_COUNT) {
        countLow = readFixed32(bytes, at + 1);
        countHigh = readFixed32(bytes, at + 5);
        at = fixedEnd(at + 1, 8, end);
      } else if (!isNumber && key === POINT_SUM) {
        sumAt = at + 1;
        at = fixedEnd(at + 1, 8, end);
      } else if (key === min) {
        minAt = at + 1;
        at = fixedEnd(at + 1, 8, end);
      } else if (key === max) {
        maxAt = at + 1;
        at = fixedEnd(at + 1, 8, end);
      } else {
        const known = wireTypes[key >>> 3] ?? 0;
        if (known !== 0 && (known & (1 << (key & 7))) === 0) refuseKnown(at + 1, key, key >>> 3, key >>> 3);
        at = skipUnknown(bytes, at + 1, end, key, 0, 0);
      }
    }

    this.pointStart = start;
    this.pointEnd = end;
    this.attributesStart = attributesStart;
    this.attributesEnd = attributesEnd;
    this.attributesTogether = attributesTogether;
    this.startTimeLow = startTimeLow;
    this.startTimeHigh = startTimeHigh;
    this.timeLow = timeLow;
    this.timeHigh = timeHigh;
    this.flags = flags;
    this.valueAt = valueAt;
    this.valueIsDouble = valueIsDouble;
    this.countLow = countLow;
    this.countHigh = countHigh;
    this.sumAt = sumAt;
    this.minAt = minAt;
    this.maxAt = maxAt;
  }
}
