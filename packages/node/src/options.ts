/*
 * Checks of options. A wrong one throws at once and says which it was, what came and what is allowed; one that
 * nobody knows would otherwise be a typing error without a trace.
 */

/** Throws unless a value is what an option takes; `at` names the option in the message. */
export type Check = (at: string, value: unknown) => void;

/** What each option of an object takes. It has the keys of the options' type, so that none can be forgotten. */
export type Shape<Options> = Readonly<Record<keyof Options, Check>>;

/** An object with options of certain names, each of which may be left out. */
export function options<Options>(shape: Shape<Options>): Check {
  const known = shape as Readonly<Record<string, Check>>;
  return (at, value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(at, 'an object', value);
    const unknown = Object.keys(value).find((name) => !Object.hasOwn(known, name));
    if (unknown !== undefined) {
      throw new TypeError(`${at}.${unknown} is not known; known are ${Object.keys(known).join(', ')}`);
    }
    for (const [name, check] of Object.entries(known)) {
      const given = (value as Readonly<Record<string, unknown>>)[name];
      if (given !== undefined) check(`${at}.${name}`, given);
    }
  };
}

/** A function. */
export const aFunction: Check = (at, value) => {
  if (typeof value !== 'function') refuse(at, 'a function', value);
};

/** `true` or `false`. */
export const aFlag: Check = (at, value) => {
  if (typeof value !== 'boolean') refuse(at, 'true or false', value);
};

/** Some text, not empty. */
export const someText: Check = (at, value) => {
  if (typeof value !== 'string' || value === '') refuse(at, 'a non-empty string', value);
};

/** An array in which each is what `check` takes. */
export function listOf(check: Check): Check {
  return (at, value) => {
    if (!Array.isArray(value)) refuse(at, 'an array', value);
    for (const [index, one] of value.entries()) check(`${at}[${index}]`, one);
  };
}

/** `false`, or what `check` takes. */
export function orFalse(check: Check): Check {
  return (at, value) => {
    if (value === false) return;
    if (typeof value !== 'object') refuse(at, 'an object or false', value);
    check(at, value);
  };
}

/** Anything: who takes the option checks it. */
export const checkedLater: Check = () => {};

/** @throws TypeError that says what is allowed and what came */
export function refuse(at: string, allowed: string, value: unknown): never {
  throw new TypeError(`${at} must be ${allowed}, got ${describe(value)}`);
}

/** What came: short, and of an object only its keys, since what it holds may be secret. */
function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object' || value === null) return String(value);
  const keys = Object.keys(value);
  return keys.length === 0 ? 'an object without keys' : `an object with ${keys.slice(0, 5).join(', ')}`;
}
