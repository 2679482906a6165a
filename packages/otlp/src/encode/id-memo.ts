import { writeHex } from '../wire/write.ts';

/**
 * Writes ids that repeat: neighbouring spans share their trace, siblings their parent. It copies the bytes of the
 * last id instead of turning its hex digits into bytes again.
 */
export class IdMemo {
  /** The bytes of each id. */
  readonly size: number;
  readonly #bytes: Uint8Array;
  #digits = '';

  constructor(size: number) {
    this.size = size;
    this.#bytes = new Uint8Array(size);
  }

  /** Writes an id of the right number of hex digits; returns the offset behind it, or -1 if they are none. */
  write(bytes: Uint8Array, at: number, digits: string): number {
    const memo = this.#bytes;
    if (digits !== this.#digits) {
      if (writeHex(memo, 0, digits) === -1) {
        this.#digits = '';
        return -1;
      }
      this.#digits = digits;
    }
    for (let index = 0; index < memo.length; index++) bytes[at + index] = memo[index]!;
    return at + memo.length;
  }
}
