// Fields whose default is left out, as proto3 does.

import {
  stringRoom,
  writeFixed32,
  writeFixed64BigInt,
  writeHex,
  writeString,
  writeVarint,
} from '../wire/write.ts';
import type { Writer } from './writer.ts';

/** Appends a string, unless it is empty. */
export function writeStringField(writer: Writer, key: number, text: string): void {
  if (text === '') return;
  writer.room(1 + stringRoom(text.length));
  writer.bytes[writer.at] = key;
  writer.at = writeString(writer.bytes, writer.at + 1, text);
}

/** Appends a number as `uint32` or enum, unless it is 0. */
export function writeUint32Field(writer: Writer, key: number, value: number): void {
  if (value === 0) return;
  writer.room(6);
  writer.bytes[writer.at] = key;
  writer.at = writeVarint(writer.bytes, writer.at + 1, value >>> 0);
}

/** Appends a number as `fixed32`, unless it is 0. The key may have two bytes. */
export function writeFixed32Field(writer: Writer, key: number, value: number): void {
  if (value === 0) return;
  writer.room(6);
  writer.at = writeFixed32(writer.bytes, writeVarint(writer.bytes, writer.at, key), value);
}

/** Appends nanoseconds as `fixed64`, unless they are 0. */
export function writeTimeField(writer: Writer, key: number, nanos: bigint): void {
  if (nanos === 0n) return;
  writer.room(9);
  writer.bytes[writer.at] = key;
  writer.at = writeFixed64BigInt(writer.bytes, writer.at + 1, nanos);
}

/** Appends hex digits as bytes, unless there are none. Throws a `RangeError` that calls them `name`. */
export function writeHexField(writer: Writer, key: number, hex: string, name: string): void {
  if (hex === '') return;
  writer.room(6 + hex.length);
  const { bytes, at } = writer;
  bytes[at] = key;
  const next = writeHex(bytes, writeVarint(bytes, at + 1, hex.length >>> 1), hex);
  if (next === -1) throw new RangeError(`${name} must be hex digits, got ${JSON.stringify(hex)}`);
  writer.at = next;
}
