import { NUMBERS_AN_ITEM } from '../decode/number-lists.ts';
import { invalidJson, tooDeep, tooLarge } from '../decode-error.ts';
import type { DecodeLimits } from '../decode-limits.ts';

/** An object of parsed JSON. */
export type JsonObject = { readonly [field: string]: unknown };

/**
 * Takes parsed JSON apart as proto3 says it, knows the path to where it is for errors, and what is left of the
 * limits. Every value may be `undefined` or `null`, which mean the default.
 *
 * @see https://protobuf.dev/programming-guides/json/
 */
export class JsonReader {
  readonly maxDepth: number;
  readonly #maxItems: number;
  readonly #path: (string | number)[] = [];
  #items = 0;

  constructor(limits: Required<DecodeLimits>) {
    this.maxDepth = limits.maxDepth;
    this.#maxItems = limits.maxItems;
  }

  /** Counts one more object of those that `maxItems` bounds. */
  countItem(): void {
    if (++this.#items > this.#maxItems) throw tooLarge('too many values', 'maxItems', this.#maxItems);
  }

  /** Where it is: `resourceSpans[0].scopeSpans[1]`. */
  get path(): string {
    return this.#path
      .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
      .join('')
      .slice(1);
  }

  invalid(why: string): Error {
    return invalidJson(this.path, why);
  }

  tooDeep(): Error {
    return tooDeep(this.path, this.maxDepth);
  }

  /** Reads a field of a message by its name in camel case or, as proto3 also takes, in snake case. */
  read<Result>(
    message: JsonObject,
    camelCase: string,
    snakeCase: string,
    read: (reader: JsonReader, value: unknown) => Result,
  ): Result {
    const value = message[camelCase] ?? message[snakeCase];
    this.#path.push(camelCase);
    const result = read(this, value);
    this.#path.pop();
    return result;
  }

  /** Calls `element` with each element of a repeated field that holds messages. */
  each(
    message: JsonObject,
    camelCase: string,
    snakeCase: string,
    element: (value: JsonObject) => void,
  ): void {
    this.#each(message, camelCase, snakeCase, (value) => {
      if (!isObject(value)) throw this.invalid('must be an object');
      element(value);
    });
  }

  /** Reads a repeated field that holds numbers. */
  numbers<Result>(
    message: JsonObject,
    camelCase: string,
    snakeCase: string,
    read: (reader: JsonReader, value: unknown) => Result,
  ): Result[] {
    const numbers: Result[] = [];
    this.#each(message, camelCase, snakeCase, (value) => {
      if (numbers.length % NUMBERS_AN_ITEM === 0) this.countItem();
      if (value === undefined || value === null) throw this.invalid('must be a number');
      numbers.push(read(this, value));
    });
    return numbers;
  }

  #each(message: JsonObject, camelCase: string, snakeCase: string, element: (value: unknown) => void): void {
    const list = message[camelCase] ?? message[snakeCase];
    if (list === undefined || list === null) return;
    this.#path.push(camelCase);
    if (!Array.isArray(list)) throw this.invalid('must be an array');
    for (let index = 0; index < list.length; index++) {
      this.#path.push(index);
      element(list[index]);
      this.#path.pop();
    }
    this.#path.pop();
  }
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A message; an empty one where there is none. */
export function toObject(reader: JsonReader, value: unknown): JsonObject {
  if (value === undefined || value === null) return {};
  if (isObject(value)) return value;
  throw reader.invalid('must be an object');
}

/** A string. A lone surrogate, which JSON can escape and UTF-8 cannot say, becomes U+FFFD. */
export function toText(reader: JsonReader, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value.toWellFormed();
  throw reader.invalid('must be a string');
}

/** Hex digits of either case, which become lower case. OTLP writes ids like this, not in base64. */
export function toHex(reader: JsonReader, value: unknown): string {
  const text = toText(reader, value);
  if (/^(?:[0-9a-f]{2})*$/i.test(text)) return text.toLowerCase();
  throw reader.invalid('must be hex digits');
}

/** A 32-bit number without sign, as number or string. */
export function toUint32(reader: JsonReader, value: unknown): number {
  return Number(toInteger(reader, value, 0n, 0xffff_ffffn));
}

/** A 32-bit number with sign, as number or string. */
export function toInt32(reader: JsonReader, value: unknown): number {
  return Number(toInteger(reader, value, -0x8000_0000n, 0x7fff_ffffn));
}

/** A 64-bit integer without sign, as number or string. */
export function toUint64(reader: JsonReader, value: unknown): bigint {
  return toInteger(reader, value, 0n, 0xffff_ffff_ffff_ffffn);
}

/** A 64-bit integer with sign, as number or string: a number where that loses nothing, otherwise a `bigint`. */
export function toInt64(reader: JsonReader, value: unknown): number | bigint {
  const integer = toInteger(reader, value, -0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn);
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

function toInteger(reader: JsonReader, value: unknown, min: bigint, max: bigint): bigint {
  if (value === undefined || value === null) return 0n;
  let integer: bigint | undefined;
  if (typeof value === 'bigint') {
    integer = value;
  } else if (typeof value === 'number') {
    if (Number.isInteger(value)) integer = BigInt(value);
  } else if (typeof value === 'string' && value.length <= 32) {
    if (/^-?\d+$/.test(value)) integer = BigInt(value);
    else if (isDecimal(value) && Number.isSafeInteger(Number(value))) integer = BigInt(Number(value));
  }
  if (integer !== undefined && integer >= min && integer <= max) return integer;
  throw reader.invalid(`must be a whole number from ${min} to ${max}`);
}

/** A 64-bit float, as number, as string, or as the words for what JSON cannot say. */
export function toFloat(reader: JsonReader, value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') {
    if (isDecimal(value)) return Number(value);
    if (value === 'NaN') return Number.NaN;
    if (value === 'Infinity') return Number.POSITIVE_INFINITY;
    if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  }
  throw reader.invalid('must be a number');
}

/** A 64-bit float; 0 where there is none. */
export function toFloatOrZero(reader: JsonReader, value: unknown): number {
  return value === undefined || value === null ? 0 : toFloat(reader, value);
}

/** A 64-bit float; `undefined` where there is none. */
export function toOptionalFloat(reader: JsonReader, value: unknown): number | undefined {
  return value === undefined || value === null ? undefined : toFloat(reader, value);
}

// A number as JSON writes it.
function isDecimal(text: string): boolean {
  return /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text);
}

/** A boolean; `false` where there is none. */
export function toFlag(reader: JsonReader, value: unknown): boolean {
  return value === undefined || value === null ? false : toBoolean(reader, value);
}

/** A boolean. */
export function toBoolean(reader: JsonReader, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw reader.invalid('must be true or false');
}

/** Bytes in base64 of either alphabet, padded or not. */
export function toBytes(reader: JsonReader, value: unknown): Uint8Array {
  const text = toText(reader, value);
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw reader.invalid('must be base64');
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** The number of an enum, given as number or by name. */
export function toEnum(
  reader: JsonReader,
  value: unknown,
  prefix: string,
  names: Readonly<Record<string, number>>,
): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  if (typeof value === 'string' && value.startsWith(prefix)) {
    const name = value.slice(prefix.length);
    if (Object.hasOwn(names, name)) return names[name]!;
  }
  throw reader.invalid(`must be a number or a name that begins with ${prefix}`);
}
