import { randomFillSync } from 'node:crypto';

/** One call of the random source serves 128 trace ids; a short-lived id then keeps 4 KiB of digits alive at most. */
const BLOCK_BYTES = 2048;
const block = Buffer.allocUnsafe(BLOCK_BYTES);
let digits = '';
let at = 0;

/** A random trace id: 32 lower-case hex digits, not all zero. */
export function randomTraceId(): string {
  return randomDigits(32);
}

/** A random span id: 16 lower-case hex digits, not all zero. */
export function randomSpanId(): string {
  return randomDigits(16);
}

function randomDigits(count: number): string {
  if (at + count > digits.length) {
    randomFillSync(block);
    digits = block.toString('hex');
    at = 0;
  }
  const id = digits.slice(at, at + count);
  at += count;
  return /[^0]/.test(id) ? id : randomDigits(count);
}
