import { invalidAt, tooLarge } from '../decode-error.ts';
import type { DecodeLimits } from '../decode-limits.ts';
import { toBigInt64, toBigUint64, toDouble } from '../wire/bits64.ts';
import { fixedEnd, keyAt, lengthAt, skipUnknown, varintEnd, varintHigh, varintLow } from '../wire/checked.ts';
import { readFixed32, readHex, readUtf8 } from '../wire/read.ts';
import { IdMemo } from './id-memo.ts';
import { readRepeated } from './string-cache.ts';

/**
 * A position in bytes that came from anywhere, and what is left of the limits. Messages are read by
 * functions that take the reader and the offset where their message ends:
 *
 *   while (reader.at < end) switch (reader.key(end)) { case …: name = reader.string(end); … }
 *
 * Each method reads one thing, never beyond `end`, moves behind it, and throws TW_DECODE_INVALID if it
 * is not there.
 */
export class Reader {
  bytes: Uint8Array;
  at: number;
  maxDepth: number;
  readonly traceIds = new IdMemo();
  readonly spanIds = new IdMemo();
  #maxItems: number;
  #items = 0;

  constructor(bytes: Uint8Array, at: number, limits: Required<DecodeLimits>) {
    this.bytes = bytes;
    this.at = at;
    this.maxDepth = limits.maxDepth;
    this.#maxItems = limits.maxItems;
  }

  /** Goes on with other bytes and all of the limits; ids that were read last are still known. */
  reset(bytes: Uint8Array, at: number, limits: Required<DecodeLimits>): void {
    this.bytes = bytes;
    this.at = at;
    this.maxDepth = limits.maxDepth;
    this.#maxItems = limits.maxItems;
    this.#items = 0;
  }

  /** Counts one more object of those that `maxItems` bounds. */
  countItem(): void {
    if (++this.#items > this.#maxItems) throw tooLarge('too many values', 'maxItems', this.#maxItems);
  }

  key(end: number): number {
    const key = this.bytes[this.at]!;
    if (key < 0x80 && key > 7) {
      this.at++;
      return key;
    }
    const full = keyAt(this.bytes, this.at, end);
    this.at = varintEnd(this.bytes, this.at, end);
    return full;
  }

  /** The offset behind the message, string or bytes that begins here, after its length. */
  open(end: number): number {
    const { bytes, at } = this;
    const length = bytes[at]!;
    if (length < 0x80) {
      this.at = at + 1;
      const next = at + 1 + length;
      if (next > end) throw invalidAt(at, `a length of ${length} reaches beyond the end of its message`);
      return next;
    }
    const next = varintEnd(bytes, at, end) + lengthAt(bytes, at, end);
    this.at = varintEnd(bytes, at, end);
    return next;
  }

  string(end: number): string {
    const next = this.open(end);
    const text = readUtf8(this.bytes, this.at, next);
    this.at = next;
    return text;
  }

  /** A string that has probably been seen before. */
  repeatedString(end: number): string {
    const next = this.open(end);
    const text = readRepeated(this.bytes, this.at, next);
    this.at = next;
    return text;
  }

  /** Bytes as lower-case hex digits. */
  hex(end: number): string {
    const next = this.open(end);
    const digits = readHex(this.bytes, this.at, next);
    this.at = next;
    return digits;
  }

  /** Bytes as lower-case hex digits, probably those that were read into the same memo last time. */
  repeatedHex(end: number, memo: IdMemo): string {
    const next = this.open(end);
    const digits = memo.read(this.bytes, this.at, next);
    this.at = next;
    return digits;
  }

  /** A copy: the message may be a buffer that its owner uses again. */
  copy(end: number): Uint8Array {
    const next = this.open(end);
    const copy = new Uint8Array(this.bytes.subarray(this.at, next));
    this.at = next;
    return copy;
  }

  uint32(end: number): number {
    const { bytes, at } = this;
    const first = bytes[at]!;
    if (first < 0x80 && at < end) {
      this.at = at + 1;
      return first;
    }
    const value = varintLow(bytes, at, end);
    this.at = varintEnd(bytes, at, end);
    return value;
  }

  bool(end: number): boolean {
    const { bytes, at } = this;
    const value = varintLow(bytes, at, end) !== 0 || varintHigh(bytes, at, end) !== 0;
    this.at = varintEnd(bytes, at, end);
    return value;
  }

  /** A number where that loses nothing, otherwise a `bigint`. */
  int64(end: number): number | bigint {
    const { bytes, at } = this;
    const first = bytes[at]!;
    if (first < 0x80 && at < end) {
      this.at = at + 1;
      return first;
    }
    const low = varintLow(bytes, at, end);
    const high = varintHigh(bytes, at, end);
    this.at = varintEnd(bytes, at, end);
    const value = (high | 0) * 0x1_0000_0000 + low;
    return Number.isSafeInteger(value) ? value : toBigInt64(low, high);
  }

  fixed32(end: number): number {
    const { at } = this;
    this.at = fixedEnd(at, 4, end);
    return readFixed32(this.bytes, at);
  }

  /** 64 bits without sign. */
  uint64(end: number): bigint {
    const { bytes, at } = this;
    const low = varintLow(bytes, at, end);
    const high = varintHigh(bytes, at, end);
    this.at = varintEnd(bytes, at, end);
    return toBigUint64(low, high);
  }

  /** 32 bits with sign in zigzag form, as `sint32` is written. */
  sint32(end: number): number {
    const value = this.uint32(end);
    return (value >>> 1) ^ -(value & 1);
  }

  /** 8 bytes as an integer with sign: a number where that loses nothing, otherwise a `bigint`. */
  sfixed64(end: number): number | bigint {
    const { at, bytes } = this;
    this.at = fixedEnd(at, 8, end);
    const low = readFixed32(bytes, at);
    const high = readFixed32(bytes, at + 4);
    const value = (high | 0) * 0x1_0000_0000 + low;
    return Number.isSafeInteger(value) ? value : toBigInt64(low, high);
  }

  fixed64(end: number): bigint {
    const { at, bytes } = this;
    this.at = fixedEnd(at, 8, end);
    return toBigUint64(readFixed32(bytes, at), readFixed32(bytes, at + 4));
  }

  double(end: number): number {
    const { at, bytes } = this;
    this.at = fixedEnd(at, 8, end);
    return toDouble(readFixed32(bytes, at), readFixed32(bytes, at + 4));
  }

  /** For a key that no `case` took: skips an unknown field, refuses a known one of the wrong wire type. */
  skip(key: number, end: number, firstKnown: number, lastKnown: number): void {
    this.at = skipUnknown(this.bytes, this.at, end, key, firstKnown, lastKnown);
  }
}
