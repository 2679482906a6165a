import {
  ANY_BOOL,
  ANY_DOUBLE,
  ANY_INT,
  ANY_STRING,
  KEY_VALUE_KEY,
  KEY_VALUE_VALUE,
  varintSize,
  writeDouble,
  writeInt64,
  writeInt64BigInt,
} from '@tracewell/otlp/wire';
import type { ByteBuffer } from '../../parquet/byte-buffer.ts';
import type { MapColumn, Values } from '../../parquet/values.ts';
import { type TextAt, textAt } from '../text-at.ts';
import { TypeTag } from './key-value.ts';

const key: TextAt = { bytes: new Uint8Array(0), start: 0, end: 0 };
const value: TextAt = { bytes: new Uint8Array(0), start: 0, end: 0 };
const tags: TextAt = { bytes: new Uint8Array(0), start: 0, end: 0 };
// The last value that is no string, and its length.
const number = new Uint8Array(16);
let numberLength = 0;

/** Writes the attributes of a row as `KeyValue`s under the key `field`, but for those that only `otlp` says. */
export function writeAttributes(
  target: ByteBuffer,
  field: number,
  maps: MapColumn,
  types: Values,
  row: number,
): void {
  textAt(types, row, tags);
  const first = maps.offsets[row]!;
  const end = maps.offsets[row + 1]!;
  for (let entry = first; entry < end; entry++) {
    const tag = tags.bytes[tags.start + entry - first]!;
    if (tag === TypeTag.OTHER) continue;
    textAt(maps.keys, entry, key);
    textAt(maps.values, entry, value);
    const keyLength = key.end - key.start;
    const anyLength = anyValueSize(tag, value);
    target.byte(field);
    target.varint(1 + varintSize(keyLength) + keyLength + 1 + varintSize(anyLength) + anyLength);
    target.byte(KEY_VALUE_KEY);
    target.varint(keyLength);
    target.appendRange(key.bytes, key.start, key.end);
    target.byte(KEY_VALUE_VALUE);
    target.varint(anyLength);
    appendAnyValue(target, tag, value);
  }
}

/** How long the `AnyValue` of a text is, which `tag` says what it was. Only {@link appendAnyValue} of it may follow. */
export function anyValueSize(tag: number, { bytes, start, end }: TextAt): number {
  if (tag !== TypeTag.STRING) {
    numberLength = writeNumber(tag, bytes, start, end);
    return numberLength;
  }
  const length = end - start;
  return 1 + varintSize(length) + length;
}

/** Appends the `AnyValue` whose size {@link anyValueSize} has just told. */
export function appendAnyValue(target: ByteBuffer, tag: number, { bytes, start, end }: TextAt): void {
  if (tag === TypeTag.STRING) {
    target.byte(ANY_STRING);
    target.varint(end - start);
    target.appendRange(bytes, start, end);
  } else {
    target.appendRange(number, 0, numberLength);
  }
}

/** Writes the `AnyValue` of a text that is no string into `number`; returns its length. */
function writeNumber(tag: number, bytes: Uint8Array, start: number, end: number): number {
  if (tag === TypeTag.BOOL) {
    number[0] = ANY_BOOL;
    number[1] = bytes[start] === 0x74 ? 1 : 0;
    return 2;
  }
  if (tag === TypeTag.INT) {
    number[0] = ANY_INT;
    if (end - start < 16) return writeInt64(number, 1, integerOf(bytes, start, end));
    return writeInt64BigInt(number, 1, BigInt(textOf(bytes, start, end)));
  }
  number[0] = ANY_DOUBLE;
  return writeDouble(number, 1, Number(textOf(bytes, start, end)));
}

function integerOf(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = bytes[start] === 0x2d;
  let integer = 0;
  for (let at = isNegative ? start + 1 : start; at < end; at++) integer = integer * 10 + bytes[at]! - 0x30;
  return isNegative ? -integer : integer;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
}
