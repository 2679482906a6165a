import type { ByteBuffer } from '../byte-buffer.ts';
import { DamagedPage } from '../damaged.ts';

/** Numbers as they lie in memory; Parquet, and every machine that Node.js has releases for but one, is little-endian. */
export type Numbers = Int32Array | Uint32Array | Float64Array;

/** Appends numbers as they are: PLAIN. */
export function writePlainNumbers(target: ByteBuffer, values: Numbers, from: number, to: number): void {
  target.append(bytesOf(values).subarray(from * values.BYTES_PER_ELEMENT, to * values.BYTES_PER_ELEMENT));
}

/** Appends numbers of `width` bytes, all first bytes before all second ones …: BYTE_STREAM_SPLIT. */
export function writeSplit(
  target: ByteBuffer,
  bytes: Uint8Array,
  width: number,
  from: number,
  to: number,
): void {
  const count = to - from;
  target.reserve(count * width);
  const { bytes: out, length } = target;
  for (let stream = 0; stream < width; stream++) {
    let at = length + stream * count;
    for (let index = from * width + stream; index < to * width; index += width) out[at++] = bytes[index]!;
  }
  target.length = length + count * width;
}

/** Reads the first `count` numbers of BYTE_STREAM_SPLIT back to bytes in order. @throws DamagedPage */
export function readSplit(
  bytes: Uint8Array,
  start: number,
  end: number,
  width: number,
  count: number,
): Uint8Array<ArrayBuffer> {
  if (end - start < count * width) throw new DamagedPage('numbers end too early');
  const out = new Uint8Array(count * width);
  // How many there are, of which only the first may be wanted.
  const total = Math.floor((end - start) / width);
  for (let stream = 0; stream < width; stream++) {
    let from = start + stream * total;
    for (let at = stream; at < out.length; at += width) out[at] = bytes[from++]!;
  }
  return out;
}

/** Reads `count * width` bytes as they are, at an address that suits numbers. @throws DamagedPage */
export function readPlainNumbers(
  bytes: Uint8Array,
  start: number,
  end: number,
  width: number,
  count: number,
): Uint8Array<ArrayBuffer> {
  if (end - start < count * width) throw new DamagedPage('numbers end too early');
  return new Uint8Array(bytes.subarray(start, start + count * width));
}

/** The memory of numbers as bytes. */
export function bytesOf(values: Numbers): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Appends booleans as bits. */
export function writeBooleans(target: ByteBuffer, values: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at += 8) {
    let byte = 0;
    for (let bit = 0; bit < 8 && at + bit < to; bit++) if (values[at + bit] !== 0) byte |= 1 << bit;
    target.byte(byte);
  }
}

/** Reads `count` booleans from bits. @throws DamagedPage */
export function readBooleans(bytes: Uint8Array, start: number, end: number, count: number): Uint8Array {
  if ((end - start) * 8 < count) throw new DamagedPage('booleans end too early');
  const out = new Uint8Array(count);
  for (let index = 0; index < count; index++)
    out[index] = (bytes[start + (index >>> 3)]! >>> (index & 7)) & 1;
  return out;
}
