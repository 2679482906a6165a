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
import { checkObject, inside, outOfRange, refused } from './checks.ts';
import type { Writer } from './writer.ts';

/**
 * Appends every attribute as a `KeyValue` under the key `field`. Those that are `undefined` are left out. `name` is
 * what the attributes are called in plain data, for errors.
 */
export function writeAttributes(
  writer: Writer,
  at: number,
  field: number,
  attributes: Attributes,
  name: string,
): number {
  checkObject(attributes, name);
  try {
    return writeKeyValues(writer, at, field, attributes, 0);
  } catch (error) {
    throw inside(name, error);
  }
}

function writeKeyValues(
  writer: Writer,
  at: number,
  field: number,
  attributes: Attributes,
  depth: number,
): number {
  let next = at;
  let key = '';
  try {
    for (key of Object.keys(attributes)) {
      const value = attributes[key];
      if (value === undefined) continue;
      const bytes = writer.room(next, 3 + stringRoom(key.length));
      bytes[next] = field;
      const start = next + 2;
      bytes[start] = KEY_VALUE_KEY;
      next = writeString(bytes, start + 1, key);
      next = writeAnyValue(writer, next, KEY_VALUE_VALUE, value, depth);
      next = writer.close(start, next, 1);
    }
  } catch (error) {
    throw inside(`[${JSON.stringify(key)}]`, error);
  }
  return next;
}

/** Appends a value as an `AnyValue` under the key `field`; `undefined` is one that says nothing. */
export function writeAnyValue(
  writer: Writer,
  at: number,
  field: number,
  value: AttributeValue | undefined,
  depth: number,
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
      if (BigInt.asIntN(64, value) !== value) throw outOfRange('', 'an integer of 64 bits', value);
      bytes[start] = ANY_INT;
      end = writeInt64BigInt(bytes, start + 1, value);
      break;
    case 'object':
      if (value !== null) end = writeObject(writer, start, value, depth);
      break;
    case 'undefined': // in an array
      break;
    default:
      throw refused(`is a ${typeof value}, for which OTLP has no value`, true);
  }
  return writer.close(start, end, 1);
}

function writeObject(
  writer: Writer,
  at: number,
  value: Exclude<AttributeValue, string | number | boolean | bigint | null>,
  depth: number,
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
  if (depth === MAX_DEPTH) throw refused(TOO_DEEP, false);
  const start = at + 2;
  let end = start;
  if (isArray(value)) {
    writer.room(at, 2)[at] = ANY_ARRAY;
    for (let index = 0; index < value.length; index++) {
      end = writeAnyValue(writer, end, ARRAY_VALUES, value[index], depth + 1);
    }
  } else {
    writer.room(at, 2)[at] = ANY_KVLIST;
    end = writeKeyValues(writer, end, KVLIST_VALUES, value, depth + 1);
  }
  return writer.close(start, end, 1);
}

/** Why a value is refused that is nested too deep. */
export const TOO_DEEP = `is nested deeper than ${MAX_DEPTH} levels, or refers to itself`;

/** `Array.isArray`, which by itself does not narrow a readonly array out of a union. */
export function isArray(value: readonly AttributeValue[] | Attributes): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
