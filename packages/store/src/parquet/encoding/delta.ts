import type { ByteBuffer } from '../byte-buffer.ts';
import { DamagedPage } from '../damaged.ts';
import { bitWidth, packBits, unpackBits } from './bits.ts';

// DELTA_BINARY_PACKED: a header with the first value, then blocks of 128 differences to the value before,
// each block with its smallest difference, which is subtracted, and in four parts of 32 that have as many bits
// a difference as their largest one needs. All arithmetic wraps at 32 or 64 bits.
// https://github.com/apache/parquet-format/blob/master/Encodings.md#delta-encoding-delta_binary_packed--5

const BLOCK = 128;
const PARTS = 4;
const PART = BLOCK / PARTS;

const lows = new Uint32Array(BLOCK);
const highs = new Uint32Array(BLOCK);

/** Appends 32-bit integers `from` to `to`. */
export function writeDelta32(
  target: ByteBuffer,
  values: Int32Array | Uint32Array,
  from: number,
  to: number,
): void {
  const first = from < to ? values[from]! | 0 : 0;
  writeHead(target, to - from);
  target.varint(zigzag32(first));
  let before = first;
  for (let at = from + 1; at < to; at += BLOCK) {
    const count = Math.min(BLOCK, to - at);
    let smallest = 0x7fff_ffff;
    for (let index = 0; index < count; index++) {
      const value = values[at + index]! | 0;
      const difference = (value - before) | 0;
      lows[index] = difference;
      if (difference < smallest) smallest = difference;
      before = value;
    }
    for (let index = 0; index < count; index++) lows[index] = lows[index]! - smallest;
    target.varint(zigzag32(smallest));
    writeParts(target, count, false);
  }
}

/** Appends 64-bit integers `from` to `to`, given as halves. */
export function writeDelta64(target: ByteBuffer, halves: Uint32Array, from: number, to: number): void {
  let low = from < to ? halves[2 * from]! : 0;
  let high = from < to ? halves[2 * from + 1]! : 0;
  writeHead(target, to - from);
  writeZigzag64(target, low, high);
  for (let at = from + 1; at < to; at += BLOCK) {
    const count = Math.min(BLOCK, to - at);
    let smallestLow = 0xffff_ffff;
    let smallestHigh = 0x7fff_ffff;
    for (let index = 0; index < count; index++) {
      const nextLow = halves[2 * (at + index)]!;
      const nextHigh = halves[2 * (at + index) + 1]!;
      const differenceLow = (nextLow - low) >>> 0;
      const differenceHigh = (nextHigh - high - (nextLow < low ? 1 : 0)) | 0;
      lows[index] = differenceLow;
      highs[index] = differenceHigh;
      if (differenceHigh < smallestHigh || (differenceHigh === smallestHigh && differenceLow < smallestLow)) {
        smallestLow = differenceLow;
        smallestHigh = differenceHigh;
      }
      low = nextLow;
      high = nextHigh;
    }
    for (let index = 0; index < count; index++) {
      const borrow = lows[index]! < smallestLow ? 1 : 0;
      lows[index] = lows[index]! - smallestLow;
      highs[index] = highs[index]! - smallestHigh - borrow;
    }
    writeZigzag64(target, smallestLow, smallestHigh);
    writeParts(target, count, true);
  }
}

function writeHead(target: ByteBuffer, count: number): void {
  target.varint(BLOCK);
  target.varint(PARTS);
  target.varint(count);
}

function writeParts(target: ByteBuffer, count: number, wide: boolean): void {
  const widthsAt = target.length;
  for (let part = 0; part < PARTS; part++) target.byte(0);
  lows.fill(0, count);
  if (wide) highs.fill(0, count);
  for (let part = 0; part * PART < count; part++) {
    const from = part * PART;
    let low = 0;
    let high = 0;
    for (let index = from; index < from + PART; index++) {
      low |= lows[index]!;
      if (wide) high |= highs[index]!;
    }
    const width = high !== 0 ? 32 + bitWidth(high) : bitWidth(low);
    target.bytes[widthsAt + part] = width;
    if (width <= 24) packBits(target, lows, from, from + PART, width);
    else packWide(target, from, from + PART, width);
  }
}

// As packBits, for more than 24 bits: byte by byte.
function packWide(target: ByteBuffer, from: number, to: number, width: number): void {
  target.reserve(((to - from) * width) / 8 + 8);
  const { bytes } = target;
  let at = target.length;
  let waiting = 0;
  let bits = 0;
  for (let index = from; index < to; index++) {
    let low = lows[index]!;
    let high = highs[index]!;
    for (let left = width; left > 0; left -= 16) {
      const take = left < 16 ? left : 16;
      waiting |= (low & 0xffff) << bits;
      bits += take;
      low = (low >>> 16) | (high << 16);
      high >>>= 16;
      while (bits >= 8) {
        bytes[at++] = waiting;
        waiting >>>= 8;
        bits -= 8;
      }
    }
  }
  target.length = at;
}

function zigzag32(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

function writeZigzag64(target: ByteBuffer, low: number, high: number): void {
  const sign = high >> 31;
  let rest = ((low << 1) ^ sign) >>> 0;
  let upper = (((high << 1) | (low >>> 31)) ^ sign) >>> 0;
  while (upper !== 0) {
    target.byte((rest & 0x7f) | 0x80);
    rest = ((rest >>> 7) | (upper << 25)) >>> 0;
    upper >>>= 7;
  }
  target.varint(rest);
}

/** A place in bytes that are being read. */
export interface Place {
  at: number;
}

/**
 * Reads the first `count` 32-bit integers, and leaves `place` behind all that there are.
 *
 * @throws DamagedPage
 */
export function readDelta32(bytes: Uint8Array, place: Place, end: number, count: number): Int32Array {
  const { part, parts, total } = readHead(bytes, place, end, count);
  const values = new Int32Array(count);
  let before = unzigzagLow(bytes, place, end);
  if (count > 0) values[0] = before;
  for (let at = 1; at < total; ) {
    const smallest = unzigzagLow(bytes, place, end);
    const widths = readWidths(bytes, place, end, parts, 32);
    for (let number = 0; number < parts && at < total; number++) {
      const width = bytes[widths + number]!;
      const from = stepPart(place, end, part.length, width);
      const some = Math.min(part.length, count - at);
      if (some > 0) unpackBits(bytes, from, width, some, part, 0);
      for (let index = 0; index < some; index++) {
        before = (before + smallest + part[index]!) | 0;
        values[at + index] = before;
      }
      at += part.length;
    }
  }
  return values;
}

/** Reads the first `count` 64-bit integers, as halves. @throws DamagedPage */
export function readDelta64(bytes: Uint8Array, place: Place, end: number, count: number): Uint32Array {
  const { part, parts } = readHead(bytes, place, end, count);
  const values = new Uint32Array(2 * count);
  let low = unzigzagLow(bytes, place, end) >>> 0;
  let high = unzigzaggedHigh >>> 0;
  if (count > 0) {
    values[0] = low;
    values[1] = high;
  }
  for (let at = 1; at < count; ) {
    const smallestLow = unzigzagLow(bytes, place, end) >>> 0;
    const smallestHigh = unzigzaggedHigh;
    const widths = readWidths(bytes, place, end, parts, 64);
    for (let number = 0; number < parts && at < count; number++) {
      const width = bytes[widths + number]!;
      const from = stepPart(place, end, part.length, width);
      const some = Math.min(part.length, count - at);
      if (width <= 32) unpackBits(bytes, from, width, some, part, 0);
      for (let index = 0; index < some; index++) {
        let addLow: number;
        let addHigh = 0;
        if (width <= 32) {
          addLow = part[index]!;
        } else {
          addLow = bitsAt(bytes, from, index * width, 32);
          addHigh = bitsAt(bytes, from, index * width + 32, width - 32);
        }
        const difference = addLow + smallestLow;
        const total = low + (difference >>> 0);
        const carries = (difference > 0xffff_ffff ? 1 : 0) + (total > 0xffff_ffff ? 1 : 0);
        high = (high + addHigh + smallestHigh + carries) >>> 0;
        low = total >>> 0;
        values[2 * at] = low;
        values[2 * at + 1] = high;
        at++;
      }
    }
  }
  return values;
}

function bitsAt(bytes: Uint8Array, start: number, bit: number, width: number): number {
  let value = 0;
  let at = start + (bit >>> 3);
  let shift = bit & 7;
  for (let done = 0; done < width; ) {
    const take = Math.min(8 - shift, width - done);
    value |= ((bytes[at]! >>> shift) & ((1 << take) - 1)) << done;
    done += take;
    shift = 0;
    at++;
  }
  return value >>> 0;
}

/** Reads the header: how many values there are in all, how many parts a block has, and room for one part. */
function readHead(
  bytes: Uint8Array,
  place: Place,
  end: number,
  count: number,
): { readonly part: Uint32Array; readonly parts: number; readonly total: number } {
  const block = unsigned(bytes, place, end);
  const parts = unsigned(bytes, place, end);
  const total = unsigned(bytes, place, end);
  if (block === 0 || block > 0x1_0000 || block % 128 !== 0 || parts === 0 || (block / parts) % 32 !== 0)
    throw new DamagedPage(`blocks of ${block} in ${parts} parts`);
  if (total < count) throw new DamagedPage(`${total} values instead of ${count}`);
  return { part: new Uint32Array(block / parts), parts, total };
}

function readWidths(bytes: Uint8Array, place: Place, end: number, parts: number, most: number): number {
  const { at } = place;
  if (at + parts > end) throw new DamagedPage('differences end too early');
  for (let part = 0; part < parts; part++) {
    if (bytes[at + part]! > most) throw new DamagedPage(`differences of ${bytes[at + part]} bits`);
  }
  place.at = at + parts;
  return at;
}

function stepPart(place: Place, end: number, size: number, width: number): number {
  const { at } = place;
  place.at = at + (size * width) / 8;
  if (place.at > end) throw new DamagedPage('differences end too early');
  return at;
}

let unzigzaggedHigh = 0;

// The lower half, signed, of what is a signed varint; the upper one is left in `unzigzaggedHigh`.
function unzigzagLow(bytes: Uint8Array, place: Place, end: number): number {
  let low = 0;
  let high = 0;
  for (let shift = 0; ; shift += 7) {
    if (place.at >= end || shift > 63) throw new DamagedPage('differences end too early');
    const byte = bytes[place.at++]!;
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high |= bits >>> 4;
    } else high |= bits << (shift - 32);
    if (byte < 0x80) break;
  }
  const sign = -(low & 1);
  unzigzaggedHigh = (high >>> 1) ^ sign;
  return ((low >>> 1) | (high << 31)) ^ sign;
}

function unsigned(bytes: Uint8Array, place: Place, end: number): number {
  let value = 0;
  for (let unit = 1; ; unit *= 0x80) {
    if (place.at >= end || unit > 2 ** 28) throw new DamagedPage('differences end too early');
    const byte = bytes[place.at++]!;
    value += (byte & 0x7f) * unit;
    if (byte < 0x80) return value;
  }
}
