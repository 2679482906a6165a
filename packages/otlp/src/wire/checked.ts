// Walking bytes that came from anywhere. Each function reads at an offset, never beyond `end`, and throws
// TW_DECODE_INVALID with the offset of what is wrong. A value and the offset behind it are two functions,
// because returning both would cost an object. Nearly all varints of telemetry are one byte long, lengths of
// spans two; V8 inlines the case of one byte.

import { invalidAt, tooDeep } from '../decode-error.ts';
import {
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_GROUP_END,
  WIRE_GROUP_START,
  WIRE_VARINT,
} from './wire-types.ts';

/** How deep groups may be nested in an unknown field; OTLP itself has none. */
const MAX_GROUP_DEPTH = 64;

const TWO_32 = 0x1_0000_0000;

/** The offset behind the varint at `at`. */
export function varintEnd(bytes: Uint8Array, at: number, end: number): number {
  return at < end && bytes[at]! < 0x80 ? at + 1 : longVarintEnd(bytes, at, end);
}

// The common case apart, so that V8 inlines it; this is true of all that follow.
function longVarintEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at + 1 < end && bytes[at + 1]! < 0x80) return at + 2;
  const limit = Math.min(end, at + 10);
  for (let next = at; next < limit; next++) {
    const byte = bytes[next]!;
    if (byte < 0x80) {
      if (next === at + 9 && byte > 1) throw invalidAt(at, 'a varint has more than 64 bits');
      return next + 1;
    }
  }
  if (limit === end) throw invalidAt(at, 'a varint reaches beyond the end of its message');
  throw invalidAt(at, 'a varint is longer than 10 bytes');
}

/** The lower 32 bits, unsigned, of the varint at `at`. */
export function varintLow(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  return first < 0x80 && at < end ? first : longVarintLow(bytes, at, end);
}

function longVarintLow(bytes: Uint8Array, at: number, end: number): number {
  const size = longVarintEnd(bytes, at, end) - at;
  let value = bytes[at]! & 0x7f;
  for (let index = 1; index < size && index < 5; index++) value |= (bytes[at + index]! & 0x7f) << (7 * index);
  return value >>> 0;
}

/** The upper 32 bits, unsigned, of the varint at `at`. */
export function varintHigh(bytes: Uint8Array, at: number, end: number): number {
  const size = varintEnd(bytes, at, end) - at;
  if (size < 5) return 0;
  let value = (bytes[at + 4]! & 0x7f) >>> 4;
  for (let index = 5; index < size; index++) value |= (bytes[at + index]! & 0x7f) << (7 * index - 32);
  return value >>> 0;
}

/** The offset behind so many bytes at `at`. */
export function fixedEnd(at: number, size: number, end: number): number {
  if (at + size > end) throw invalidAt(at, 'a field reaches beyond the end of its message');
  return at + size;
}

/** The length at `at`; what it measures lies within `end`. */
export function lengthAt(bytes: Uint8Array, at: number, end: number): number {
  const length = bytes[at]!;
  return length < 0x80 && at + 1 + length <= end ? length : longLengthAt(bytes, at, end);
}

function longLengthAt(bytes: Uint8Array, at: number, end: number): number {
  const second = bytes[at + 1]!;
  if (second < 0x80) {
    const length = (bytes[at]! & 0x7f) | (second << 7);
    if (at + 2 + length <= end) return length;
  }
  const length = varintHigh(bytes, at, end) * TWO_32 + varintLow(bytes, at, end);
  if (length > end - varintEnd(bytes, at, end)) {
    throw invalidAt(at, `a length of ${length} reaches beyond the end of its message`);
  }
  return length;
}

/** The key at `at`: field number << 3 | wire type. */
export function keyAt(bytes: Uint8Array, at: number, end: number): number {
  const key = bytes[at]!;
  return key < 0x80 && key > 7 && at < end ? key : longKeyAt(bytes, at, end);
}

function longKeyAt(bytes: Uint8Array, at: number, end: number): number {
  // The flags of a span have a key of two bytes.
  const second = bytes[at + 1]!;
  if (bytes[at]! >= 0x80 && at + 1 < end && second > 0 && second < 0x80)
    return (bytes[at]! & 0x7f) | (second << 7);
  const key = varintLow(bytes, at, end);
  if (varintHigh(bytes, at, end) !== 0 || key < 8) throw invalidAt(at, 'a field number is out of range');
  return key;
}

/**
 * For a key that no field of the message has: skips an unknown field and returns the offset behind it, refuses
 * a known one, which must have the wrong wire type. With 0 as the range nothing is known.
 */
export function skipUnknown(
  bytes: Uint8Array,
  at: number,
  end: number,
  key: number,
  firstKnown: number,
  lastKnown: number,
): number {
  refuseKnown(at, key, firstKnown, lastKnown);
  return skipField(bytes, at, end, key, 0);
}

/** The part of {@link skipUnknown} that refuses. */
export function refuseKnown(at: number, key: number, firstKnown: number, lastKnown: number): void {
  const field = key >>> 3;
  if (field === 0) throw invalidAt(at, 'a field number is out of range');
  if (field >= firstKnown && field <= lastKnown) {
    throw invalidAt(at, `field ${field} has the wire type ${key & 7}, which is not its own`);
  }
}

function skipField(bytes: Uint8Array, at: number, end: number, key: number, depth: number): number {
  switch (key & 7) {
    case WIRE_VARINT:
      return varintEnd(bytes, at, end);
    case WIRE_FIXED64:
      return fixedEnd(at, 8, end);
    case WIRE_FIXED32:
      return fixedEnd(at, 4, end);
    case WIRE_BYTES:
      return varintEnd(bytes, at, end) + lengthAt(bytes, at, end);
    case WIRE_GROUP_START:
      return skipGroup(bytes, at, end, key >>> 3, depth + 1);
    case WIRE_GROUP_END:
      throw invalidAt(at, 'a group ends that never started');
    default:
      throw invalidAt(at, `there is no wire type ${key & 7}`);
  }
}

function skipGroup(bytes: Uint8Array, start: number, end: number, field: number, depth: number): number {
  if (depth > MAX_GROUP_DEPTH) throw tooDeep(`byte ${start}`, MAX_GROUP_DEPTH);
  let at = start;
  while (at < end) {
    const key = keyAt(bytes, at, end);
    const value = varintEnd(bytes, at, end);
    if ((key & 7) === WIRE_GROUP_END) {
      if (key >>> 3 !== field) throw invalidAt(at, 'a group ends that never started');
      return value;
    }
    at = skipField(bytes, value, end, key, depth);
  }
  throw invalidAt(start, 'a group never ends');
}
