/*
 * Checks of options, shared by everything that takes them. A wrong one throws at once and says which it was,
 * what came and what is allowed.
 */

/** A time of 0 or more milliseconds that a timer of Node.js can hold (just under 25 days). */
export function milliseconds(
  where: string,
  field: string,
  value: number | undefined,
  fallback: number,
): number {
  const given = value ?? fallback;
  if (typeof given === 'number' && given >= 0 && given <= 2 ** 31 - 1) return given;
  throw new RangeError(`${where}: ${field} must be 0 to 2147483647 milliseconds, got ${describe(given)}`);
}

/** A whole number from 1 to `most`. */
export function wholeNumber(
  where: string,
  field: string,
  value: number | undefined,
  fallback: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  const given = value ?? fallback;
  if (Number.isSafeInteger(given) && given >= 1 && given <= most) return given;
  throw new RangeError(`${where}: ${field} must be a whole number from 1 to ${most}, got ${describe(given)}`);
}

/** `true` or `false`. */
export function flag(where: string, field: string, value: boolean | undefined, fallback: boolean): boolean {
  const given = value ?? fallback;
  if (typeof given === 'boolean') return given;
  throw new TypeError(`${where}: ${field} must be true or false, got ${describe(given)}`);
}

/** One of a few words. */
export function oneOf<Word extends string>(
  where: string,
  field: string,
  value: Word | undefined,
  words: readonly [Word, ...Word[]],
): Word {
  const given = value ?? words[0];
  if (words.includes(given)) return given;
  const allowed = words.map((word) => `'${word}'`).join(', ');
  throw new RangeError(`${where}: ${field} must be one of ${allowed}, got ${describe(given)}`);
}

/** Some text, not empty. */
export function text<Fallback>(
  where: string,
  field: string,
  value: string | undefined,
  fallback: Fallback,
): string | Fallback {
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(`${where}: ${field} must be a non-empty string, got ${describe(value)}`);
}

/** Throws unless something is a function or left out. */
export function checkFunction(where: string, field: string, value: unknown): void {
  if (value === undefined || value === null || typeof value === 'function') return;
  throw new TypeError(`${where}: ${field} must be a function, got ${describe(value)}`);
}

/** Throws unless something is an object: options themselves, or an option that holds others. */
export function checkObject(where: string, field: string, value: unknown): void {
  if (isObject(value)) return;
  throw new TypeError(`${where}: ${field} must be an object, got ${describe(value)}`);
}

/** Whether something is an object and no array. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws unless something is a sampler: without this check, every span would be refused for the error. */
export function checkSampler(where: string, field: string, value: unknown): void {
  if (missingMethod(value, ['shouldSample']) === undefined) return;
  throw new TypeError(
    `${where}: ${field} must be a Sampler, such as parentBased(traceIdRatio(0.1)), got ${describe(value)}`,
  );
}

/** Throws unless something is an object with certain methods, or left out. */
export function checkMethods(where: string, field: string, value: unknown, methods: readonly string[]): void {
  if (value === undefined || value === null) return;
  const missing = missingMethod(value, methods);
  if (missing === undefined) return;
  throw new TypeError(
    `${where}: ${field} must be an object with ${methods.join(', ')}, got ${describe(value)}; ${missing} is no method`,
  );
}

/** The first of some methods that something does not have. */
export function missingMethod(value: unknown, methods: readonly string[]): string | undefined {
  return methods.find((method) => typeof Object(value)[method] !== 'function');
}

/** The methods of a `Clock`. */
export const CLOCK_METHODS = ['monotonicMs', 'wallMs'] as const;
/** The methods of `Timers`. */
export const TIMERS_METHODS = ['now', 'after', 'soon', 'random'] as const;

/** What came, in an error message: short, and never the contents, which may be secret or long. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case 'bigint':
      return `${value}n`;
    case 'function':
      return 'a function';
    case 'object':
      break;
    default:
      return String(value);
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an object without keys';
  return `an object with ${keys.slice(0, 5).join(', ')}${keys.length > 5 ? ', …' : ''}`;
}
