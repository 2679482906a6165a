import type { BytesValues } from '../../parquet/values.ts';

// The two ASCII digits of a byte as one number, in the order in which they stand in memory.
const DIGITS = new Uint16Array(256);
for (let byte = 0; byte < 256; byte++) {
  Buffer.from(byte.toString(16).padStart(2, '0')).copy(new Uint8Array(DIGITS.buffer), byte * 2);
}

/** Ids of one length as hex digits, while a row group is being built. Two digits are one store. */
export class HexColumn {
  readonly #idBytes: number;
  #digits: Uint16Array<ArrayBuffer>;
  #length = 0;

  constructor(idBytes: number) {
    this.#idBytes = idBytes;
    this.#digits = new Uint16Array(idBytes << 12);
  }

  /** Adds the id at `start`. */
  add(bytes: Uint8Array, start: number): void {
    const count = this.#idBytes;
    if (this.#length + count > this.#digits.length) {
      const larger = new Uint16Array(this.#digits.length * 2);
      larger.set(this.#digits);
      this.#digits = larger;
    }
    const digits = this.#digits;
    let to = this.#length;
    for (let at = start; at < start + count; at++) digits[to++] = DIGITS[bytes[at]!]!;
    this.#length = to;
  }

  /** All ids. */
  values(): BytesValues {
    return this.valuesWhere(new Uint8Array(this.#length / this.#idBytes).fill(1));
  }

  /** The ids, each in the next row that is `valid`; the other rows are empty. */
  valuesWhere(valid: Uint8Array): BytesValues {
    const width = 2 * this.#idBytes;
    const offsets = new Uint32Array(valid.length + 1);
    for (let row = 0; row < valid.length; row++) offsets[row + 1] = offsets[row]! + width * valid[row]!;
    return { bytes: new Uint8Array(this.#digits.buffer, 0, 2 * this.#length), offsets };
  }

  /** Begins anew. What the methods above returned is no longer good. */
  clear(): void {
    this.#length = 0;
  }
}
