import { LogScanner } from '@tracewell/otlp';
import { type RequestId, requestId } from '../../hot/request-id.ts';
import { UNKNOWN_SERVICE } from '../../hot/services.ts';
import { BytesDictionary } from '../../parquet/bytes-dictionary.ts';
import { GrowingUint32 } from '../../parquet/growing.ts';
import { validUtf8 } from '../attributes/key-value.ts';
import { Hours } from '../hours.ts';
import type { Origin } from '../origins.ts';
import { Origins } from '../origins.ts';
import { MAX_ROWS, sortRows } from '../sort-rows.ts';

const UNKNOWN = Buffer.from(UNKNOWN_SERVICE);

/**
 * Log records of many requests by the order in which a file holds them: service, time, request and place in it. It
 * keeps the bytes that it is given and 44 bytes for each record, and makes no object for one.
 */
export class LogSorter {
  readonly #scanner = new LogScanner();
  readonly #origins = new Origins();
  readonly #services = new BytesDictionary();
  readonly #requests: RequestId[] = [];
  readonly #seen = new Set<string>();
  // By record.
  readonly #timeHigh = new GrowingUint32();
  readonly #timeLow = new GrowingUint32();
  readonly #start = new GrowingUint32();
  readonly #end = new GrowingUint32();
  readonly #service = new GrowingUint32();
  readonly #origin = new GrowingUint32();
  readonly #request = new GrowingUint32();
  readonly #index = new GrowingUint32();
  readonly #hour = new GrowingUint32();
  readonly #hours = new Hours();

  /** How many records there are. */
  get count(): number {
    return this.#origin.length;
  }

  /** How many numbers {@link originOf} gives; all are below it. */
  get origins(): number {
    return this.#origins.size;
  }

  /**
   * Adds the records of an OTLP request, which must not change any more; nothing if the same bytes were added before.
   *
   * @param id - of the request as it came, if it was changed since
   * @throws `TracewellError` (`TW_DECODE_INVALID`); RangeError beyond `MAX_ROWS`
   */
  add(bytes: Uint8Array, id: RequestId = requestId(bytes)): void {
    const key = `${id.high} ${id.low}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const requestNumber = this.#requests.push(id) - 1;
    const request = this.#origins.addRequest(bytes);
    const scanner = this.#scanner;
    scanner.reset(bytes);
    let scope = -1;
    let origin = 0;
    let service = 0;
    for (let index = 0; scanner.next(); index++) {
      if (this.count === MAX_ROWS) throw new RangeError(`more than ${MAX_ROWS} log records`);
      if (scope !== scanner.scopeNumber) {
        scope = scanner.scopeNumber;
        origin = this.#origins.add(request, scanner);
        service = this.#serviceAt(scanner);
      }
      this.#push(scanner, service, origin, requestNumber, index);
    }
  }

  #push(scanner: LogScanner, service: number, origin: number, request: number, index: number): void {
    const hasTime = scanner.timeLow !== 0 || scanner.timeHigh !== 0;
    const low = hasTime ? scanner.timeLow : scanner.observedTimeLow;
    const high = hasTime ? scanner.timeHigh : scanner.observedTimeHigh;
    this.#timeHigh.push(high);
    this.#timeLow.push(low);
    this.#start.push(scanner.recordStart);
    this.#end.push(scanner.recordEnd);
    this.#service.push(service);
    this.#origin.push(origin);
    this.#request.push(request);
    this.#index.push(index);
    this.#hour.push(this.#hours.of(low, high));
  }

  #serviceAt({ bytes, serviceNameStart, serviceNameEnd }: LogScanner): number {
    if (serviceNameStart < 0) return this.#services.add(UNKNOWN, 0, UNKNOWN.length);
    const name = validUtf8(bytes, serviceNameStart, serviceNameEnd);
    return this.#services.add(name, 0, name.length);
  }

  /** The hours since the Unix epoch in which records happened, ascending. */
  hours(): number[] {
    return [...new Set(this.#hour.view())].sort((a, b) => a - b);
  }

  /** The records of an hour, or all of them, by their numbers, in order. */
  sorted(hour?: number): Uint32Array {
    const { count } = this;
    const ranks = ranksOf(this.#services);
    const counts = new Uint32Array(ranks.length + 1);
    const hours = this.#hour.values;
    const services = this.#service.values;
    const isChosen = (record: number): boolean => hour === undefined || hours[record] === hour;
    for (let record = 0; record < count; record++) {
      if (isChosen(record)) counts[ranks[services[record]!]! + 1]!++;
    }
    for (let rank = 1; rank < counts.length; rank++) counts[rank]! += counts[rank - 1]!;
    const order = new Uint32Array(counts.at(-1)!);
    const next = counts.slice();
    const roughly = new Float64Array(count);
    for (let record = 0; record < count; record++) {
      if (!isChosen(record)) continue;
      order[next[ranks[services[record]!]!]!++] = record;
      roughly[record] = Math.min(
        this.#timeHigh.values[record]! * 0x1_0000_0000 + this.#timeLow.values[record]!,
        LATEST,
      );
    }
    const compare = (a: number, b: number): number => this.#compare(a, b);
    for (let rank = 0; rank < ranks.length; rank++) {
      sortRows(order.subarray(counts[rank], counts[rank + 1]), roughly, compare);
    }
    return order;
  }

  /** The bytes of the request of a record. */
  requestOf(record: number): Uint8Array {
    return this.#origins.requestOf(this.#origin.values[record]!);
  }

  requestIdOf(record: number): RequestId {
    return this.#requests[this.#request.values[record]!]!;
  }

  /** The record's place in its request. */
  indexOf(record: number): number {
    return this.#index.values[record]!;
  }

  startOf(record: number): number {
    return this.#start.values[record]!;
  }

  endOf(record: number): number {
    return this.#end.values[record]!;
  }

  timeOf(record: number): bigint {
    return (BigInt(this.#timeHigh.values[record]!) << 32n) | BigInt(this.#timeLow.values[record]!);
  }

  /** The number of what a record shares with others. */
  originOf(record: number): number {
    return this.#origin.values[record]!;
  }

  origin(number: number): Origin {
    return this.#origins.origin(number);
  }

  #compareTimes(a: number, b: number): number {
    const high = this.#timeHigh.values;
    if (high[a]! > LATEST_HIGH && high[b]! > LATEST_HIGH) return 0;
    return high[a]! - high[b]! || this.#timeLow.values[a]! - this.#timeLow.values[b]!;
  }

  #compare(a: number, b: number): number {
    return (
      this.#compareTimes(a, b) ||
      compareRequests(this.requestIdOf(a), this.requestIdOf(b)) ||
      this.#index.values[a]! - this.#index.values[b]!
    );
  }
}

/** The largest time that the file's column has, by which files are merged: later ones count as equal. */
const LATEST = 2 ** 63;
const LATEST_HIGH = 0x7fff_ffff;

function compareRequests(a: RequestId, b: RequestId): number {
  return a.high - b.high || a.low - b.low;
}

/** By number of a text: its place in the order of their bytes. */
function ranksOf(texts: BytesDictionary): Uint32Array {
  const { bytes, offsets } = texts.values();
  const text = (number: number): Uint8Array => bytes.subarray(offsets[number], offsets[number + 1]);
  const order = Array.from({ length: texts.size }, (_, number) => number).sort((a, b) =>
    Buffer.compare(text(a), text(b)),
  );
  const ranks = new Uint32Array(order.length);
  for (const [rank, number] of order.entries()) ranks[number] = rank;
  return ranks;
}
