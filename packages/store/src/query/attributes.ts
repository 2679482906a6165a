import { type Attributes, type AttributeValue, Double, type ResourceData } from '@tracewell/plugin';
import { wrongType } from './check.ts';

/** What a query wants of attributes: each of these keys with this value. */
export type WantedAttributes = readonly (readonly [key: string, value: AttributeValue])[];

/**
 * The attributes that a query asks for, checked; those that are `undefined` ask for nothing.
 *
 * @throws TypeError naming the field
 */
export function wantedAttributes(
  caller: string,
  field: string,
  attributes: { readonly [key: string]: AttributeValue | undefined } = {},
): WantedAttributes {
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
    throw wrongType(caller, field, 'an object', attributes);
  }
  return Object.entries(attributes).filter(
    (entry): entry is [string, AttributeValue] => entry[1] !== undefined,
  );
}

/** Whether a record has all of these attributes, or its resource has those that the record has not. */
export function hasAttributes(
  record: { readonly attributes: Attributes; readonly resource: ResourceData },
  wanted: WantedAttributes,
): boolean {
  for (const [key, value] of wanted) {
    const own = record.attributes[key];
    const found = own === undefined ? record.resource.attributes[key] : own;
    if (found === undefined || !sameValue(found, value)) return false;
  }
  return true;
}

function sameValue(a: AttributeValue, b: AttributeValue): boolean {
  if (a instanceof Double) return sameValue(a.value, b);
  if (b instanceof Double) return sameValue(a, b.value);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1 is what is wanted, between numbers only
    if (isNumber(a) && isNumber(b)) return a == b || (Number.isNaN(a) && Number.isNaN(b));
    return a === b;
  }
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((value, index) => sameValue(value, b[index]));
  }
  const inA = a as { readonly [key: string]: AttributeValue };
  const inB = b as { readonly [key: string]: AttributeValue };
  const keys = Object.keys(inA);
  if (keys.length !== Object.keys(inB).length) return false;
  return keys.every((key) => Object.hasOwn(inB, key) && sameValue(inA[key]!, inB[key]!));
}

function isNumber(value: AttributeValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
