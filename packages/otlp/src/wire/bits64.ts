// 64 bits as JavaScript can hold them: as two unsigned 32-bit halves, a bigint or a float. One scratch buffer
// seen through several views converts without an allocation but for the bigint itself.

const scratch = new ArrayBuffer(8);
const halves = new Uint32Array(scratch);
const unsigned = new BigUint64Array(scratch);
const signed = new BigInt64Array(scratch);
const float = new Float64Array(scratch);

unsigned[0] = 1n;
const LOW = halves[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;

/** The `bigint` of two halves, without a sign. */
export function toBigUint64(low: number, high: number): bigint {
  halves[LOW] = low;
  halves[HIGH] = high;
  return unsigned[0]!;
}

/** The `bigint` of two halves in two's complement. */
export function toBigInt64(low: number, high: number): bigint {
  halves[LOW] = low;
  halves[HIGH] = high;
  return signed[0]!;
}

/** The 64-bit float of two halves. */
export function toDouble(low: number, high: number): number {
  halves[LOW] = low;
  halves[HIGH] = high;
  return float[0]!;
}

/** Splits a `bigint`, wrapped to 64 bits; {@link scratchLow} and {@link scratchHigh} then give the halves. */
export function splitBigInt(value: bigint): void {
  unsigned[0] = value;
}

/** Splits a 64-bit float; {@link scratchLow} and {@link scratchHigh} then give the halves. */
export function splitDouble(value: number): void {
  float[0] = value;
}

/** The lower half of what was split last. */
export function scratchLow(): number {
  return halves[LOW]!;
}

/** The upper half of what was split last. */
export function scratchHigh(): number {
  return halves[HIGH]!;
}
