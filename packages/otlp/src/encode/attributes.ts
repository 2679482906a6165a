import { type Attributes, type AttributeValue, Double } from '@tracewell/plugin';
import { MAX_DEPTH } from '../decode-limits.ts';
import {
  ANY_ARRAY,
  ANY_BOOL,
  ANY_BYTES,
  ANY_DOUBLE,
  ANY_INT,
  ANY_KVLIST,
  ANY_STRING,
  ARRAY_VALUES,
  KEY_VALUE_KEY,
  KEY_VALUE_VALUE,
  KVLIST_VALUES,
} from '../wire/fields.ts';
import {
  stringRoom,
  writeBytes,
  writeDouble,
  writeInt64,
  writeInt64BigInt,
  writeString,
} from '../wire/write.ts';
import type { Writer } from './writer.ts';

/** Appends every attribute as a `KeyValue` under the key `field`. Those that are `undefined` are left out. */
export function writeAttributes(writer: Writer, field: number, attributes: Attributes): void {
  writeKeyValues(writer, field, attributes, 0);
}

function writeKeyValues(writer: Writer, field: number, attributes: Attributes, depth: number): void {
  for (const key of Object.keys(attributes)) {
    const value = attributes[key];
    if (value === undefined) continue;
    writer.room(16 + stringRoom(key.length));
    const start = writer.open(field, 1);
    writer.bytes[writer.at] = KEY_VALUE_KEY;
    writer.at = writeString(writer.bytes, writer.at + 1, key);
    writeAnyValue(writer, KEY_VALUE_VALUE, value, depth, key);
    writer.close(start, 1);
  }
}

// `name` is the attribute's key, for errors.
function writeAnyValue(
  writer: Writer,
  field: number,
  value: AttributeValue | undefined,
  depth: number,
  name: string,
): void {
  writer.room(24);
  const start = writer.open(field, 1);
  const { bytes, at } = writer;
  switch (typeof value) {
    case 'string':
      writer.room(1 + stringRoom(value.length));
      writer.bytes[at] = ANY_STRING;
      writer.at = writeString(writer.bytes, at + 1, value);
      break;
    case 'number':
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
        bytes[at] = ANY_INT;
        writer.at = writeInt64(bytes, at + 1, value);
      } else {
        bytes[at] = ANY_DOUBLE;
        writer.at = writeDouble(bytes, at + 1, value);
      }
      break;
    case 'boolean':
      bytes[at] = ANY_BOOL;
      bytes[at + 1] = value ? 1 : 0;
      writer.at = at + 2;
      break;
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) {
        throw new RangeError(`attribute ${JSON.stringify(name)}: ${value} does not fit in 64 bits`);
      }
      bytes[at] = ANY_INT;
      writer.at = writeInt64BigInt(bytes, at + 1, value);
      break;
    case 'object':
      if (value !== null) writeObject(writer, value, depth, name);
      break;
    case 'undefined': // in an array
      break;
    default:
      throw new TypeError(`attribute ${JSON.stringify(name)}: OTLP has no value for a ${typeof value}`);
  }
  writer.close(start, 1);
}

function writeObject(
  writer: Writer,
  value: Exclude<AttributeValue, string | number | boolean | bigint | null>,
  depth: number,
  name: string,
): void {
  if (value instanceof Double) {
    writer.bytes[writer.at] = ANY_DOUBLE;
    writer.at = writeDouble(writer.bytes, writer.at + 1, value.value);
    return;
  }
  if (value instanceof Uint8Array) {
    writer.room(6 + value.length);
    writer.bytes[writer.at] = ANY_BYTES;
    writer.at = writeBytes(writer.bytes, writer.at + 1, value);
    return;
  }
  if (depth === MAX_DEPTH) {
    throw new RangeError(
      `attribute ${JSON.stringify(name)} is nested deeper than ${MAX_DEPTH} levels, or refers to itself`,
    );
  }
  if (isArray(value)) {
    const start = writer.open(ANY_ARRAY, 1);
    for (let index = 0; index < value.length; index++) {
      writeAnyValue(writer, ARRAY_VALUES, value[index], depth + 1, name);
    }
    writer.close(start, 1);
  } else {
    const start = writer.open(ANY_KVLIST, 1);
    writeKeyValues(writer, KVLIST_VALUES, value, depth + 1);
    writer.close(start, 1);
  }
}

// Array.isArray does not narrow a readonly array out of a union.
function isArray(value: readonly AttributeValue[] | Attributes): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
