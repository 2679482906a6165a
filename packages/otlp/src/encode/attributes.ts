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
export function writeAttributes(writer: Writer, at: number, field: number, attributes: Attributes): number {
  return writeKeyValues(writer, at, field, attributes, 0);
}

function writeKeyValues(
  writer: Writer,
  at: number,
  field: number,
  attributes: Attributes,
  depth: number,
): number {
  let next = at;
  for (const key of Object.keys(attributes)) {
    const value = attributes[key];
    if (value === undefined) continue;
    const bytes = writer.room(next, 3 + stringRoom(key.length));
    bytes[next] = field;
    const start = next + 2;
    bytes[start] = KEY_VALUE_KEY;
    next = writeString(bytes, start + 1, key);
    next = writeAnyValue(writer, next, KEY_VALUE_VALUE, value, depth, key);
    next = writer.close(start, next, 1);
  }
  return next;
}

// `name` is the attribute's key, for errors.
function writeAnyValue(
  writer: Writer,
  at: number,
  field: number,
  value: AttributeValue | undefined,
  depth: number,
  name: string,
): number {
  const start = at + 2;
  if (typeof value === 'string') {
    const bytes = writer.room(at, 3 + stringRoom(value.length));
    bytes[at] = field;
    bytes[start] = ANY_STRING;
    return writer.close(start, writeString(bytes, start + 1, value), 1);
  }
  const bytes = writer.room(at, 16);
  bytes[at] = field;
  let end = start;
  switch (typeof value) {
    case 'number':
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
        bytes[start] = ANY_INT;
        end = writeInt64(bytes, start + 1, value);
      } else {
        bytes[start] = ANY_DOUBLE;
        end = writeDouble(bytes, start + 1, value);
      }
      break;
    case 'boolean':
      bytes[start] = ANY_BOOL;
      bytes[start + 1] = value ? 1 : 0;
      end = start + 2;
      break;
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) {
        throw new RangeError(`attribute ${JSON.stringify(name)}: ${value} does not fit in 64 bits`);
      }
      bytes[start] = ANY_INT;
      end = writeInt64BigInt(bytes, start + 1, value);
      break;
    case 'object':
      if (value !== null) end = writeObject(writer, start, value, depth, name);
      break;
    case 'undefined': // in an array
      break;
    default:
      throw new TypeError(`attribute ${JSON.stringify(name)}: OTLP has no value for a ${typeof value}`);
  }
  return writer.close(start, end, 1);
}

function writeObject(
  writer: Writer,
  at: number,
  value: Exclude<AttributeValue, string | number | boolean | bigint | null>,
  depth: number,
  name: string,
): number {
  if (value instanceof Double) {
    const bytes = writer.room(at, 9);
    bytes[at] = ANY_DOUBLE;
    return writeDouble(bytes, at + 1, value.value);
  }
  if (value instanceof Uint8Array) {
    const bytes = writer.room(at, 6 + value.length);
    bytes[at] = ANY_BYTES;
    return writeBytes(bytes, at + 1, value);
  }
  if (depth === MAX_DEPTH) {
    throw new RangeError(
      `attribute ${JSON.stringify(name)} is nested deeper than ${MAX_DEPTH} levels, or refers to itself`,
    );
  }
  const start = at + 2;
  let end = start;
  if (isArray(value)) {
    writer.room(at, 2)[at] = ANY_ARRAY;
    for (let index = 0; index < value.length; index++) {
      end = writeAnyValue(writer, end, ARRAY_VALUES, value[index], depth + 1, name);
    }
  } else {
    writer.room(at, 2)[at] = ANY_KVLIST;
    end = writeKeyValues(writer, end, KVLIST_VALUES, value, depth + 1);
  }
  return writer.close(start, end, 1);
}

// Array.isArray does not narrow a readonly array out of a union.
function isArray(value: readonly AttributeValue[] | Attributes): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
