import { readFixed32, readVarint, skipVarint } from '@tracewell/otlp/wire';
import type { ParquetFile } from '../parquet/file.ts';
import type { FlatColumn, Values } from '../parquet/values.ts';
import type { RecordKey } from '../query/record-key.ts';
import { skipField } from './attributes/skip-field.ts';
import { readFlat } from './flat-column.ts';
import { isThere, type TextAt, textAt } from './text-at.ts';

const MAX_HIGH = 0x7fff_ffff;
const MAX_LOW = 0xffff_ffff;

/** The keys of rows that have no identity of their own: time, request and place in it (query/record-key.ts). */
export class RowKeys {
  readonly count: number;
  /** By row, the lower, then the upper half. Exact, also where the column had to cut. */
  readonly times: Uint32Array;
  readonly #requestCodes: Uint32Array | undefined;
  readonly #requests: Uint32Array;
  readonly #indexes: Uint32Array;

  constructor(count: number, times: Uint32Array, requests: Values, indexes: Int32Array) {
    this.count = count;
    this.times = times;
    this.#requestCodes = 'codes' in requests ? requests.codes : undefined;
    this.#requests = ('codes' in requests ? requests.dictionary : requests) as Uint32Array;
    this.#indexes = new Uint32Array(indexes.buffer, indexes.byteOffset, indexes.length);
  }

  time(row: number): bigint {
    return (BigInt(this.times[2 * row + 1]!) << 32n) | BigInt(this.times[2 * row]!);
  }

  key(row: number): RecordKey {
    return {
      timeUnixNanos: this.time(row),
      request: (BigInt(this.requestHigh(row)) << 32n) | BigInt(this.requestLow(row)),
      index: this.index(row),
    };
  }

  /** Whether the column had to cut the time of a row. */
  isCut(row: number): boolean {
    return this.times[2 * row + 1]! > MAX_HIGH;
  }

  requestHigh(row: number): number {
    return this.#requests[2 * (this.#requestCodes?.[row] ?? row) + 1]!;
  }

  requestLow(row: number): number {
    return this.#requests[2 * (this.#requestCodes?.[row] ?? row)]!;
  }

  index(row: number): number {
    return this.#indexes[row]!;
  }

  /** Negative if row `a` comes before row `b` of other keys in a file: oldest first, and times as the column has them. */
  compareInFile(a: number, other: RowKeys, b: number): number {
    const areCut = this.isCut(a) && other.isCut(b);
    const byTime =
      this.times[2 * a + 1]! - other.times[2 * b + 1]! || this.times[2 * a]! - other.times[2 * b]!;
    return (
      (areCut ? 0 : byTime) ||
      this.requestHigh(a) - other.requestHigh(b) ||
      this.requestLow(a) - other.requestLow(b) ||
      this.index(a) - other.index(b)
    );
  }

  /** Negative if row `a` comes before row `b` of other keys: newest first. */
  compare(a: number, other: RowKeys, b: number): number {
    return (
      other.times[2 * b + 1]! - this.times[2 * a + 1]! ||
      other.times[2 * b]! - this.times[2 * a]! ||
      other.requestHigh(b) - this.requestHigh(a) ||
      other.requestLow(b) - this.requestLow(a) ||
      other.index(b) - this.index(a)
    );
  }
}

/**
 * Reads the keys of the rows `from` to `to` of a row group.
 *
 * @param timeKeys - the protobuf keys under which `otlp` has the time if the column had to cut it; where one has a
 * time of 0, the next one counts
 * @throws `TracewellError` (`TW_COLD_DAMAGED`)
 */
export function readRowKeys(
  file: ParquetFile,
  group: number,
  from: number,
  to: number,
  timeKeys: readonly number[],
): RowKeys {
  const times = (readFlat(file, group, 'time', from, to).values as Uint32Array).slice();
  let rest: FlatColumn | undefined;
  for (let row = 0; row < to - from; row++) {
    if (times[2 * row + 1] !== MAX_HIGH || times[2 * row] !== MAX_LOW) continue;
    rest ??= readFlat(file, group, 'otlp', from, to);
    restore(times, row, rest, timeKeys);
  }
  const indexes = readFlat(file, group, 'request_index', from, to).values as Int32Array;
  return new RowKeys(to - from, times, readFlat(file, group, 'request', from, to).values, indexes);
}

const found: TextAt = { bytes: new Uint8Array(0), start: 0, end: 0 };

function restore(times: Uint32Array, row: number, rest: FlatColumn, timeKeys: readonly number[]): void {
  if (!isThere(rest, row)) return;
  textAt(rest.values, row, found);
  const { bytes } = found;
  for (const key of timeKeys) {
    const at = findField(bytes, found.start, found.end, key);
    // Then the column says it.
    if (at < 0) return;
    const low = readFixed32(bytes, at);
    const high = readFixed32(bytes, at + 4);
    if (low === 0 && high === 0) continue;
    times[2 * row] = low;
    times[2 * row + 1] = high;
    return;
  }
}

/** Where the value of a field begins; -1 if there is none. */
function findField(bytes: Uint8Array, start: number, end: number, wanted: number): number {
  for (let at = start; at < end; ) {
    const key = readVarint(bytes, at);
    const body = skipVarint(bytes, at);
    if (key === wanted) return body;
    at = skipField(bytes, body, key);
  }
  return -1;
}
