import { readHex } from '@tracewell/otlp/wire';
import { crypto } from '../crypto.ts';
import { copyShort, Memory } from './memory.ts';

/** Fills bytes with random ones. */
export type RandomSource = (bytes: Uint8Array) => void;

/** Random bytes fetched at a time. One call of the generator costs 2 us, whatever it is asked for. */
const BLOCK_BYTES = 8192;

/** Trace and span ids from a cryptographic source, which is asked in blocks. */
export class IdSource {
  readonly #random: RandomSource;
  readonly #block = new Memory(BLOCK_BYTES);
  #at = BLOCK_BYTES;

  constructor(random: RandomSource = (bytes) => void crypto().randomFillSync(bytes)) {
    this.#random = random;
  }

  /** Writes an id that is not all zero: 16 bytes for a trace, 8 for a span. */
  write(view: DataView, at: number, length: 8 | 16): void {
    if (this.#at + length > BLOCK_BYTES) this.#fill();
    copyShort(this.#block.view, this.#at, view, at, length);
    this.#at += length;
  }

  /** Fetches a block. No 8 bytes of it stay all zero, and so no id: of random ones, once in 2^64. */
  #fill(): void {
    const { bytes, view } = this.#block;
    this.#random(bytes);
    for (let at = 0; at < BLOCK_BYTES; at += 8) {
      if ((view.getInt32(at) | view.getInt32(at + 4)) === 0) bytes[at + 7] = 1;
    }
    this.#at = 0;
  }
}

const shared = new IdSource();
const scratch = new Memory(16);

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
  shared.write(scratch.view, 0, 16);
  return readHex(scratch.bytes, 0, 16);
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
  shared.write(scratch.view, 0, 8);
  return readHex(scratch.bytes, 0, 8);
}
