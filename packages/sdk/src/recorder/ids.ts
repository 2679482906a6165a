import { randomFillSync } from 'node:crypto';
import { readHex } from '@tracewell/otlp/wire';

/** Fills bytes with random ones. */
export type RandomSource = (bytes: Uint8Array) => void;

/** Random bytes fetched at a time. One call of the generator costs 2 us, whatever it is asked for. */
const BLOCK_BYTES = 8192;

/** Trace and span ids from a cryptographic source, which is asked in blocks. */
export class IdSource {
  readonly #random: RandomSource;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  #at = BLOCK_BYTES;

  constructor(random: RandomSource = randomFillSync) {
    this.#random = random;
  }

  /** Writes an id of `length` bytes, 16 for a trace and 8 for a span, that is not all zero. */
  write(bytes: Uint8Array, at: number, length: number): void {
    for (;;) {
      if (this.#at + length > BLOCK_BYTES) {
        this.#random(this.#block);
        this.#at = 0;
      }
      const block = this.#block;
      const from = this.#at;
      let any = 0;
      for (let index = 0; index < length; index++) {
        const byte = block[from + index]!;
        any |= byte;
        bytes[at + index] = byte;
      }
      this.#at = from + length;
      if (any !== 0) return;
    }
  }
}

const shared = new IdSource();
const scratch = new Uint8Array(16);

/**
 * A new trace id: 32 lower-case hex digits from a cryptographic source, never all zero.
 *
 * @example
 * ```ts
 * import { randomTraceId } from '@tracewell/sdk';
 *
 * console.log(randomTraceId().length); // 32
 * ```
 */
export function randomTraceId(): string {
  shared.write(scratch, 0, 16);
  return readHex(scratch, 0, 16);
}

/**
 * A new span id: 16 lower-case hex digits from a cryptographic source, never all zero.
 *
 * @example
 * ```ts
 * import { randomSpanId } from '@tracewell/sdk';
 *
 * console.log(randomSpanId().length); // 16
 * ```
 */
export function randomSpanId(): string {
  shared.write(scratch, 0, 8);
  return readHex(scratch, 0, 8);
}
