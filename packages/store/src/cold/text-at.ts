import type { ByteBuffer } from '../parquet/byte-buffer.ts';
import type { BytesValues, FlatColumn, Values } from '../parquet/values.ts';

/** Where a text or some bytes lie. One is used again and again, so that looking at a row makes no object. */
export interface TextAt {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/** Finds the text of a row. */
export function textAt(values: Values, row: number, found: TextAt): void {
  const isCoded = 'codes' in values;
  const texts = (isCoded ? values.dictionary : values) as BytesValues;
  const index = isCoded ? values.codes[row]! : row;
  found.bytes = texts.bytes;
  found.start = texts.offsets[index]!;
  found.end = texts.offsets[index + 1]!;
}

/** Whether a row has a value. */
export function isThere({ valid }: FlatColumn, row: number): boolean {
  return valid === undefined || valid[row] !== 0;
}

const left: TextAt = { bytes: new Uint8Array(0), start: 0, end: 0 };
const right: TextAt = { bytes: new Uint8Array(0), start: 0, end: 0 };

/** Compares the texts of two rows by their bytes. */
export function compareTexts(a: Values, rowA: number, b: Values, rowB: number): number {
  textAt(a, rowA, left);
  textAt(b, rowB, right);
  const length = Math.min(left.end - left.start, right.end - right.start);
  for (let index = 0; index < length; index++) {
    const order = left.bytes[left.start + index]! - right.bytes[right.start + index]!;
    if (order !== 0) return order;
  }
  return left.end - left.start - (right.end - right.start);
}

const found: TextAt = { bytes: new Uint8Array(0), start: 0, end: 0 };

/** Appends the text of a row as a field, unless it is empty. */
export function appendText(target: ByteBuffer, key: number, values: Values, row: number): void {
  textAt(values, row, found);
  if (found.end === found.start) return;
  target.byte(key);
  target.varint(found.end - found.start);
  target.appendRange(found.bytes, found.start, found.end);
}

/** As {@link appendText}, unless the row is a null. */
export function appendTextField(target: ByteBuffer, key: number, column: FlatColumn, row: number): void {
  if (isThere(column, row)) appendText(target, key, column.values, row);
}

/** Appends the bytes of a row as they are, unless it is a null. */
export function appendBytes(target: ByteBuffer, column: FlatColumn, row: number): void {
  if (!isThere(column, row)) return;
  textAt(column.values, row, found);
  target.appendRange(found.bytes, found.start, found.end);
}

/** Appends the hex digits of a row as a field of bytes. */
export function appendId(target: ByteBuffer, key: number, values: Values, row: number): void {
  textAt(values, row, found);
  const { bytes, start, end } = found;
  target.byte(key);
  target.varint((end - start) / 2);
  target.reserve((end - start) / 2);
  const out = target.bytes;
  let to = target.length;
  for (let at = start; at < end; at += 2) out[to++] = (digit(bytes[at]!) << 4) | digit(bytes[at + 1]!);
  target.length = to;
}

/** As {@link appendId}, unless the row is a null. */
export function appendIdField(target: ByteBuffer, key: number, column: FlatColumn, row: number): void {
  if (isThere(column, row)) appendId(target, key, column.values, row);
}

/** The value of a lower-case hex digit. */
function digit(character: number): number {
  return character < 0x3a ? character - 0x30 : character - 0x57;
}

/** Appends the 8 bytes of a row as a field, unless it is a null. */
export function appendFixed64Field(target: ByteBuffer, key: number, column: FlatColumn, row: number): void {
  if (!isThere(column, row)) return;
  const { values } = column;
  const halves =
    values instanceof Float64Array
      ? new Uint32Array(values.buffer, values.byteOffset, 2 * values.length)
      : (values as Uint32Array);
  appendFixed64(target, key, halves[2 * row]!, halves[2 * row + 1]!);
}

/** Appends 8 bytes as a field. */
export function appendFixed64(target: ByteBuffer, key: number, low: number, high: number): void {
  target.byte(key);
  target.fixed32(low);
  target.fixed32(high);
}
