import { readHex } from '../wire/read.ts';

const MAX_BYTES = 16;

/**
 * Reads ids that repeat: neighbouring spans share their trace, siblings their parent. All of them share one
 * string, which saves its making and 48 bytes a time.
 */
export class IdMemo {
  // A copy of the last id, so that it does not matter where the next one stands.
  readonly #bytes = new Uint8Array(MAX_BYTES);
  #length = -1;
  #digits = '';

  /** The lower-case hex digits of the bytes `start` to `end`. */
  read(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length === this.#length && this.#isLast(bytes, start)) return this.#digits;
    const digits = readHex(bytes, start, end);
    if (length > MAX_BYTES) return digits;
    for (let index = 0; index < length; index++) this.#bytes[index] = bytes[start + index]!;
    this.#length = length;
    this.#digits = digits;
    return digits;
  }

  #isLast(bytes: Uint8Array, start: number): boolean {
    const last = this.#bytes;
    for (let index = 0; index < this.#length; index++) if (bytes[start + index] !== last[index]) return false;
    return true;
  }
}
