// Fields whose default is left out, as proto3 does. `name` is what the field is called in plain data, for the
// errors that encode/checks.ts makes of what is wrong.

import {
  stringRoom,
  writeDouble,
  writeFixed32,
  writeFixed64BigInt,
  writeHex,
  writeString,
  writeVarint,
} from '../wire/write.ts';
import {
  badId,
  checkBoolean,
  checkInt32,
  checkNumber,
  checkSpanId,
  checkText,
  checkTraceId,
  checkUint32,
  checkUint64,
  outOfRange,
} from './checks.ts';
import type { IdMemo } from './id-memo.ts';
import type { Writer } from './writer.ts';

/** Appends a string, unless it is empty. */
export function writeStringField(
  writer: Writer,
  at: number,
  key: number,
  text: string,
  name: string,
): number {
  if (text === '') return at;
  checkText(text, name);
  const bytes = writer.room(at, 1 + stringRoom(text.length));
  bytes[at] = key;
  return writeString(bytes, at + 1, text);
}

/** Appends a number as `uint32`, or as an enum whose largest number is `max`, unless it is 0. */
export function writeUint32Field(
  writer: Writer,
  at: number,
  key: number,
  value: number,
  name: string,
  max?: number,
): number {
  if (value === 0) return at;
  checkUint32(value, name, max);
  const bytes = writer.room(at, 6);
  bytes[at] = key;
  return writeVarint(bytes, at + 1, value);
}

/** Appends a number as `sint32`, unless it is 0. */
export function writeSint32Field(
  writer: Writer,
  at: number,
  key: number,
  value: number,
  name: string,
): number {
  if (value === 0) return at;
  checkInt32(value, name);
  const bytes = writer.room(at, 6);
  bytes[at] = key;
  return writeVarint(bytes, at + 1, ((value << 1) ^ (value >> 31)) >>> 0);
}

/** Appends a boolean, unless it is `false`. */
export function writeBoolField(
  writer: Writer,
  at: number,
  key: number,
  value: boolean,
  name: string,
): number {
  if (value === false) return at;
  checkBoolean(value, name);
  const bytes = writer.room(at, 2);
  bytes[at] = key;
  bytes[at + 1] = 1;
  return at + 2;
}

/** Appends a number as `fixed32`, unless it is 0. The key may have two bytes. */
export function writeFixed32Field(
  writer: Writer,
  at: number,
  key: number,
  value: number,
  name: string,
): number {
  if (value === 0) return at;
  checkUint32(value, name);
  const bytes = writer.room(at, 6);
  return writeFixed32(bytes, writeVarint(bytes, at, key), value);
}

/** Appends nanoseconds as `fixed64`, unless they are 0. */
export function writeTimeField(writer: Writer, at: number, key: number, nanos: bigint, name: string): number {
  if (nanos === 0n) return at;
  checkUint64(nanos, name, ' nanoseconds');
  return writeFixed64(writer, at, key, nanos);
}

/** Appends a count as `fixed64`, unless it is 0. */
export function writeCountField(
  writer: Writer,
  at: number,
  key: number,
  count: bigint,
  name: string,
): number {
  if (count === 0n) return at;
  checkUint64(count, name, '');
  return writeFixed64(writer, at, key, count);
}

function writeFixed64(writer: Writer, at: number, key: number, value: bigint): number {
  const bytes = writer.room(at, 9);
  bytes[at] = key;
  return writeFixed64BigInt(bytes, at + 1, value);
}

/** Appends a `double`, unless it is 0; -0 is not. */
export function writeDoubleField(
  writer: Writer,
  at: number,
  key: number,
  value: number,
  name: string,
): number {
  checkNumber(value, name);
  return Object.is(value, 0) ? at : writeDoubleOf(writer, at, key, value);
}

/** Appends an `optional double`, unless there is none; 0 is one. */
export function writeOptionalDouble(
  writer: Writer,
  at: number,
  key: number,
  value: number | undefined,
  name: string,
): number {
  if (value === undefined) return at;
  checkNumber(value, name);
  return writeDoubleOf(writer, at, key, value);
}

function writeDoubleOf(writer: Writer, at: number, key: number, value: number): number {
  const bytes = writer.room(at, 9);
  bytes[at] = key;
  return writeDouble(bytes, at + 1, value);
}

/** Appends the id of a trace or, as the memo says by its size, of a span; unless it is empty. */
export function writeIdField(
  writer: Writer,
  at: number,
  key: number,
  memo: IdMemo,
  digits: string,
  name: string,
): number {
  if (digits === '') return at;
  if (memo.size === 16) checkTraceId(digits, name);
  else checkSpanId(digits, name);
  const bytes = writer.room(at, 2 + memo.size);
  bytes[at] = key;
  bytes[at + 1] = memo.size;
  const end = memo.write(bytes, at + 2, digits);
  if (end === -1) throw badId(name, 2 * memo.size, digits);
  return end;
}

/** Appends hex digits as bytes, whatever they are the id of and however many, unless there are none. */
export function writeHexField(writer: Writer, at: number, key: number, hex: string, name: string): number {
  if (hex === '') return at;
  checkText(hex, name);
  const bytes = writer.room(at, 6 + hex.length);
  bytes[at] = key;
  const end = writeHex(bytes, writeVarint(bytes, at + 1, hex.length >>> 1), hex);
  if (end === -1) throw outOfRange(name, 'hex digits', hex);
  return end;
}
