// XXH64 with seed 0, which is what Parquet's Bloom filters hash with. 64-bit arithmetic by halves of 32 bits:
// with bigints a hash of 32 bytes takes some microseconds, so it takes 0.1.
// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md

/** The halves of the hash that was computed last. */
export const hash = { low: 0, high: 0 };

// The result of the last operation below: two numbers cannot be returned without an object.
let low = 0;
let high = 0;

function multiply(aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  const a0 = aLow & 0xffff;
  const a1 = aLow >>> 16;
  const b0 = bLow & 0xffff;
  const b1 = bLow >>> 16;
  const p00 = a0 * b0;
  const p01 = a0 * b1;
  const p10 = a1 * b0;
  const middle = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
  high =
    (a1 * b1 +
      (p01 >>> 16) +
      (p10 >>> 16) +
      (middle >>> 16) +
      Math.imul(aLow, bHigh) +
      Math.imul(aHigh, bLow)) |
    0;
  low = (middle << 16) | (p00 & 0xffff);
}

function add(aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  const sum = (aLow >>> 0) + (bLow >>> 0);
  high = (aHigh + bHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0;
  low = sum | 0;
}

/** Rotates the last result by less than 32 bits to the left. */
function rotate(bits: number): void {
  const newHigh = (high << bits) | (low >>> (32 - bits));
  low = (low << bits) | (high >>> (32 - bits));
  high = newHigh;
}

const P1L = 0x85ebca87 | 0;
const P1H = 0x9e3779b1 | 0;
const P2L = 0x27d4eb4f | 0;
const P2H = 0xc2b2ae3d | 0;
const P3L = 0x9e3779f9 | 0;
const P3H = 0x165667b1 | 0;
const P4L = 0xc2b2ae63 | 0;
const P4H = 0x85ebca77 | 0;
const P5L = 0x165667c5 | 0;
const P5H = 0x27d4eb2f | 0;

const lanes = new Int32Array(8);

function round(accumulatorLow: number, accumulatorHigh: number, inputLow: number, inputHigh: number): void {
  multiply(inputLow, inputHigh, P2L, P2H);
  add(accumulatorLow, accumulatorHigh, low, high);
  rotate(31);
  multiply(low, high, P1L, P1H);
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Hashes the bytes from `start` to `end` into {@link hash}. */
export function xxhash64(bytes: Uint8Array, start: number, end: number): void {
  const length = end - start;
  let at = start;
  let hashLow: number;
  let hashHigh: number;
  if (length >= 32) {
    add(P1L, P1H, P2L, P2H);
    lanes[0] = low;
    lanes[1] = high;
    lanes[2] = P2L;
    lanes[3] = P2H;
    lanes[4] = 0;
    lanes[5] = 0;
    lanes[6] = -P1L;
    lanes[7] = ~P1H;
    for (; at + 32 <= end; at += 32) {
      for (let lane = 0; lane < 4; lane++) {
        const from = at + 8 * lane;
        round(lanes[2 * lane]!, lanes[2 * lane + 1]!, word(bytes, from), word(bytes, from + 4));
        lanes[2 * lane] = low;
        lanes[2 * lane + 1] = high;
      }
    }
    hashLow = 0;
    hashHigh = 0;
    for (let lane = 0; lane < 4; lane++) {
      low = lanes[2 * lane]!;
      high = lanes[2 * lane + 1]!;
      rotate(ROTATIONS[lane]!);
      add(hashLow, hashHigh, low, high);
      hashLow = low;
      hashHigh = high;
    }
    for (let lane = 0; lane < 4; lane++) {
      round(0, 0, lanes[2 * lane]!, lanes[2 * lane + 1]!);
      multiply(hashLow ^ low, hashHigh ^ high, P1L, P1H);
      add(low, high, P4L, P4H);
      hashLow = low;
      hashHigh = high;
    }
  } else {
    hashLow = P5L;
    hashHigh = P5H;
  }
  add(hashLow, hashHigh, length, 0);
  hashLow = low;
  hashHigh = high;
  for (; at + 8 <= end; at += 8) {
    round(0, 0, word(bytes, at), word(bytes, at + 4));
    low ^= hashLow;
    high ^= hashHigh;
    rotate(27);
    multiply(low, high, P1L, P1H);
    add(low, high, P4L, P4H);
    hashLow = low;
    hashHigh = high;
  }
  if (at + 4 <= end) {
    multiply(word(bytes, at), 0, P1L, P1H);
    low ^= hashLow;
    high ^= hashHigh;
    rotate(23);
    multiply(low, high, P2L, P2H);
    add(low, high, P3L, P3H);
    hashLow = low;
    hashHigh = high;
    at += 4;
  }
  for (; at < end; at++) {
    multiply(bytes[at]!, 0, P5L, P5H);
    low ^= hashLow;
    high ^= hashHigh;
    rotate(11);
    multiply(low, high, P1L, P1H);
    hashLow = low;
    hashHigh = high;
  }
  // high ^= high >>> 33 and so on: shifts by more than 32 bits.
  hashLow ^= hashHigh >>> 1;
  multiply(hashLow, hashHigh, P2L, P2H);
  hashHigh = high ^ (high >>> 29);
  hashLow = low ^ ((low >>> 29) | (high << 3));
  multiply(hashLow, hashHigh, P3L, P3H);
  hash.low = (low ^ high) >>> 0;
  hash.high = high >>> 0;
}

const ROTATIONS = [1, 7, 12, 18];
