import { isBytes, type PlainValues } from './values.ts';

/**
 * Dictionaries that were read, so that looking for one row after the other does not unpack them each time. Those that
 * were not wanted for the longest time go when there is no room.
 */
export class DictionaryCache {
  readonly #maxBytes: number;
  // In the order in which they were wanted last.
  readonly #dictionaries = new Map<object, { readonly values: PlainValues; readonly bytes: number }>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The dictionary of a chunk, which `read` reads if it is not here. */
  get(chunk: object, read: () => PlainValues): PlainValues {
    const known = this.#dictionaries.get(chunk);
    if (known !== undefined) {
      this.#dictionaries.delete(chunk);
      this.#dictionaries.set(chunk, known);
      return known.values;
    }
    const values = read();
    const bytes = isBytes(values) ? values.bytes.byteLength + values.offsets.byteLength : values.byteLength;
    // One that takes a quarter of the room would drive too many others out.
    if (bytes * 4 > this.#maxBytes) return values;
    this.#dictionaries.set(chunk, { values, bytes });
    this.#bytes += bytes;
    for (const [oldest, { bytes: freed }] of this.#dictionaries) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#dictionaries.delete(oldest);
      this.#bytes -= freed;
    }
    return values;
  }
}

/** Of all files that are given no other one: 16 MiB. */
export const sharedDictionaries = new DictionaryCache(16 << 20);
