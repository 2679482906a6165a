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

/**
 * Reads `count` numbers into `target`.
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
): void {
  let at = start;
  for (let done = 0; done < count; ) {
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
    if ((head & 1) === 0) {
      const size = (width + 7) >>> 3;
      if (at + size > end) throw new DamagedPage('runs end too early');
      let value = 0;
      for (let index = 0; index < size; index++) value |= bytes[at++]! << (8 * index);
      const take = Math.min(length, count - done);
      target.fill(value >>> 0, done, done + take);
      done += take;
    } else {
      const take = Math.min(length * 8, count - done);
      // The last group may be cut short behind the last number.
      if (at + Math.ceil((take * width) / 8) > end) throw new DamagedPage('runs end too early');
      unpackBits(bytes, at, width, take, target, done);
      at += length * width;
      done += take;
    }
  }
}
