import type { Attributes, AttributeValue } from '@tracewell/plugin';
import { fromDouble, type MutableAttributes, NO_ATTRIBUTES, newAttributes } from '../decode/attributes.ts';
import {
  type JsonObject,
  type JsonReader,
  toBoolean,
  toBytes,
  toFloat,
  toInt64,
  toObject,
  toText,
} from './json-reader.ts';

/** The attributes of a message, in the field of that name or another. The last value of a key counts. */
export function readAttributes(
  reader: JsonReader,
  message: JsonObject,
  camelCase = 'attributes',
  snakeCase = 'attributes',
): Attributes {
  let attributes: MutableAttributes | undefined;
  reader.each(message, camelCase, snakeCase, (keyValue) => {
    attributes ??= newAttributes();
    readKeyValue(reader, keyValue, attributes, 0);
  });
  return attributes ?? NO_ATTRIBUTES;
}

function readKeyValue(
  reader: JsonReader,
  keyValue: JsonObject,
  attributes: MutableAttributes,
  depth: number,
): void {
  reader.countItem();
  const key = reader.read(keyValue, 'key', 'key', toText);
  const value = reader.read(keyValue, 'value', 'value', toObject);
  attributes[key] = readAnyValue(reader, value, depth);
}

/** An `AnyValue`. */
export function readAnyValue(reader: JsonReader, message: JsonObject, depth: number): AttributeValue {
  let value: AttributeValue = null;
  let members = 0;
  for (const member of Object.keys(message)) {
    if (message[member] === null || message[member] === undefined) continue;
    switch (member) {
      case 'stringValue':
      case 'string_value':
        value = reader.read(message, member, member, toText);
        break;
      case 'boolValue':
      case 'bool_value':
        value = reader.read(message, member, member, toBoolean);
        break;
      case 'intValue':
      case 'int_value':
        value = reader.read(message, member, member, toInt64);
        break;
      case 'doubleValue':
      case 'double_value':
        value = fromDouble(reader.read(message, member, member, toFloat));
        break;
      case 'bytesValue':
      case 'bytes_value':
        value = reader.read(message, member, member, toBytes);
        break;
      case 'arrayValue':
      case 'array_value':
        value = readArray(reader, reader.read(message, member, member, toObject), depth + 1);
        break;
      case 'kvlistValue':
      case 'kvlist_value':
        value = readMap(reader, reader.read(message, member, member, toObject), depth + 1);
        break;
      default:
        continue;
    }
    if (++members > 1) throw reader.invalid('a value must not be of two types');
  }
  return value;
}

function readArray(reader: JsonReader, message: JsonObject, depth: number): AttributeValue[] {
  if (depth > reader.maxDepth) throw reader.tooDeep();
  const values: AttributeValue[] = [];
  reader.each(message, 'values', 'values', (element) => {
    reader.countItem();
    values.push(readAnyValue(reader, element, depth));
  });
  return values;
}

function readMap(reader: JsonReader, message: JsonObject, depth: number): MutableAttributes {
  if (depth > reader.maxDepth) throw reader.tooDeep();
  const map = newAttributes();
  reader.each(message, 'values', 'values', (keyValue) => readKeyValue(reader, keyValue, map, depth));
  return map;
}
