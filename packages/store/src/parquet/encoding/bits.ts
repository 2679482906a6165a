import type { ByteBuffer } from '../byte-buffer.ts';

/** How many bits hold an unsigned 32-bit number; 0 for 0. */
export function bitWidth(value: number): number {
  return 32 - Math.clz32(value);
}

/**
 * Appends numbers `from` to `to` in `width` bits each, the lowest bits first, and zeros up to a multiple of
 * eight numbers.
 *
 * @param width - at most 24
 */
export function packBits(
  target: ByteBuffer,
  values: ArrayLike<number>,
  from: number,
  to: number,
  width: number,
): void {
  const size = Math.ceil((to - from) / 8) * width;
  target.reserve(size + 4);
  const { bytes } = target;
  let at = target.length;
  const end = at + size;
  if (width === 8 || width === 16) {
    for (let index = from; index < to; index++) {
      const value = values[index]!;
      bytes[at++] = value;
      if (width === 16) bytes[at++] = value >>> 8;
    }
    bytes.fill(0, at, end);
    target.length = end;
    return;
  }
  // At most 7 bits wait, so that 24 more fit.
  let waiting = 0;
  let bits = 0;
  for (let index = from; index < to; index++) {
    waiting |= values[index]! << bits;
    bits += width;
    while (bits >= 8) {
      bytes[at++] = waiting;
      waiting >>>= 8;
      bits -= 8;
    }
  }
  if (bits > 0) bytes[at++] = waiting;
  bytes.fill(0, at, end);
  target.length = end;
}

/**
 * Reads `count` numbers of `width` bits each, at most 32, into `target`, those behind the first `skip`. There are bytes
 * for all of them.
 */
export function unpackBits(
  bytes: Uint8Array,
  at: number,
  width: number,
  count: number,
  target: Uint32Array | Uint8Array,
  targetAt: number,
  skip = 0,
): void {
  if (width === 8) {
    for (let index = 0, from = at + skip; index < count; index++)
      target[targetAt + index] = bytes[from + index]!;
    return;
  }
  if (width === 16) {
    for (let index = 0, from = at + 2 * skip; index < count; index++, from += 2)
      target[targetAt + index] = bytes[from]! | (bytes[from + 1]! << 8);
    return;
  }
  let bit = (skip * width) & 7;
  let from = at + Math.floor((skip * width) / 8);
  if (width <= 25) {
    const mask = 2 ** width - 1;
    for (let index = 0; index < count; index++) {
      // Beyond the end there is `undefined`, which is 0 here.
      const word =
        bytes[from]! | (bytes[from + 1]! << 8) | (bytes[from + 2]! << 16) | (bytes[from + 3]! << 24);
      target[targetAt + index] = (word >>> bit) & mask;
      bit += width;
      from += bit >>> 3;
      bit &= 7;
    }
    return;
  }
  for (let index = 0; index < count; index++) {
    let value = 0;
    for (let done = 0; done < width; ) {
      const take = Math.min(8 - bit, width - done);
      value |= ((bytes[from]! >>> bit) & ((1 << take) - 1)) << done;
      done += take;
      bit += take;
      from += bit >>> 3;
      bit &= 7;
    }
    target[targetAt + index] = value >>> 0;
  }
}
