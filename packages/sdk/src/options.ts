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
  throw new RangeError(`${where}: ${field} must be 0 to 2147483647 milliseconds, got ${String(given)}`);
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
  throw new RangeError(`${where}: ${field} must be a whole number from 1 to ${most}, got ${String(given)}`);
}
