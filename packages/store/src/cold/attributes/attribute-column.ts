import { BytesDictionary } from '../../parquet/bytes-dictionary.ts';
import { GrowingUint32 } from '../../parquet/growing.ts';
import type { BytesValues, FlatColumn, MapColumn, Values } from '../../parquet/values.ts';
import { attributeText, TypeTag } from './key-value.ts';

// A dictionary is read as a whole for any of its values. Beyond this size, and where values hardly repeat, finding
// one trace would cost milliseconds, so they stand as they are.
const MAX_DICTIONARY_BYTES = 512 * 1024;
const MIN_REPETITION = 3;

/**
 * Attributes while a row group is being built: for each row a map from text to text, and the letters that say what
 * the texts were.
 *
 * Attributes repeat themselves. One that was seen before, key and value, is found by its bytes as they came; only
 * a new one is looked into.
 */
export class AttributeColumn {
  /** Whole `KeyValue` messages, and what they say. */
  readonly #known = new BytesDictionary();
  readonly #knownKeys = new GrowingUint32();
  readonly #knownValues = new GrowingUint32();
  readonly #knownTags = new GrowingUint32();
  readonly #keys = new BytesDictionary();
  readonly #values = new BytesDictionary();
  readonly #types = new BytesDictionary();
  // By entry.
  readonly #keyCodes = new GrowingUint32(1 << 12);
  readonly #valueCodes = new GrowingUint32(1 << 12);
  // By row.
  readonly #offsets = new GrowingUint32();
  readonly #typeCodes = new GrowingUint32();
  // By key: the row that had it last, counted from 1, and where in that row's tags it is.
  #lastRow = new Uint32Array(256);
  #place = new Uint32Array(256);
  #row = 1;
  #tags = new Uint8Array(64);
  #count = 0;

  readonly #maxDictionaryBytes: number;

  /** @param maxDictionaryBytes - above which a dictionary of values that hardly repeat is not made */
  constructor(maxDictionaryBytes: number = MAX_DICTIONARY_BYTES) {
    this.#maxDictionaryBytes = maxDictionaryBytes;
    this.#offsets.push(0);
  }

  /**
   * Adds the attribute of the `KeyValue` message from `start` to `end` to the row. It takes the place of an earlier
   * one with the same key.
   *
   * @returns whether the column says all of it; otherwise the caller keeps the message
   */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    const number = this.#known.add(bytes, start, end);
    if (this.#known.isNew) this.#learn(bytes, start, end);
    const key = this.#knownKeys.values[number]!;
    const tag = this.#knownTags.values[number]!;
    let place = this.#count;
    if (this.#lastRow[key] === this.#row) {
      place = this.#place[key]!;
      this.#valueCodes.values[this.#offsets.values[this.#row - 1]! + place] =
        this.#knownValues.values[number]!;
    } else {
      this.#lastRow[key] = this.#row;
      this.#place[key] = place;
      this.#count++;
      this.#keyCodes.push(key);
      this.#valueCodes.push(this.#knownValues.values[number]!);
      if (place === this.#tags.length) this.#tags = copyOf(this.#tags, new Uint8Array(place * 2));
    }
    this.#tags[place] = tag;
    return tag !== TypeTag.OTHER;
  }

  /** About how many bytes of memory there are. */
  get byteLength(): number {
    return this.#known.byteLength + this.#values.byteLength + this.#keyCodes.length * 8;
  }

  /** Ends the row. */
  endRow(): void {
    this.#offsets.push(this.#keyCodes.length);
    this.#typeCodes.push(this.#types.add(this.#tags, 0, this.#count));
    this.#row++;
    this.#count = 0;
  }

  /** The maps of all rows. */
  maps(): MapColumn {
    return {
      offsets: this.#offsets.view(),
      keys: { codes: this.#keyCodes.view(), dictionary: this.#keys.values() },
      values: this.#valuesOf(this.#valueCodes.view()),
    };
  }

  /** The letters of all rows. */
  types(): FlatColumn {
    return { values: { codes: this.#typeCodes.view(), dictionary: this.#types.values() } };
  }

  /** Begins anew. What the methods above returned is no longer good. */
  clear(): void {
    for (const dictionary of [this.#known, this.#keys, this.#values, this.#types]) dictionary.clear();
    for (const numbers of [this.#knownKeys, this.#knownValues, this.#knownTags]) numbers.length = 0;
    for (const numbers of [this.#keyCodes, this.#valueCodes, this.#typeCodes]) numbers.length = 0;
    this.#offsets.length = 1;
    this.#lastRow.fill(0);
    this.#row = 1;
  }

  #learn(bytes: Uint8Array, start: number, end: number): void {
    const { key, value, tag } = attributeText(bytes, start, end);
    const code = this.#keys.add(key, 0, key.length);
    if (code >= this.#lastRow.length) {
      this.#lastRow = copyOf(this.#lastRow, new Uint32Array(code * 2));
      this.#place = copyOf(this.#place, new Uint32Array(code * 2));
    }
    this.#knownKeys.push(code);
    this.#knownValues.push(this.#values.add(value, 0, value.length));
    this.#knownTags.push(tag);
  }

  #valuesOf(codes: Uint32Array): Values {
    const dictionary = this.#values;
    if (dictionary.byteLength <= this.#maxDictionaryBytes || dictionary.size * MIN_REPETITION <= codes.length)
      return { codes, dictionary: dictionary.values() };
    return plainValues(codes, dictionary.values());
  }
}

function plainValues(codes: Uint32Array, dictionary: BytesValues): BytesValues {
  const offsets = new Uint32Array(codes.length + 1);
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index]!;
    offsets[index + 1] = offsets[index]! + dictionary.offsets[code + 1]! - dictionary.offsets[code]!;
  }
  const bytes = new Uint8Array(offsets[codes.length]!);
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index]!;
    bytes.set(
      dictionary.bytes.subarray(dictionary.offsets[code], dictionary.offsets[code + 1]),
      offsets[index],
    );
  }
  return { bytes, offsets };
}

function copyOf<Numbers extends Uint8Array | Uint32Array>(old: Numbers, larger: Numbers): Numbers {
  larger.set(old);
  return larger;
}
