// Values as OTLP/JSON writes them. Those that have their default are `undefined`, which `JSON.stringify` leaves
// out. `name` is what the field is called in plain data, for errors.

import {
  badId,
  checkArray,
  checkBoolean,
  checkInt32,
  checkNumber,
  checkObject,
  checkSpanId,
  checkText,
  checkTraceId,
  checkUint32,
  checkUint64,
  inside,
  outOfRange,
} from '../encode/checks.ts';

/** What `JSON.stringify` gets. */
export type Json = { readonly [field: string]: unknown };

/** Text without lone surrogates. */
export function textJson(text: string, name: string): string {
  checkText(text, name);
  return text.toWellFormed();
}

/** Text, unless it is empty. */
export function textOrNothing(text: string, name: string): string | undefined {
  return text === '' ? undefined : textJson(text, name);
}

/** A number of 32 bits without sign, or an enum whose largest number is `max`, unless it is 0. */
export function uint32OrNothing(value: number, name: string, max?: number): number | undefined {
  checkUint32(value, name, max);
  return value === 0 ? undefined : value;
}

/** A number of 32 bits with sign, unless it is 0. */
export function int32OrNothing(value: number, name: string): number | undefined {
  checkInt32(value, name);
  return value === 0 ? undefined : value;
}

/** A boolean, unless it is `false`. */
export function flagOrNothing(value: boolean, name: string): boolean | undefined {
  checkBoolean(value, name);
  return value ? true : undefined;
}

/** Nanoseconds, as text. */
export function nanosJson(value: bigint, name: string): string {
  checkUint64(value, name, ' nanoseconds');
  return String(value);
}

/** Nanoseconds, as text, unless they are 0. */
export function nanosOrNothing(value: bigint, name: string): string | undefined {
  return value === 0n ? undefined : nanosJson(value, name);
}

/** A count of 64 bits, as text. */
export function countJson(value: bigint, name: string): string {
  checkUint64(value, name, '');
  return String(value);
}

/** A float. JSON has no NaN, no infinities and no -0, for which proto3 allows a string. */
export function doubleJson(value: number): number | string {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? value : String(value);
}

/** A float that must be there. */
export function doubleFieldJson(value: number, name: string): number | string {
  checkNumber(value, name);
  return doubleJson(value);
}

/** A float that need not be there. */
export function optionalDoubleJson(value: number | undefined, name: string): number | string | undefined {
  return value === undefined ? undefined : doubleFieldJson(value, name);
}

/** The id of a trace; nothing for an empty one. */
export function traceIdOrNothing(digits: string, name: string): string | undefined {
  if (digits === '') return undefined;
  checkTraceId(digits, name);
  if (!HEX.test(digits)) throw badId(name, 32, digits);
  return digits.toLowerCase();
}

/** The id of a span; nothing for an empty one. */
export function spanIdOrNothing(digits: string, name: string): string | undefined {
  if (digits === '') return undefined;
  checkSpanId(digits, name);
  if (!HEX.test(digits)) throw badId(name, 16, digits);
  return digits.toLowerCase();
}

/** Hex digits, whatever they are the id of and however many. */
export function hexJson(digits: string, name: string): string {
  checkText(digits, name);
  if (!HEX.test(digits)) throw outOfRange(name, 'hex digits', digits);
  return digits.toLowerCase();
}

const HEX = /^(?:[0-9a-f]{2})*$/i;

/** A list of messages, unless it is empty. An error names the list and the element. */
export function listOrNothing<Type>(
  list: readonly Type[],
  name: string,
  elementJson: (element: Type) => Json,
): Json[] | undefined {
  checkArray(list, name);
  if (list.length === 0) return undefined;
  return list.map((element, index) => {
    try {
      checkObject(element, '');
      return elementJson(element);
    } catch (error) {
      throw inside(`${name}[${index}]`, error);
    }
  });
}

/** A list of numbers, unless it is empty. */
export function numbersOrNothing<Type>(
  list: readonly Type[],
  name: string,
  elementJson: (element: Type, name: string) => unknown,
): unknown[] | undefined {
  checkArray(list, name);
  return list.length === 0
    ? undefined
    : list.map((element, index) => elementJson(element, `${name}[${index}]`));
}
