import type { ByteBuffer } from '../byte-buffer.ts';
import { DamagedPage } from '../damaged.ts';
import type { BytesValues } from '../values.ts';
import { type Place, readDelta32, writeDelta32 } from './delta.ts';

/** Appends byte strings `from` to `to`, each behind its length: PLAIN. */
export function writePlainBytes(target: ByteBuffer, values: BytesValues, from: number, to: number): void {
  const { bytes, offsets } = values;
  const first = offsets[from]!;
  target.reserve(offsets[to]! - first + 4 * (to - from));
  const { bytes: out } = target;
  let at = target.length;
  for (let index = from; index < to; index++) {
    const start = offsets[index]!;
    const end = offsets[index + 1]!;
    const length = end - start;
    out[at] = length;
    out[at + 1] = length >>> 8;
    out[at + 2] = length >>> 16;
    out[at + 3] = length >>> 24;
    at += 4;
    // A loop is faster than a call up to some dozen bytes.
    if (length < 48) for (let from = start; from < end; from++) out[at++] = bytes[from]!;
    else {
      out.set(bytes.subarray(start, end), at);
      at += length;
    }
  }
  target.length = at;
}

/** Reads the first `count` byte strings that stand PLAIN. @throws DamagedPage */
export function readPlainBytes(bytes: Uint8Array, start: number, end: number, count: number): BytesValues {
  // Each takes four bytes at least; whoever claims more gets no memory for them.
  if (count * 4 > end - start) throw new DamagedPage(`${count} byte strings in ${end - start} bytes`);
  const offsets = new Uint32Array(count + 1);
  const out = new Uint8Array(end - start - 4 * count);
  let at = start;
  let to = 0;
  for (let index = 0; index < count; index++) {
    if (at + 4 > end) throw new DamagedPage('byte strings end too early');
    const length =
      (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
    at += 4;
    if (length > end - at || to + length > out.length) throw new DamagedPage('byte strings end too early');
    if (length < 48) for (const stop = at + length; at < stop; at++) out[to++] = bytes[at]!;
    else {
      out.set(bytes.subarray(at, at + length), to);
      at += length;
      to += length;
    }
    offsets[index + 1] = to;
  }
  return { bytes: out.subarray(0, to), offsets };
}

/** Appends byte strings `from` to `to`, first their lengths: DELTA_LENGTH_BYTE_ARRAY. */
export function writeDeltaLength(target: ByteBuffer, values: BytesValues, from: number, to: number): void {
  const { bytes, offsets } = values;
  const lengths = new Int32Array(to - from);
  for (let index = from; index < to; index++) lengths[index - from] = offsets[index + 1]! - offsets[index]!;
  writeDelta32(target, lengths, 0, lengths.length);
  target.append(bytes.subarray(offsets[from], offsets[to]));
}

/** Reads the first `count` byte strings that stand as DELTA_LENGTH_BYTE_ARRAY. @throws DamagedPage */
export function readDeltaLength(bytes: Uint8Array, start: number, end: number, count: number): BytesValues {
  const place: Place = { at: start };
  const lengths = readDelta32(bytes, place, end, count);
  const offsets = new Uint32Array(count + 1);
  let total = 0;
  for (let index = 0; index < count; index++) {
    const length = lengths[index]!;
    if (length < 0 || length > end - place.at - total) throw new DamagedPage('byte strings end too early');
    total += length;
    offsets[index + 1] = total;
  }
  return { bytes: bytes.subarray(place.at, place.at + total), offsets };
}

/** Appends byte strings `from` to `to` without what they share with the one before: DELTA_BYTE_ARRAY. */
export function writeDeltaBytes(target: ByteBuffer, values: BytesValues, from: number, to: number): void {
  const { bytes, offsets } = values;
  const count = to - from;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shared = new Int32Array(count);
  const suffixOffsets = new Uint32Array(count + 1);
  const suffixes = new Uint8Array(offsets[to]! - offsets[from]!);
  let at = 0;
  for (let index = 0; index < count; index++) {
    const start = offsets[from + index]!;
    const end = offsets[from + index + 1]!;
    let same = 0;
    if (index > 0) {
      const before = offsets[from + index - 1]!;
      const most = Math.min(end - start, start - before);
      while (same + 4 <= most && view.getUint32(before + same) === view.getUint32(start + same)) same += 4;
      while (same < most && bytes[before + same] === bytes[start + same]) same++;
    }
    shared[index] = same;
    for (let from = start + same; from < end; from++) suffixes[at++] = bytes[from]!;
    suffixOffsets[index + 1] = at;
  }
  writeDelta32(target, shared, 0, count);
  writeDeltaLength(target, { bytes: suffixes, offsets: suffixOffsets }, 0, count);
}

/**
 * Reads the first `count` byte strings that stand as DELTA_BYTE_ARRAY.
 *
 * @param maxBytes - how long all of them may be together: a few bytes can say a long prefix many times
 * @throws DamagedPage
 */
export function readDeltaBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  maxBytes: number,
): BytesValues {
  const place: Place = { at: start };
  const shared = readDelta32(bytes, place, end, count);
  const suffixes = readDeltaLength(bytes, place.at, end, count);
  const offsets = new Uint32Array(count + 1);
  let total = 0;
  let before = 0;
  for (let index = 0; index < count; index++) {
    const same = shared[index]!;
    if (same < 0 || same > before) throw new DamagedPage('a prefix is longer than the string before it');
    before = same + suffixes.offsets[index + 1]! - suffixes.offsets[index]!;
    total += before;
    if (total > maxBytes) throw new DamagedPage(`byte strings of more than ${maxBytes} bytes`);
    offsets[index + 1] = total;
  }
  const out = new Uint8Array(total);
  for (let index = 0; index < count; index++) {
    let at = offsets[index]!;
    const same = shared[index]!;
    // A string may be longer than the one before, but not what it shares with it: no overlap.
    if (same > 0) {
      const from = offsets[index - 1]!;
      if (same < 48) for (let i = 0; i < same; i++) out[at + i] = out[from + i]!;
      else out.copyWithin(at, from, from + same);
      at += same;
    }
    const until = suffixes.offsets[index + 1]!;
    for (let from = suffixes.offsets[index]!; from < until; from++) out[at++] = suffixes.bytes[from]!;
  }
  return { bytes: out, offsets };
}
