import { BytesDictionary } from '../parquet/bytes-dictionary.ts';
import { GrowingUint32 } from '../parquet/growing.ts';
import type { FlatColumn } from '../parquet/values.ts';
import { validUtf8 } from './attributes/key-value.ts';

const NONE = 0xffff_ffff;

/** A column of texts that repeat themselves, while a row group is being built. */
export class TextColumn {
  /** As they came, which need not be UTF-8, and what each is in the dictionary. */
  readonly #known = new BytesDictionary();
  readonly #textOf = new GrowingUint32();
  readonly #texts = new BytesDictionary();
  readonly #codes = new GrowingUint32();
  #hasNulls = false;

  /** Adds the row of the text from `start` to `end`. */
  add(bytes: Uint8Array, start: number, end: number): void {
    const number = this.#known.add(bytes, start, end);
    if (this.#known.isNew) {
      const text = validUtf8(bytes, start, end);
      this.#textOf.push(this.#texts.add(text, 0, text.length));
    }
    this.#codes.push(this.#textOf.values[number]!);
  }

  /** As {@link add}; an empty text is none. */
  addOrNull(bytes: Uint8Array, start: number, end: number): void {
    if (end > start) this.add(bytes, start, end);
    else this.addText(undefined);
  }

  /** Adds the row of a text, or of none. */
  addText(text: string | undefined): void {
    if (text === undefined) {
      this.#hasNulls = true;
      this.#codes.push(NONE);
    } else {
      const bytes = Buffer.from(text);
      this.add(bytes, 0, bytes.length);
    }
  }

  /** The column of all rows. */
  column(): FlatColumn {
    const codes = this.#codes.view();
    const dictionary = this.#texts.values();
    if (!this.#hasNulls) return { values: { codes, dictionary } };
    const valid = new Uint8Array(codes.length);
    for (let row = 0; row < codes.length; row++) valid[row] = codes[row] === NONE ? 0 : 1;
    return { values: { codes, dictionary }, valid };
  }

  /** Begins anew. What {@link column} returned is no longer good. */
  clear(): void {
    this.#known.clear();
    this.#texts.clear();
    this.#textOf.length = 0;
    this.#codes.length = 0;
    this.#hasNulls = false;
  }
}
