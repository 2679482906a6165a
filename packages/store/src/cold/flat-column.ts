import type { ParquetFile } from '../parquet/file.ts';
import type { BytesValues, FlatColumn, Values } from '../parquet/values.ts';

/**
 * Reads the rows `from` to `to` of a flat column. Where all rows of the row group say the same, which the footer
 * tells, no page is read.
 */
export function readFlat(
  file: ParquetFile,
  group: number,
  name: string,
  from: number,
  to: number,
): FlatColumn {
  const constant = constantColumn(file, group, name, to - from);
  return constant ?? (file.readColumn(group, name, from, to) as FlatColumn);
}

function constantColumn(
  file: ParquetFile,
  group: number,
  name: string,
  count: number,
): FlatColumn | undefined {
  const statistics = file.statistics(group, name);
  if (statistics === undefined) return undefined;
  const { nullCount, range } = statistics;
  if (nullCount === file.rowsOf(group)) {
    return { values: { codes: new Uint32Array(count), dictionary: NOTHING }, valid: new Uint8Array(count) };
  }
  if (nullCount > 0 || range?.exact !== true || Buffer.compare(range.min, range.max) !== 0) return undefined;
  const value = range.min;
  switch (file.typeOf(name)) {
    case 'string':
    case 'bytes': {
      return { values: repeatedBytes(value, count) };
    }
    case 'int32':
    case 'uint32':
      return { values: new Int32Array(count).fill(wordOf(value, 0)) };
    default:
      return undefined;
  }
}

/** So many times the same bytes. */
export function repeatedBytes(value: Uint8Array, count: number): Values {
  const dictionary = { bytes: value, offsets: Uint32Array.of(0, value.length) };
  return { codes: new Uint32Array(count), dictionary };
}

const NOTHING: BytesValues = { bytes: new Uint8Array(0), offsets: new Uint32Array(2) };

function wordOf(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** The bytes of a row of a column of byte strings: a view. */
export function bytesAt(values: Values, row: number): Uint8Array {
  const isCoded = 'codes' in values;
  const { bytes, offsets } = (isCoded ? values.dictionary : values) as BytesValues;
  const index = isCoded ? values.codes[row]! : row;
  return bytes.subarray(offsets[index], offsets[index + 1]);
}

/** Texts of a few as their numbers among them. */
export function numbersOf(values: Values, texts: readonly string[], count: number): Uint8Array {
  const numbers = new Uint8Array(count);
  if (!('codes' in values)) throw new TypeError('a column of a few texts has a dictionary');
  const { bytes, offsets } = values.dictionary as BytesValues;
  const numberOf = new Uint8Array(offsets.length - 1);
  for (let code = 0; code < numberOf.length; code++) {
    const text = Buffer.from(bytes.subarray(offsets[code], offsets[code + 1])).toString();
    numberOf[code] = Math.max(0, texts.indexOf(text));
  }
  for (let row = 0; row < count; row++) numbers[row] = numberOf[values.codes[row]!]!;
  return numbers;
}
