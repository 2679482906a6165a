import {
  decodeDataPoint,
  decodeMetricHead,
  decodeResource,
  decodeScope,
  encodeMetrics,
  METRIC_TYPES,
  type MetricData,
  MetricScanner,
} from '@tracewell/otlp';
import { readUtf8 } from '@tracewell/otlp/wire';
import type { Attributes, ResourceData, ScopeData } from '@tracewell/plugin';
import { ByteDictionary, DICTIONARY_FULL } from '../byte-dictionary.ts';
import { type SeriesId, seriesId } from './series-id.ts';

/** The number that stands for a series, or a stream, that is not known and may not be entered. */
export const NO_SERIES = DICTIONARY_FULL;

// What a decoded metric takes as an object, with its texts.
const HEAD_BYTES = 400;
const ANY_NUMBER = 2 ** 31;
const MAX_BYTES = 2 ** 31;

/**
 * Numbers the series of an open store, 0, 1, 2 …, and keeps of each what a query asks for, once: its metric without
 * points, and its labels as they came.
 *
 * A point is matched by bytes, in three steps: resource and scope give an origin; within it, type, name and unit give
 * a stream; within that, the labels give the series. Senders write them the same each time, so that only the first
 * point of a series is decoded. Those that write the same in several ways (attributes in another order) have several
 * streams, or several entries for its labels, of one series: it is known by its {@link SeriesId}.
 */
export class SeriesTable {
  readonly #origins = new ByteDictionary(ANY_NUMBER, MAX_BYTES);
  /** What was decoded of each origin: the streams of a process share it. */
  readonly #originData: Origin[] = [];
  /** Grouped by origin. */
  readonly #streams = new ByteDictionary(ANY_NUMBER, MAX_BYTES);
  /** Grouped by stream. */
  readonly #labels = new ByteDictionary(ANY_NUMBER, MAX_BYTES);
  /** The id of each series, by its number. */
  readonly #ids = new ByteDictionary(ANY_NUMBER, MAX_BYTES);
  readonly #heads: MetricData[] = [];
  /** As UTF-8: what a head's description was decoded from. */
  readonly #descriptions: Uint8Array[] = [];
  /** The series of an entry of `#labels`. */
  #seriesOf = new Uint32Array(16);
  /** The first entry of `#labels` that a series had. */
  #labelsOf = new Uint32Array(16);
  #scratch = Buffer.alloc(256);
  /** The entry of `#labels` that was asked for last. */
  #lastEntry = -1;

  /** How many series there are. */
  get size(): number {
    return this.#ids.size;
  }

  /** How many streams there are. */
  get streamCount(): number {
    return this.#heads.length;
  }

  /**
   * The stream of the point at which a scanner is.
   *
   * @param enter - whether it is entered if it is not known; otherwise it is {@link NO_SERIES} then
   */
  stream(scanner: MetricScanner, enter: boolean): number {
    const spare = enter ? 0 : ANY_NUMBER;
    const { bytes } = scanner;
    let length = this.#putOrigin(scanner);
    const origin = this.#origins.add(0, this.#scratch, 0, length, spare);
    if (origin === NO_SERIES) return NO_SERIES;
    this.#originData[origin] ??= readOrigin(scanner);
    length = this.#putStream(scanner);
    const known = this.#heads.length;
    const stream = this.#streams.add(origin, this.#scratch, 0, length, spare);
    if (stream === NO_SERIES) return NO_SERIES;
    const description = bytes.subarray(scanner.descriptionStart, scanner.descriptionEnd);
    if (stream === known || !sameBytes(description, this.#descriptions[stream]!)) {
      const { resource, scope } = this.#originData[origin]!;
      // A point was found in it, so it has data.
      this.#heads[stream] = decodeMetricHead(bytes, scanner.metricStart, scanner.metricEnd, resource, scope)!;
      this.#descriptions[stream] = description.slice();
    }
    return stream;
  }

  /**
   * The series of the point at which a scanner is, whose stream is known.
   *
   * @param enter - whether it is entered if it is not known; otherwise it is {@link NO_SERIES} then
   */
  series(stream: number, scanner: MetricScanner, enter: boolean): number {
    let { bytes, attributesStart, attributesEnd } = scanner;
    if (!scanner.attributesTogether) {
      bytes = this.#gatherLabels(stream, scanner);
      attributesStart = 0;
      attributesEnd = bytes.length;
    }
    // Senders go through their series in the same order each time, so the next entry is a good guess.
    const guess = this.#lastEntry + 1;
    if (this.#labels.is(guess, stream, bytes, attributesStart, attributesEnd)) {
      this.#lastEntry = guess;
      return this.#seriesOf[guess]!;
    }
    const known = this.#labels.size;
    const spare = enter ? 0 : ANY_NUMBER;
    const entry = this.#labels.add(stream, bytes, attributesStart, attributesEnd, spare);
    if (entry === NO_SERIES) return NO_SERIES;
    this.#lastEntry = entry;
    if (entry < known) return this.#seriesOf[entry]!;
    return this.#name(entry, seriesId(this.#heads[stream]!, this.#decodeLabels(entry)));
  }

  /** Enters a series that was saved: its stream, its labels as {@link SeriesTable.labelBytes} gave them, its id. */
  restore(stream: number, labels: Uint8Array, id: SeriesId): number {
    const known = this.#labels.size;
    const entry = this.#labels.add(stream, labels, 0, labels.length);
    return entry < known ? this.#seriesOf[entry]! : this.#name(entry, id);
  }

  /** Enters a series of another table. */
  adopt(from: SeriesTable, series: number): number {
    const scanner = new MetricScanner();
    scanner.reset(from.streamBytes(from.streamOf(series)));
    scanner.next();
    return this.restore(this.stream(scanner, true), from.labelBytes(series), from.id(series));
  }

  /** Whether there is a series of this id. */
  has(id: SeriesId): boolean {
    return this.#ids.add(0, this.#idBytes(id), 0, 8, ANY_NUMBER) !== NO_SERIES;
  }

  /** The stream of a series. */
  streamOf(series: number): number {
    return this.#labels.group(this.#labelsOf[series]!);
  }

  /** The metric of a stream, without points. */
  head(stream: number): MetricData {
    return this.#heads[stream]!;
  }

  /** The labels of a series. */
  labels(series: number): Attributes {
    return this.#decodeLabels(this.#labelsOf[series]!);
  }

  /** A request with the stream and one point that says nothing: from which {@link SeriesTable.stream} enters it again. */
  streamBytes(stream: number): Uint8Array {
    return encodeMetrics([withPoint(this.#heads[stream]!, {})]);
  }

  /** The labels of a series as fields of a point, as they came; a view, for reading only. */
  labelBytes(series: number): Uint8Array {
    return this.#labels.bytes(this.#labelsOf[series]!);
  }

  /** The id of a series. */
  id(series: number): SeriesId {
    const bytes = this.#ids.bytes(series);
    return { high: wordOf(bytes, 0), low: wordOf(bytes, 4) };
  }

  /** Bytes of memory, about. */
  get byteLength(): number {
    return (
      this.#origins.byteLength +
      this.#streams.byteLength +
      this.#labels.byteLength +
      this.#ids.byteLength +
      this.#seriesOf.byteLength +
      this.#labelsOf.byteLength +
      this.#heads.length * HEAD_BYTES
    );
  }

  /** Gives a new entry of `#labels` its series, new or known. */
  #name(entry: number, id: SeriesId): number {
    if (entry >= this.#seriesOf.length) this.#seriesOf = grown(this.#seriesOf);
    const known = this.#ids.size;
    const series = this.#ids.add(0, this.#idBytes(id), 0, 8);
    this.#seriesOf[entry] = series;
    if (series === known) {
      if (series >= this.#labelsOf.length) this.#labelsOf = grown(this.#labelsOf);
      this.#labelsOf[series] = entry;
    }
    return series;
  }

  // Attributes are fields of a point like others, and a point may have no others.
  #decodeLabels(entry: number): Attributes {
    const bytes = this.#labels.bytes(entry);
    return decodeDataPoint(bytes, 0, bytes.length, this.#heads[this.#labels.group(entry)]!.type).attributes;
  }

  /** The labels of a point, one behind the other, where other fields stand between them. */
  #gatherLabels(stream: number, { bytes, pointStart, pointEnd }: MetricScanner): Uint8Array {
    const head = this.#heads[stream]!;
    const { attributes } = decodeDataPoint(bytes, pointStart, pointEnd, head.type);
    const request = encodeMetrics([withPoint(head, attributes)]);
    const gathered = new MetricScanner();
    gathered.reset(request);
    gathered.next();
    return request.subarray(gathered.attributesStart, gathered.attributesEnd);
  }

  #idBytes({ high, low }: SeriesId): Uint8Array {
    this.#scratch.writeUInt32BE(high, 0);
    this.#scratch.writeUInt32BE(low, 4);
    return this.#scratch;
  }

  /** Writes what an origin is matched by: four parts, each behind its length. */
  #putOrigin(scanner: MetricScanner): number {
    let at = this.#put(0, scanner.bytes, scanner.resourceStart, scanner.resourceEnd);
    at = this.#put(at, scanner.bytes, scanner.resourceSchemaStart, scanner.resourceSchemaEnd);
    at = this.#put(at, scanner.bytes, scanner.scopeStart, scanner.scopeEnd);
    return this.#put(at, scanner.bytes, scanner.scopeSchemaStart, scanner.scopeSchemaEnd);
  }

  /** Writes what a stream is matched by within its origin. */
  #putStream(scanner: MetricScanner): number {
    const type = METRIC_TYPES.indexOf(scanner.type);
    this.#scratch[0] = type | (scanner.temporality << 3) | (scanner.isMonotonic ? 1 << 5 : 0);
    const at = this.#put(1, scanner.bytes, scanner.nameStart, scanner.nameEnd);
    return this.#put(at, scanner.bytes, scanner.unitStart, scanner.unitEnd);
  }

  #put(at: number, bytes: Uint8Array, start: number, end: number): number {
    const length = start < 0 ? 0 : end - start;
    if (at + 4 + length > this.#scratch.length) {
      const larger = Buffer.alloc((at + 4 + length) * 2);
      larger.set(this.#scratch);
      this.#scratch = larger;
    }
    this.#scratch.writeUInt32LE(length, at);
    if (length > 0) this.#scratch.set(bytes.subarray(start, end), at + 4);
    return at + 4 + length;
  }
}

/** What the streams of an origin share. */
interface Origin {
  readonly resource: ResourceData;
  readonly scope: ScopeData;
}

function readOrigin(scanner: MetricScanner): Origin {
  const { bytes, resourceSchemaStart, resourceSchemaEnd, scopeSchemaStart, scopeSchemaEnd } = scanner;
  const resource = decodeResource(bytes, scanner.resourceStart, scanner.resourceEnd);
  const scope = decodeScope(bytes, scanner.scopeStart, scanner.scopeEnd);
  return {
    resource: { ...resource, schemaUrl: textOf(bytes, resourceSchemaStart, resourceSchemaEnd) },
    scope: { ...scope, schemaUrl: textOf(bytes, scopeSchemaStart, scopeSchemaEnd) },
  };
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return start < 0 ? '' : readUtf8(bytes, start, end);
}

const NO_BYTES = new Uint8Array(0);

/** A metric with one point that has labels and says nothing else. */
function withPoint(head: MetricData, attributes: Attributes): MetricData {
  const point = { ...decodeDataPoint(NO_BYTES, 0, 0, head.type), attributes };
  return { ...head, points: [point] } as MetricData;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function wordOf(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function grown(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
