import type { BytesValues, FlatColumn } from '../parquet/values.ts';

// A dictionary is read as a whole for any of its values. Beyond this size, and where values hardly repeat, finding
// a few rows would cost milliseconds, so they stand as they are.
const MAX_DICTIONARY_BYTES = 512 * 1024;
const MIN_REPETITION = 3;

/** A column of texts by dictionary, or as they are where the dictionary is large and its texts hardly repeat. */
export function plainUnlessRepeated(column: FlatColumn): FlatColumn {
  const { values, valid } = column;
  if (!('codes' in values)) return column;
  const { codes } = values;
  const dictionary = values.dictionary as BytesValues;
  const count = dictionary.offsets.length - 1;
  if (dictionary.offsets[count]! <= MAX_DICTIONARY_BYTES || count * MIN_REPETITION <= codes.length)
    return column;
  const offsets = new Uint32Array(codes.length + 1);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    const length = isNull(valid, row) ? 0 : dictionary.offsets[code + 1]! - dictionary.offsets[code]!;
    offsets[row + 1] = offsets[row]! + length;
  }
  const bytes = new Uint8Array(offsets[codes.length]!);
  for (let row = 0; row < codes.length; row++) {
    if (isNull(valid, row)) continue;
    const code = codes[row]!;
    bytes.set(
      dictionary.bytes.subarray(dictionary.offsets[code], dictionary.offsets[code + 1]),
      offsets[row]!,
    );
  }
  return { values: { bytes, offsets }, valid };
}

function isNull(valid: Uint8Array | undefined, row: number): boolean {
  return valid !== undefined && valid[row] === 0;
}
