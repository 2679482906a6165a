import { type Attributes, type AttributeValue, Double } from '@tracewell/plugin';
import { MAX_DEPTH } from '../decode-limits.ts';
import { isArray, TOO_DEEP } from '../encode/attributes.ts';
import { checkObject, inside, outOfRange, refused } from '../encode/checks.ts';
import { doubleJson, type Json } from './encode-values.ts';

/** Attributes as a list of `KeyValue`, unless there are none. `name` is what they are called, for errors. */
export function attributesJson(attributes: Attributes, name: string): Json[] | undefined {
  checkObject(attributes, name);
  try {
    const list = keyValuesJson(attributes, 0);
    return list.length === 0 ? undefined : list;
  } catch (error) {
    throw inside(name, error);
  }
}

function keyValuesJson(attributes: Attributes, depth: number): Json[] {
  const list: Json[] = [];
  for (const key of Object.keys(attributes)) {
    const value = attributes[key];
    if (value === undefined) continue;
    try {
      list.push({ key: key.toWellFormed(), value: anyValueJson(value, depth) });
    } catch (error) {
      throw inside(`[${JSON.stringify(key)}]`, error);
    }
  }
  return list;
}

/** A value as an `AnyValue`. */
export function anyValueJson(value: AttributeValue | undefined, depth: number): Json {
  switch (typeof value) {
    case 'string':
      return { stringValue: value.toWellFormed() };
    case 'boolean':
      return { boolValue: value };
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? { intValue: String(value) }
        : { doubleValue: doubleJson(value) };
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) throw outOfRange('', 'an integer of 64 bits', value);
      return { intValue: String(value) };
    case 'undefined': // in an array
      return {};
    case 'object':
      break;
    default:
      throw refused(`is a ${typeof value}, for which OTLP has no value`, true);
  }
  if (value === null) return {};
  if (value instanceof Double) return { doubleValue: doubleJson(value.value) };
  if (value instanceof Uint8Array) {
    const { buffer, byteOffset, length } = value;
    return { bytesValue: Buffer.from(buffer, byteOffset, length).toString('base64') };
  }
  if (depth === MAX_DEPTH) throw refused(TOO_DEEP, false);
  if (isArray(value)) {
    return { arrayValue: { values: Array.from(value, (item) => anyValueJson(item, depth + 1)) } };
  }
  return { kvlistValue: { values: keyValuesJson(value, depth + 1) } };
}
