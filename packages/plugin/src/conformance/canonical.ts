import { Double } from '../attributes.ts';

/**
 * A form in which two attribute values are deeply equal exactly when OTLP cannot tell them apart: the
 * integer `5n` and the number `5` are, the integer `1` and `new Double(1)` are not, and prototypes and the
 * order of keys do not count.
 */
export function canonical(value: unknown): unknown {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? integer(value) : double(value);
  }
  if (typeof value === 'bigint') return integer(value);
  if (value instanceof Double) return double(value.value);
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, element]) => element !== undefined);
    return new Map(entries.map(([key, element]) => [key, canonical(element)]));
  }
  // Strings get a mark, so that none can pass for a number or bytes.
  return typeof value === 'string' ? `string ${value}` : value;
}

function integer(value: number | bigint): string {
  return `integer ${value}`;
}

function double(value: number): string {
  return `double ${Object.is(value, -0) ? '-0' : value}`;
}
