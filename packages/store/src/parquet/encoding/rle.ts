import type { ByteBuffer } from '../byte-buffer.ts';
import { DamagedPage } from '../damaged.ts';
import { packBits, unpackBits } from './bits.ts';

// Shorter runs are cheaper in packed groups of eight.
const MIN_RUN = 8;

/**
 * Appends numbers `from` to `to` as Parquet's hybrid of runs and packed bits, without a length before it.
 *
 * @param width - bits of a number, at most 24
 * @see https://github.com/apache/parquet-format/blob/master/Encodings.md#run-length-encoding--bit-packing-hybrid-rle--3
 */
export function writeRle(
  target: ByteBuffer,
  values: ArrayLike<number>,
  from: number,
  to: number,
  width: number,
): void {
  // What has no run yet begins here.
  let packed = from;
  for (let at = from; at < to; ) {
    const value = values[at]!;
    let end = at + 1;
    while (end < to && values[end] === value) end++;
    // Packed numbers come in eights: those that are missing are taken from the run.
    const missing = -(at - packed) & 7;
    if (end - at - missing >= MIN_RUN) {
      const start = at + missing;
      writePacked(target, values, packed, start, width);
      writeRun(target, end - start, value, width);
      packed = end;
    }
    at = end;
  }
  writePacked(target, values, packed, to, width);
}

/** Appends one number, repeated. */
export function writeRun(target: ByteBuffer, count: number, value: number, width: number): void {
  target.varint(count * 2);
  for (let shift = 0; shift < width; shift += 8) target.byte(value >>> shift);
}

function writePacked(
  target: ByteBuffer,
  values: ArrayLike<number>,
  from: number,
  to: number,
  width: number,
): void {
  if (from === to) return;
  target.varint(Math.ceil((to - from) / 8) * 2 + 1);
  packBits(target, values, from, to, width);
}

/** Where a run lies that was read last: of one value, or packed from `at` on. */
const run = { next: 0, length: 0, isPacked: false, value: 0, at: 0 };

/** Reads the head of a run at `at`. @throws DamagedPage if the bytes end too early */
function readRun(bytes: Uint8Array, start: number, end: number, width: number): void {
  let at = start;
  let head = 0;
  for (let shift = 0; ; shift += 7) {
    if (at >= end || shift > 28) throw new DamagedPage('runs end too early');
    const byte = bytes[at++]!;
    head |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  head >>>= 0;
  const length = head >>> 1;
  if (length === 0) throw new DamagedPage('a run of nothing');
  run.isPacked = (head & 1) !== 0;
  run.at = at;
  if (run.isPacked) {
    run.length = length * 8;
    run.next = at + length * width;
    return;
  }
  const size = (width + 7) >>> 3;
  if (at + size > end) throw new DamagedPage('runs end too early');
  let value = 0;
  for (let index = 0; index < size; index++) value |= bytes[at++]! << (8 * index);
  run.length = length;
  run.value = value >>> 0;
  run.next = at;
}

/** The last group may be cut short behind the last number that there is. */
function checkPacked(count: number, width: number, end: number): void {
  if (run.at + Math.ceil((count * width) / 8) > end) throw new DamagedPage('runs end too early');
}

/**
 * Reads `count` numbers into `target`, those behind the first `skip`.
 *
 * @throws DamagedPage if the bytes end too early
 */
export function readRle(
  bytes: Uint8Array,
  start: number,
  end: number,
  width: number,
  count: number,
  target: Uint32Array | Uint8Array,
  skip = 0,
): void {
  let at = start;
  let left = skip;
  for (let done = 0; done < count; ) {
    readRun(bytes, at, end, width);
    at = run.next;
    if (left >= run.length) {
      left -= run.length;
      continue;
    }
    const take = Math.min(run.length - left, count - done);
    if (run.isPacked) {
      checkPacked(left + take, width, end);
      unpackBits(bytes, run.at, width, take, target, done, left);
    } else {
      target.fill(run.value, done, done + take);
    }
    done += take;
    left = 0;
  }
}

/** Whether the first run says `count` times the same number; which one, or -1. @throws DamagedPage */
export function onlyValue(
  bytes: Uint8Array,
  start: number,
  end: number,
  width: number,
  count: number,
): number {
  if (count === 0) return -1;
  readRun(bytes, start, end, width);
  return !run.isPacked && run.length >= count ? run.value : -1;
}

// How many zeros each byte has.
const ZEROS = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++)
  for (let bit = 0; bit < 8; bit++) ZEROS[byte]! += (byte >>> bit) & 1 ? 0 : 1;

/**
 * Where, among `count` numbers of one bit, the zeros number `first` and `second` are, counted from 0; `count` if there
 * are fewer. As repetition levels, zeros begin rows: this finds rows eight entries at a time.
 *
 * @throws DamagedPage
 */
export function findZeros(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  first: number,
  second: number,
): readonly [first: number, second: number] {
  const zeros = new ZeroCursor(bytes, start, end, count);
  return [zeros.find(first), zeros.find(second)];
}

class ZeroCursor {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #count: number;
  /** Where the next run begins, and the number of its first entry. */
  #next: number;
  #entry = 0;
  /** How many zeros there are before that. */
  #zeros = 0;

  constructor(bytes: Uint8Array, start: number, end: number, count: number) {
    this.#bytes = bytes;
    this.#next = start;
    this.#end = end;
    this.#count = count;
  }

  /** The place of a zero; not before that of the call before. */
  find(wanted: number): number {
    while (this.#entry < this.#count) {
      readRun(this.#bytes, this.#next, this.#end, 1);
      const take = Math.min(run.length, this.#count - this.#entry);
      const zeros = run.isPacked ? this.#countPacked(take, wanted - this.#zeros) : run.value === 0 ? take : 0;
      if (this.#zeros + zeros > wanted) {
        return this.#entry + (run.isPacked ? this.#place : wanted - this.#zeros);
      }
      this.#zeros += zeros;
      this.#entry += take;
      this.#next = run.next;
    }
    return this.#count;
  }

  // The zeros of a packed run that were counted last, so that the next search goes on from there.
  #countedRun = -1;
  #countedBytes = 0;
  #countedZeros = 0;
  #place = 0;

  /** Counts the zeros of a packed run, up to the one that is wanted, whose place it then leaves. */
  #countPacked(take: number, wanted: number): number {
    checkPacked(take, 1, this.#end);
    const bytes = this.#bytes;
    const { at } = run;
    if (this.#countedRun !== at) {
      this.#countedRun = at;
      this.#countedBytes = 0;
      this.#countedZeros = 0;
    }
    let byte = this.#countedBytes;
    let zeros = this.#countedZeros;
    const whole = take >>> 3;
    for (; byte < whole; byte++) {
      const more = ZEROS[bytes[at + byte]!]!;
      if (zeros + more > wanted) break;
      zeros += more;
    }
    this.#countedBytes = byte;
    this.#countedZeros = zeros;
    for (let index = byte * 8; index < take; index++) {
      if (((bytes[at + (index >>> 3)]! >>> (index & 7)) & 1) !== 0) continue;
      if (zeros++ === wanted) {
        this.#place = index;
        return zeros;
      }
    }
    return zeros;
  }
}
