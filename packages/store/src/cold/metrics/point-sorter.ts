import {
  decodeDataPoint,
  decodeMetricHead,
  decodeResource,
  decodeScope,
  METRIC_TYPES,
  MetricScanner,
  type MetricType,
} from '@tracewell/otlp';
import { type SeriesId, seriesId } from '../../hot/metrics/series-id.ts';
import { type RequestId, requestId } from '../../hot/request-id.ts';
import { ByteBuffer } from '../../parquet/byte-buffer.ts';
import { BytesDictionary } from '../../parquet/bytes-dictionary.ts';
import { GrowingUint32 } from '../../parquet/growing.ts';
import { validUtf8 } from '../attributes/key-value.ts';
import { Hours } from '../hours.ts';
import { Origins } from '../origins.ts';
import { MAX_ROWS, sortRows } from '../sort-rows.ts';

/** What the points of a metric in a request share: where it lies. */
export interface MetricOrigin {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** The number of its resource and scope. */
  readonly origin: number;
  readonly type: MetricType;
  readonly temporality: number;
  readonly isMonotonic: boolean;
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly unitStart: number;
  readonly unitEnd: number;
  readonly descriptionStart: number;
  readonly descriptionEnd: number;
  /** The number of what tells its series from others of the same labels. */
  readonly stream: number;
}

/** A series that has points here. */
interface Series {
  readonly name: Uint8Array;
  readonly id: SeriesId;
}

/**
 * Data points of many requests by the order in which a file holds them: name, series, time, request and place in it.
 * It keeps the bytes that it is given, 40 bytes for each point and an object for each metric of a request, and makes no
 * object for a point.
 */
export class PointSorter {
  readonly #scanner = new MetricScanner();
  readonly origins = new Origins();
  readonly #metrics: MetricOrigin[] = [];
  readonly #requests: RequestId[] = [];
  readonly #seen = new Set<string>();
  readonly #series: Series[] = [];
  readonly #numberOfId = new Map<string, number>();
  // Whatever tells metrics apart, as bytes; then the labels of a stream as they came, and the series that they mean.
  readonly #streams = new BytesDictionary();
  readonly #labels = new BytesDictionary();
  readonly #seriesOf = new GrowingUint32();
  readonly #key = new ByteBuffer();
  // By point.
  readonly #seriesNumber = new GrowingUint32();
  readonly #timeHigh = new GrowingUint32();
  readonly #timeLow = new GrowingUint32();
  readonly #start = new GrowingUint32();
  readonly #end = new GrowingUint32();
  readonly #metric = new GrowingUint32();
  readonly #request = new GrowingUint32();
  readonly #index = new GrowingUint32();
  readonly #hour = new GrowingUint32();
  readonly #hours = new Hours();

  /** How many points there are. */
  get count(): number {
    return this.#metric.length;
  }

  /**
   * Adds the points of an OTLP request, which must not change any more; nothing if the same bytes were added before.
   *
   * @throws `TracewellError` (`TW_DECODE_INVALID`); RangeError beyond `MAX_ROWS`
   */
  add(bytes: Uint8Array): void {
    const id = requestId(bytes);
    const key = `${id.high} ${id.low}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const requestNumber = this.#requests.push(id) - 1;
    const request = this.origins.addRequest(bytes);
    const scanner = this.#scanner;
    scanner.reset(bytes);
    let metric = -1;
    let scope = -1;
    let origin = 0;
    for (let index = 0; scanner.next(); index++) {
      if (this.count === MAX_ROWS) throw new RangeError(`more than ${MAX_ROWS} points`);
      if (scope !== scanner.scopeNumber) {
        scope = scanner.scopeNumber;
        origin = this.origins.add(request, scanner);
      }
      if (metric !== scanner.metricNumber) {
        metric = scanner.metricNumber;
        this.#metrics.push(this.#metricAt(origin));
      }
      this.#push(requestNumber, index);
    }
  }

  #push(request: number, index: number): void {
    const scanner = this.#scanner;
    this.#seriesNumber.push(this.#seriesAt(this.#metrics.at(-1)!));
    this.#timeHigh.push(scanner.timeHigh);
    this.#timeLow.push(scanner.timeLow);
    this.#start.push(scanner.pointStart);
    this.#end.push(scanner.pointEnd);
    this.#metric.push(this.#metrics.length - 1);
    this.#request.push(request);
    this.#index.push(index);
    this.#hour.push(this.#hours.of(scanner.timeLow, scanner.timeHigh));
  }

  /** The metric at which the scanner is. */
  #metricAt(origin: number): MetricOrigin {
    const scanner = this.#scanner;
    const { bytes, type, temporality, isMonotonic, nameStart, nameEnd, unitStart, unitEnd } = scanner;
    const { descriptionStart, descriptionEnd, metricStart: start, metricEnd: end } = scanner;
    const key = this.#key;
    key.length = 0;
    const append = (from: number, to: number): void => {
      // One more, so that none is told from an empty one.
      key.varint(from < 0 ? 0 : to - from + 1);
      if (from >= 0) key.appendRange(bytes, from, to);
    };
    append(scanner.resourceStart, scanner.resourceEnd);
    append(scanner.resourceSchemaStart, scanner.resourceSchemaEnd);
    append(scanner.scopeStart, scanner.scopeEnd);
    append(scanner.scopeSchemaStart, scanner.scopeSchemaEnd);
    append(nameStart, nameEnd);
    append(unitStart, unitEnd);
    key.byte(METRIC_TYPES.indexOf(type));
    key.byte(temporality);
    key.byte(isMonotonic ? 1 : 0);
    const stream = this.#streams.add(key.bytes, 0, key.length);
    return {
      bytes,
      start,
      end,
      origin,
      type,
      temporality,
      isMonotonic,
      nameStart,
      nameEnd,
      unitStart,
      unitEnd,
      descriptionStart,
      descriptionEnd,
      stream,
    };
  }

  /** The number of the series of the point at which the scanner is. Only the first of its labels is decoded. */
  #seriesAt(metric: MetricOrigin): number {
    const scanner = this.#scanner;
    if (!scanner.attributesTogether) return this.#decodeSeries(metric);
    const key = this.#key;
    key.length = 0;
    key.fixed32(metric.stream);
    key.appendRange(scanner.bytes, scanner.attributesStart, scanner.attributesEnd);
    const code = this.#labels.add(key.bytes, 0, key.length);
    if (this.#labels.isNew) this.#seriesOf.push(this.#decodeSeries(metric));
    return this.#seriesOf.values[code]!;
  }

  #decodeSeries(metric: MetricOrigin): number {
    const { bytes, type, nameStart, nameEnd } = metric;
    const scanner = this.#scanner;
    const resource = decodeResource(
      bytes,
      scanner.resourceStart,
      scanner.resourceEnd,
      scanner.resourceSchemaStart,
      scanner.resourceSchemaEnd,
    );
    const scope = decodeScope(
      bytes,
      scanner.scopeStart,
      scanner.scopeEnd,
      scanner.scopeSchemaStart,
      scanner.scopeSchemaEnd,
    );
    const head = decodeMetricHead(bytes, metric.start, metric.end, resource, scope)!;
    const { attributes } = decodeDataPoint(bytes, scanner.pointStart, scanner.pointEnd, type);
    const id = seriesId(head, attributes);
    const key = `${id.high} ${id.low}`;
    let number = this.#numberOfId.get(key);
    if (number === undefined) {
      number = this.#series.push({ name: validUtf8(bytes, nameStart, nameEnd), id }) - 1;
      this.#numberOfId.set(key, number);
    }
    return number;
  }

  /** The hours since the Unix epoch in which points were taken, ascending. */
  hours(): number[] {
    return [...new Set(this.#hour.view())].sort((a, b) => a - b);
  }

  /** The points of an hour, of hours, or all of them, by their numbers, in order. */
  sorted(isWanted: (hour: number) => boolean = () => true): Uint32Array {
    const { count } = this;
    const ranks = this.#ranks();
    const hours = this.#hour.values;
    const series = this.#seriesNumber.values;
    const counts = new Uint32Array(ranks.length + 1);
    for (let point = 0; point < count; point++) {
      if (isWanted(hours[point]!)) counts[ranks[series[point]!]! + 1]!++;
    }
    for (let rank = 1; rank < counts.length; rank++) counts[rank]! += counts[rank - 1]!;
    const order = new Uint32Array(counts.at(-1)!);
    const next = counts.slice();
    const roughly = new Float64Array(count);
    for (let point = 0; point < count; point++) {
      if (!isWanted(hours[point]!)) continue;
      order[next[ranks[series[point]!]!]!++] = point;
      const time = this.#timeHigh.values[point]! * 0x1_0000_0000 + this.#timeLow.values[point]!;
      roughly[point] = Math.min(time, LATEST);
    }
    const compare = (a: number, b: number): number => this.#compare(a, b);
    for (let rank = 0; rank < ranks.length; rank++) {
      sortRows(order.subarray(counts[rank], counts[rank + 1]), roughly, compare);
    }
    return order;
  }

  /** By number of a series: its place in the order of names, then of ids. */
  #ranks(): Uint32Array {
    const order = Array.from(this.#series, (_, number) => number).sort((a, b) => {
      const left = this.#series[a]!;
      const right = this.#series[b]!;
      return (
        Buffer.compare(left.name, right.name) || left.id.high - right.id.high || left.id.low - right.id.low
      );
    });
    const ranks = new Uint32Array(order.length);
    for (const [rank, number] of order.entries()) ranks[number] = rank;
    return ranks;
  }

  metricOf(point: number): MetricOrigin {
    return this.#metrics[this.#metric.values[point]!]!;
  }

  /** The number of the metric of a point. */
  metricNumberOf(point: number): number {
    return this.#metric.values[point]!;
  }

  seriesIdOf(point: number): SeriesId {
    return this.#series[this.#seriesNumber.values[point]!]!.id;
  }

  requestIdOf(point: number): RequestId {
    return this.#requests[this.#request.values[point]!]!;
  }

  /** The point's place in its request. */
  indexOf(point: number): number {
    return this.#index.values[point]!;
  }

  startOf(point: number): number {
    return this.#start.values[point]!;
  }

  endOf(point: number): number {
    return this.#end.values[point]!;
  }

  timeOf(point: number): bigint {
    return (BigInt(this.#timeHigh.values[point]!) << 32n) | BigInt(this.#timeLow.values[point]!);
  }

  #compare(a: number, b: number): number {
    const left = this.requestIdOf(a);
    const right = this.requestIdOf(b);
    return (
      this.#compareTimes(a, b) ||
      left.high - right.high ||
      left.low - right.low ||
      this.#index.values[a]! - this.#index.values[b]!
    );
  }

  #compareTimes(a: number, b: number): number {
    const high = this.#timeHigh.values;
    if (high[a]! > LATEST_HIGH && high[b]! > LATEST_HIGH) return 0;
    return high[a]! - high[b]! || this.#timeLow.values[a]! - this.#timeLow.values[b]!;
  }
}

/** The largest time that the file's column has, by which files are merged: later ones count as equal. */
const LATEST = 2 ** 63;
const LATEST_HIGH = 0x7fff_ffff;
