import type { BytesValues, FlatColumn } from '../parquet/values.ts';
import { isThere, type TextAt, textAt } from './text-at.ts';

const found: TextAt = { bytes: new Uint8Array(0), start: 0, end: 0 };

/** Tells of each row whether it has a text. */
export function equalTo(column: FlatColumn, text: string): (row: number) => boolean {
  const wanted = Buffer.from(text);
  const { values } = column;
  if (!('codes' in values)) return (row) => isThere(column, row) && isText(column, row, wanted);
  const { bytes, offsets } = values.dictionary as BytesValues;
  const matching = new Uint8Array(offsets.length - 1);
  for (let code = 0; code < matching.length; code++) {
    if (wanted.equals(bytes.subarray(offsets[code], offsets[code + 1]))) matching[code] = 1;
  }
  const { codes } = values;
  return (row) => isThere(column, row) && matching[codes[row]!] === 1;
}

function isText(column: FlatColumn, row: number, wanted: Uint8Array): boolean {
  textAt(column.values, row, found);
  if (found.end - found.start !== wanted.length) return false;
  for (let at = 0; at < wanted.length; at++) if (found.bytes[found.start + at] !== wanted[at]) return false;
  return true;
}
