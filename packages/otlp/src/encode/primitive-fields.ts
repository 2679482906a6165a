// Fields whose default is left out, as proto3 does.

import {
  stringRoom,
  writeFixed32,
  writeFixed64BigInt,
  writeHex,
  writeString,
  writeVarint,
} from '../wire/write.ts';
import type { IdMemo } from './id-memo.ts';
import type { Writer } from './writer.ts';

/** Appends a string, unless it is empty. */
export function writeStringField(writer: Writer, at: number, key: number, text: string): number {
  if (text === '') return at;
  const bytes = writer.room(at, 1 + stringRoom(text.length));
  bytes[at] = key;
  return writeString(bytes, at + 1, text);
}

/** Appends a number as `uint32` or enum, unless it is 0. */
export function writeUint32Field(writer: Writer, at: number, key: number, value: number): number {
  if (value === 0) return at;
  const bytes = writer.room(at, 6);
  bytes[at] = key;
  return writeVarint(bytes, at + 1, value >>> 0);
}

/** Appends a number as `fixed32`, unless it is 0. The key may have two bytes. */
export function writeFixed32Field(writer: Writer, at: number, key: number, value: number): number {
  if (value === 0) return at;
  const bytes = writer.room(at, 6);
  return writeFixed32(bytes, writeVarint(bytes, at, key), value);
}

/** Appends nanoseconds as `fixed64`, unless they are 0. Throws a `RangeError` that calls them `name`. */
export function writeTimeField(writer: Writer, at: number, key: number, nanos: bigint, name: string): number {
  if (nanos === 0n) return at;
  checkNanos(nanos, name);
  const bytes = writer.room(at, 9);
  bytes[at] = key;
  return writeFixed64BigInt(bytes, at + 1, nanos);
}

const MAX_NANOS = 0xffff_ffff_ffff_ffffn;

/** Throws a `RangeError` for nanoseconds that OTLP cannot say: they would come back as some other time. */
export function checkNanos(nanos: bigint, name: string): void {
  if (nanos < 0n || nanos > MAX_NANOS) {
    throw new RangeError(`${name} must be from 0 to ${MAX_NANOS} nanoseconds, got ${nanos}`);
  }
}

/** Appends hex digits as bytes, unless there are none. Throws a `RangeError` that calls them `name`. */
export function writeHexField(writer: Writer, at: number, key: number, hex: string, name: string): number {
  if (hex === '') return at;
  const bytes = writer.room(at, 6 + hex.length);
  bytes[at] = key;
  const end = writeHex(bytes, writeVarint(bytes, at + 1, hex.length >>> 1), hex);
  if (end === -1) throw new RangeError(`${name} must be hex digits, got ${JSON.stringify(hex)}`);
  return end;
}

/** Appends an id that probably was the last one too, unless there is none. Throws as {@link writeHexField}. */
export function writeIdField(
  writer: Writer,
  at: number,
  key: number,
  memo: IdMemo,
  digits: string,
  name: string,
): number {
  if (digits === '') return at;
  const bytes = writer.room(at, 2 + memo.size);
  bytes[at] = key;
  bytes[at + 1] = memo.size;
  const end = memo.write(bytes, at + 2, digits);
  if (end === -1) throw new RangeError(`${name} must be hex digits, got ${JSON.stringify(digits)}`);
  return end;
}
