import { decodeResource } from '@tracewell/otlp';
import {
  ANY_BOOL,
  ANY_DOUBLE,
  ANY_INT,
  ANY_STRING,
  KEY_VALUE_KEY,
  KEY_VALUE_VALUE,
  RESOURCE_ATTRIBUTES,
  readFixed32,
  readUtf8,
  readVarint,
  skipVarint,
  toBigInt64,
  toDouble,
  writeBytes,
} from '@tracewell/otlp/wire';
import { valueText } from './value-text.ts';

/**
 * What the text of an attribute's value stands for, one letter for each attribute in the column `attribute_types`.
 * `OTHER`: the text cannot say all of it, so the attribute is kept as it came, too.
 */
export const TypeTag = { STRING: 0x73, INT: 0x69, DOUBLE: 0x64, BOOL: 0x62, OTHER: 0x6f } as const;
/** One of the letters `s`, `i`, `d`, `b`, `o`. */
export type TypeTag = (typeof TypeTag)[keyof typeof TypeTag];

/** A `KeyValue` message as texts. */
export interface AttributeText {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly tag: TypeTag;
}

/** Reads the `KeyValue` message from `start` to `end`. @throws `TracewellError` as decoding it does */
export function attributeText(bytes: Uint8Array, start: number, end: number): AttributeText {
  return plainAttribute(bytes, start, end) ?? otherAttribute(bytes, start, end);
}

/** A key, then one value of a type that a text can say: nearly every attribute. */
function plainAttribute(bytes: Uint8Array, start: number, end: number): AttributeText | undefined {
  if (bytes[start] !== KEY_VALUE_KEY) return undefined;
  const keyStart = skipVarint(bytes, start + 1);
  const keyEnd = keyStart + readVarint(bytes, start + 1);
  if (keyEnd >= end || bytes[keyEnd] !== KEY_VALUE_VALUE) return undefined;
  const valueStart = skipVarint(bytes, keyEnd + 1);
  if (valueStart + readVarint(bytes, keyEnd + 1) !== end || valueStart === end) return undefined;
  const at = valueStart + 1;
  const found = plainValue(bytes, bytes[valueStart]!, at, end);
  return found && { key: validUtf8(bytes, keyStart, keyEnd), ...found };
}

function plainValue(
  bytes: Uint8Array,
  member: number,
  at: number,
  end: number,
): { readonly value: Uint8Array; readonly tag: TypeTag } | undefined {
  switch (member) {
    case ANY_STRING: {
      const start = skipVarint(bytes, at);
      if (start + readVarint(bytes, at) !== end) return undefined;
      return { value: validUtf8(bytes, start, end), tag: TypeTag.STRING };
    }
    case ANY_INT:
      if (skipVarint(bytes, at) !== end) return undefined;
      return { value: Buffer.from(integerText(bytes, at, end)), tag: TypeTag.INT };
    case ANY_BOOL:
      if (at + 1 !== end) return undefined;
      return { value: Buffer.from(bytes[at] === 0 ? 'false' : 'true'), tag: TypeTag.BOOL };
    case ANY_DOUBLE: {
      if (at + 8 !== end) return undefined;
      const number = toDouble(readFixed32(bytes, at), readFixed32(bytes, at + 4));
      return { value: Buffer.from(valueText(number)), tag: TypeTag.DOUBLE };
    }
    default:
      return undefined;
  }
}

function integerText(bytes: Uint8Array, at: number, end: number): string {
  if (end - at < 8) return String(readVarint(bytes, at));
  let low = 0;
  let high = 0;
  for (let index = at, shift = 0; index < end; index++, shift += 7) {
    const bits = bytes[index]! & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high |= bits >>> 4;
    } else high |= bits << (shift - 32);
  }
  return String(toBigInt64(low >>> 0, high >>> 0));
}

/** Anything else, by way of a resource that has it: its decoder knows all forms there are. */
function otherAttribute(bytes: Uint8Array, start: number, end: number): AttributeText {
  const resource = new Uint8Array(end - start + 6);
  resource[0] = RESOURCE_ATTRIBUTES;
  const { attributes } = decodeResource(resource, 0, writeBytes(resource, 1, bytes.subarray(start, end)));
  const key = Object.keys(attributes)[0]!;
  return {
    key: Buffer.from(key),
    value: Buffer.from(valueText(attributes[key]!)),
    tag: TypeTag.OTHER,
  };
}

/** The bytes of a text, with U+FFFD where they are not UTF-8: what decoding makes of them, and Parquet asks for. */
export function validUtf8(bytes: Uint8Array, start: number, end: number): Uint8Array {
  for (let at = start; at < end; at++)
    if (bytes[at]! >= 0x80) return Buffer.from(readUtf8(bytes, start, end));
  return bytes.subarray(start, end);
}
