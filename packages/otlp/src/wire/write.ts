// The lowest level of writing protobuf. Every function takes the target, an offset and a primitive, and
// returns the offset behind what it wrote. None checks for room: a store beyond the end of a Uint8Array is
// silently lost, so whoever calls makes room first; each docstring says how much at most.

import { scratchHigh, scratchLow, splitBigInt, splitDouble } from './bits64.ts';

const TWO_32 = 0x1_0000_0000;

/** Strings up to this many UTF-16 units are encoded here, longer ones by the runtime, whose call costs as much as a loop over 32. */
const SHORT_STRING = 32;

/** Strings up to this many UTF-16 units take at most 126 bytes, and so one byte for their length. */
const SURELY_SHORT = 42;

/** How many bytes {@link writeVarint} takes for an unsigned integer below 2^53. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  let size = 5;
  for (let rest = value / 0x8_0000_0000; rest >= 1; rest /= 0x80) size++;
  return size;
}

/** Writes an unsigned integer below 2^53: at most 8 bytes, at most 5 if it is below 2^32. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  if (value < 0x80) {
    bytes[at] = value;
    return at + 1;
  }
  if (value < 0x4000) {
    bytes[at] = value | 0x80;
    bytes[at + 1] = value >>> 7;
    return at + 2;
  }
  let rest = value;
  let next = at;
  while (rest >= 0x8000_0000) {
    bytes[next++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    bytes[next++] = rest | 0x80;
    rest >>>= 7;
  }
  bytes[next] = rest;
  return next + 1;
}

/** Writes an unsigned integer in exactly 4 bytes, so that a length can be filled in later; below 2^28. */
export function writeVarintPadded4(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value | 0x80;
  bytes[at + 1] = (value >>> 7) | 0x80;
  bytes[at + 2] = (value >>> 14) | 0x80;
  bytes[at + 3] = value >>> 21;
  return at + 4;
}

/** Writes the 64 bits of two unsigned halves as a varint: at most 10 bytes. */
export function writeVarintHalves(bytes: Uint8Array, at: number, low: number, high: number): number {
  let next = at;
  let lower = low >>> 0;
  let upper = high >>> 0;
  while (upper !== 0) {
    bytes[next++] = (lower & 0x7f) | 0x80;
    lower = ((lower >>> 7) | (upper << 25)) >>> 0;
    upper >>>= 7;
  }
  while (lower >= 0x80) {
    bytes[next++] = (lower & 0x7f) | 0x80;
    lower >>>= 7;
  }
  bytes[next] = lower;
  return next + 1;
}

/** Writes a safe integer of either sign as an `int64`, negative ones in two's complement: at most 10 bytes. */
export function writeInt64(bytes: Uint8Array, at: number, value: number): number {
  if (value >= 0) return writeVarint(bytes, at, value);
  // Two's complement of a negative safe integer: floor division carries the sign into the upper half.
  return writeVarintHalves(bytes, at, value >>> 0, Math.floor(value / TWO_32) >>> 0);
}

/** Writes a `bigint`, wrapped to 64 bits, as an `int64`: at most 10 bytes. */
export function writeInt64BigInt(bytes: Uint8Array, at: number, value: bigint): number {
  splitBigInt(value);
  return writeVarintHalves(bytes, at, scratchLow(), scratchHigh());
}

/** Writes 4 bytes, little-endian. */
export function writeFixed32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
  return at + 4;
}

/** Writes two unsigned halves as 8 bytes, little-endian. */
export function writeFixed64(bytes: Uint8Array, at: number, low: number, high: number): number {
  return writeFixed32(bytes, writeFixed32(bytes, at, low), high);
}

/** Writes a `bigint`, wrapped to 64 bits, as 8 bytes, little-endian. */
export function writeFixed64BigInt(bytes: Uint8Array, at: number, value: bigint): number {
  splitBigInt(value);
  return writeFixed64(bytes, at, scratchLow(), scratchHigh());
}

/** Writes a 64-bit float as 8 bytes, little-endian. */
export function writeDouble(bytes: Uint8Array, at: number, value: number): number {
  splitDouble(value);
  return writeFixed64(bytes, at, scratchLow(), scratchHigh());
}

/**
 * Writes a string as UTF-8, without a length: at most 3 bytes for each UTF-16 unit. A lone surrogate becomes
 * U+FFFD, as the Encoding Standard says.
 */
export function writeUtf8(bytes: Uint8Array, at: number, text: string): number {
  const length = text.length;
  if (length > SHORT_STRING) return at + utf8Write.call(bytes, text, at, bytes.length - at);
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return writeUtf8From(bytes, at + index, text, index);
    bytes[at + index] = unit;
  }
  return at + length;
}

// Takes any Uint8Array as its receiver, which spares the subarray that TextEncoder.encodeInto would need. The
// documented `write` calls this one, on Node 22 as a method of the receiver, which must be a Buffer then.
const { utf8Write } = Buffer.prototype as unknown as {
  utf8Write(this: Uint8Array, text: string, offset: number, length: number): number;
};

function writeUtf8From(bytes: Uint8Array, at: number, text: string, from: number): number {
  let next = at;
  for (let index = from; index < text.length; index++) {
    let code = text.charCodeAt(index);
    if (code < 0x80) {
      bytes[next++] = code;
    } else if (code < 0x800) {
      bytes[next++] = (code >> 6) | 0xc0;
      bytes[next++] = (code & 0x3f) | 0x80;
    } else {
      if (code >= 0xd800 && code <= 0xdfff) {
        const low = code < 0xdc00 && index + 1 < text.length ? text.charCodeAt(index + 1) : 0;
        if (low >= 0xdc00 && low <= 0xdfff) {
          index++;
          code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          bytes[next++] = (code >> 18) | 0xf0;
          bytes[next++] = ((code >> 12) & 0x3f) | 0x80;
          bytes[next++] = ((code >> 6) & 0x3f) | 0x80;
          bytes[next++] = (code & 0x3f) | 0x80;
          continue;
        }
        code = 0xfffd;
      }
      bytes[next++] = (code >> 12) | 0xe0;
      bytes[next++] = ((code >> 6) & 0x3f) | 0x80;
      bytes[next++] = (code & 0x3f) | 0x80;
    }
  }
  return next;
}

/**
 * Writes a string as protobuf does, its length in bytes and then its UTF-8: at most
 * {@link stringRoom} bytes.
 */
export function writeString(bytes: Uint8Array, at: number, text: string): number {
  if (text.length <= SURELY_SHORT) {
    const end = writeUtf8(bytes, at + 1, text);
    bytes[at] = end - at - 1;
    return end;
  }
  // The length is known only afterwards. Most strings are ASCII, so the room that their length takes in
  // units is right nearly always; otherwise the text moves by the difference.
  const guess = varintSize(text.length);
  const start = at + guess;
  const end = writeUtf8(bytes, start, text);
  const size = end - start;
  const actual = varintSize(size);
  if (actual !== guess) bytes.copyWithin(at + actual, start, end);
  return writeVarint(bytes, at, size) + size;
}

/** The most bytes that {@link writeString} takes for a string of so many UTF-16 units. */
export function stringRoom(units: number): number {
  return 3 * units + 5;
}

/** Writes a length and the bytes themselves: at most 5 bytes more than there are. */
export function writeBytes(bytes: Uint8Array, at: number, value: Uint8Array): number {
  const start = writeVarint(bytes, at, value.length);
  bytes.set(value, start);
  return start + value.length;
}

// The value of each ASCII hex digit; 255 for whatever is none.
const HEX_VALUES = new Uint8Array(128).fill(255);
for (let digit = 0; digit < 16; digit++) {
  HEX_VALUES[digit.toString(16).charCodeAt(0)] = digit;
  HEX_VALUES[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/**
 * Writes `hex.length / 2` bytes given as hex digits of either case.
 *
 * @returns the offset behind them, or -1 if there is anything but pairs of hex digits; what was written
 * before that stays
 */
export function writeHex(bytes: Uint8Array, at: number, hex: string): number {
  const length = hex.length;
  if (length % 2 !== 0) return -1;
  let next = at;
  for (let index = 0; index < length; index += 2) {
    const first = hex.charCodeAt(index);
    const second = hex.charCodeAt(index + 1);
    if ((first | second) > 127) return -1;
    const upper = HEX_VALUES[first]!;
    const lower = HEX_VALUES[second]!;
    if ((upper | lower) > 15) return -1;
    bytes[next++] = (upper << 4) | lower;
  }
  return next;
}
