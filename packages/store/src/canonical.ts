import { Double } from '@tracewell/plugin';

/**
 * A value as JSON that is equal exactly for values that OTLP cannot tell apart: the integer `5n` and the number `5`
 * are, the integer `1` and `new Double(1)` are not, and neither prototypes nor the order of keys count.
 */
export function canonical(value: unknown): unknown {
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? integer(value) : double(value);
    case 'bigint':
      return integer(value);
    case 'object':
      if (value === null) return null;
      if (value instanceof Double) return double(value.value);
      if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') };
      if (Array.isArray(value)) return value.map(canonical);
      return {
        map: Object.entries(value)
          .filter(([, part]) => part !== undefined)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, part]) => [key, canonical(part)]),
      };
    default:
      return value;
  }
}

function integer(value: number | bigint): unknown {
  return { integer: String(value) };
}

function double(value: number): unknown {
  return { double: Object.is(value, -0) ? '-0' : String(value) };
}
