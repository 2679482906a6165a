// Typed arrays one after the other, each starting at a multiple of 8: what a saved index is made of. They are used
// where they were read.

type Saved = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** Collects arrays as the pieces of a file. */
export class ArrayWriter {
  readonly pieces: Uint8Array[] = [];

  push(array: Saved): void {
    const { buffer, byteOffset, byteLength } = array;
    this.pieces.push(new Uint8Array(buffer, byteOffset, byteLength));
    if (byteLength % 8 !== 0) this.pieces.push(new Uint8Array(8 - (byteLength % 8)));
  }
}

/** Thrown by {@link ArrayReader} when there is less than the file says. */
export class CutShortError extends Error {}

/** Hands the arrays out again, as views, in the same order. */
export class ArrayReader {
  readonly #buffer: ArrayBuffer;
  readonly #end: number;
  #at: number;

  /** @param bytes - aligned to 8; become part of what is read */
  constructor(bytes: Uint8Array) {
    this.#buffer = bytes.buffer as ArrayBuffer;
    this.#at = bytes.byteOffset;
    this.#end = bytes.byteOffset + bytes.length;
  }

  uint8(length: number): Uint8Array {
    return new Uint8Array(this.#buffer, this.#take(length), length);
  }

  uint16(length: number): Uint16Array {
    return new Uint16Array(this.#buffer, this.#take(length * 2), length);
  }

  uint32(length: number): Uint32Array {
    return new Uint32Array(this.#buffer, this.#take(length * 4), length);
  }

  float64(length: number): Float64Array {
    return new Float64Array(this.#buffer, this.#take(length * 8), length);
  }

  /** Where the next array starts in `buffer`; goes on behind so many bytes. */
  block(length: number): { readonly buffer: ArrayBuffer; readonly byteOffset: number } {
    return { buffer: this.#buffer, byteOffset: this.#take(length) };
  }

  #take(length: number): number {
    const at = this.#at;
    // Also when `at` is no multiple of 8: then no array can lie there.
    if (length > this.#end - at || at % 8 !== 0) throw new CutShortError();
    this.#at = at + Math.ceil(length / 8) * 8;
    return at;
  }
}
