// What the encoders check of plain data, which callers without types can get wrong in any way. A check costs a
// comparison or two; the path to what is wrong is put together on the way out, when there is an error.

import { isSpanId, isTraceId } from '../decode/ids.ts';

/** What refers to itself would have a path of hundreds of steps. */
const LONGEST_PATH = 80;

/** Something wrong in plain data: where it is, from the object that was checked last, and why. */
class FieldError extends Error {
  readonly path: string;
  readonly why: string;
  readonly isType: boolean;

  constructor(path: string, why: string, isType: boolean) {
    super(`${path} ${why}`);
    this.path = path;
    this.why = why;
    this.isType = isType;
  }
}

/** For a value of the wrong type. */
export function wrongType(field: string, expected: string, got: unknown): Error {
  return new FieldError(field, `must be ${expected}, got ${shown(got)}`, true);
}

/** For a value of the right type that OTLP cannot say. */
export function outOfRange(field: string, expected: string, got: unknown): Error {
  return new FieldError(field, `must be ${expected}, got ${shown(got)}`, false);
}

/** For a value that is wrong in itself; `why` is a sentence without its subject. */
export function refused(why: string, isType: boolean): Error {
  return new FieldError('', why, isType);
}

/** The same error, seen from the object that holds what was checked. Other errors stay as they are. */
export function inside(where: string, error: unknown): unknown {
  if (!(error instanceof FieldError)) return error;
  const { path, why, isType } = error;
  const rest = path.length > LONGEST_PATH ? `…${path.slice(-LONGEST_PATH / 2)}` : path;
  const joint = rest === '' || rest.startsWith('[') || rest.startsWith('…') ? '' : '.';
  return new FieldError(`${where}${joint}${rest}`, why, isType);
}

/** The error that a caller gets, a `TypeError` or `RangeError` whose path begins with `where`. */
export function asThrown(where: string, error: unknown): unknown {
  if (!(error instanceof FieldError)) return error;
  const { message } = inside(where, error) as FieldError;
  return error.isType ? new TypeError(message) : new RangeError(message);
}

/** Checks that a value is an object. */
export function checkObject(value: unknown, field: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(field, 'an object', value);
  }
}

/** Checks that a value is an array. */
export function checkArray(value: unknown, field: string): void {
  if (!Array.isArray(value)) throw wrongType(field, 'an array', value);
}

/** Checks that a value is a string. */
export function checkText(value: unknown, field: string): void {
  if (typeof value !== 'string') throw wrongType(field, 'a string', value);
}

/** Checks that a value is a number. */
export function checkNumber(value: unknown, field: string): void {
  if (typeof value !== 'number') throw wrongType(field, 'a number', value);
}

/** Checks that a value is `true` or `false`. */
export function checkBoolean(value: unknown, field: string): void {
  if (typeof value !== 'boolean') throw wrongType(field, 'true or false', value);
}

/** Checks that a value is a whole number of 32 bits without sign, or up to `max`. */
export function checkUint32(value: unknown, field: string, max = 0xffff_ffff): void {
  if (typeof value !== 'number') throw wrongType(field, 'a number', value);
  if (value >>> 0 !== value || value > max) throw outOfRange(field, `a whole number from 0 to ${max}`, value);
}

/** Checks that a value is a whole number of 32 bits with sign. */
export function checkInt32(value: unknown, field: string): void {
  if (typeof value !== 'number') throw wrongType(field, 'a number', value);
  if ((value | 0) !== value) throw outOfRange(field, 'a whole number from -2147483648 to 2147483647', value);
}

const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;

/** Checks that a value is a `bigint` of 64 bits without sign: another one would come back as some other. */
export function checkUint64(value: unknown, field: string, unit: string): void {
  if (typeof value !== 'bigint') throw wrongType(field, 'a bigint', value);
  if (!isUint64(value)) throw outOfRange(field, `from 0 to ${MAX_UINT64}${unit}`, value);
}

/** Whether a value is a `bigint` of 64 bits without sign. */
export function isUint64(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= 0n && value <= MAX_UINT64;
}

/** Checks the id of a trace but for its digits. Receivers might refuse a whole request for it. */
export function checkTraceId(value: unknown, field: string): void {
  checkText(value, field);
  if (!isTraceId(value as string)) throw badId(field, 32, value);
}

/** Checks the id of a span but for its digits. */
export function checkSpanId(value: unknown, field: string): void {
  checkText(value, field);
  if (!isSpanId(value as string)) throw badId(field, 16, value);
}

/** For an id that is none. */
export function badId(field: string, digits: number, got: unknown): Error {
  return outOfRange(field, `${digits} hex digits, not all zero`, got);
}

/** What came, with its type, so that `'5'` is told from `5`; never the contents of objects, which may be secret. */
function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case 'function':
      return 'a function';
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object';
    default:
      return String(value);
  }
}
