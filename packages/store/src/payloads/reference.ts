/**
 * What stands in a cold row in place of a value that went to the blob store: the beginning of the value, which is
 * what SQL sees and what is left if the blob is lost, and beside it in the same `AnyValue` a field that OTLP does
 * not have:
 *
 * ```
 * AnyValue { string_value or bytes_value: the beginning of the value; field 454,079,973: the reference }
 *
 * byte 0  u8   what it was: 1 string, 2 bytes, 3 anything else, which the blob holds as an AnyValue message
 *      1  u32  length of the blob's contents, little-endian
 *      5       SHA-256 of the contents, 32 bytes: the blob's name
 * ```
 *
 * Every decoder of OTLP passes the field over and finds the beginning. What comes from outside with such a field is
 * rid of it before it goes cold, so nobody can have a value that names another's blob.
 */
import {
  ANY_BYTES,
  ANY_STRING,
  readFixed32,
  readHex,
  readUtf8,
  readVarint,
  skipVarint,
  varintSize,
  WIRE_BYTES,
  writeFixed32,
  writeHex,
  writeVarint,
} from '@tracewell/otlp/wire';
import { skipField } from '../cold/attributes/skip-field.ts';

/**
 * Values above so many bytes leave the row: strings by their UTF-8, bytes as they are, everything else as OTLP
 * encodes it.
 */
export const PAYLOAD_BYTES = 8192;

/** How many characters of a value stay in the row; for bytes so many of base64. */
export const PREFIX_CHARACTERS = 256;

/** What a value was. */
export const PayloadKind = { STRING: 1, BYTES: 2, VALUE: 3 } as const;
export type PayloadKind = (typeof PayloadKind)[keyof typeof PayloadKind];

/** Which blob holds a value. */
export interface PayloadReference {
  readonly kind: PayloadKind;
  /** Of the blob's contents, in bytes. */
  readonly length: number;
  /** The blob's name. */
  readonly name: string;
}

// The key takes five bytes, so that a search for it hardly ever finds anything else.
const FIELD = 454_079_973;
const KEY = FIELD * 8 + WIRE_BYTES;
const BODY_BYTES = 37;
const SHA256_BYTES = 32;
/** What a character of UTF-8 takes at most. */
const MAX_CHARACTER_BYTES = 4;

/** The field's key as it stands in messages. */
export const REFERENCE_MARK: Buffer = mark();

function mark(): Buffer {
  const bytes = Buffer.alloc(varintSize(KEY));
  writeVarint(bytes, 0, KEY);
  return bytes;
}

/** A regular expression that finds references in the lower-case hex digits of a message; its group is the name. */
export const REFERENCE_PATTERN: string =
  REFERENCE_MARK.toString('hex') +
  BODY_BYTES.toString(16) +
  `[0-9a-f]{${2 * (BODY_BYTES - SHA256_BYTES)}}([0-9a-f]{${2 * SHA256_BYTES}})`;

/** Whether there may be a reference in some bytes. */
export function mayRefer(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(REFERENCE_MARK);
}

/** The `AnyValue` that stands for a value. */
export function encodeReference({ kind, length, name }: PayloadReference, prefix: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(
    1 + varintSize(prefix.length) + prefix.length + REFERENCE_MARK.length + 1 + BODY_BYTES,
  );
  bytes[0] = kind === PayloadKind.BYTES ? ANY_BYTES : ANY_STRING;
  let at = writeVarint(bytes, 1, prefix.length);
  bytes.set(prefix, at);
  at += prefix.length;
  bytes.set(REFERENCE_MARK, at);
  at = writeVarint(bytes, at + REFERENCE_MARK.length, BODY_BYTES);
  bytes[at] = kind;
  at = writeFixed32(bytes, at + 1, length);
  writeHex(bytes, at, name);
  return bytes;
}

/** The reference in an `AnyValue`, if it has one. */
export function decodeReference(bytes: Uint8Array, start: number, end: number): PayloadReference | undefined {
  for (let at = start; at < end; ) {
    const key = readVarint(bytes, at);
    const field = skipVarint(bytes, at);
    at = skipField(bytes, field, key);
    const body = skipVarint(bytes, field);
    if (key !== KEY || at - body !== BODY_BYTES) continue;
    const kind = bytes[body] as PayloadKind;
    const name = readHex(bytes, body + BODY_BYTES - SHA256_BYTES, at);
    return { kind, length: readFixed32(bytes, body + 1), name };
  }
  return undefined;
}

/** An `AnyValue` without references; `undefined` if it has none. */
export function withoutReference(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let at = start; at < end; ) {
    const fieldAt = at;
    const key = readVarint(bytes, at);
    at = skipField(bytes, skipVarint(bytes, at), key);
    if (key === KEY) continue;
    parts.push(bytes.subarray(fieldAt, at));
    length += at - fieldAt;
  }
  return length === end - start ? undefined : Buffer.concat(parts, length);
}

/** The beginning of a text, cut between two characters. */
export function textPrefix(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const most = Math.min(end, start + PREFIX_CHARACTERS * MAX_CHARACTER_BYTES);
  let prefix = '';
  let count = 0;
  for (const character of readUtf8(bytes, start, most)) {
    if (count++ === PREFIX_CHARACTERS) break;
    prefix += character;
  }
  return Buffer.from(prefix);
}

/** The beginning of bytes: as much as {@link PREFIX_CHARACTERS} of base64 say. */
export function bytesPrefix(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return bytes.subarray(start, Math.min(end, start + (PREFIX_CHARACTERS / 4) * 3));
}
