import { type AttributeValue, Double } from '@tracewell/plugin';

/**
 * An attribute's value as the text that SQL sees: a string as it is, numbers and booleans as JavaScript writes them,
 * everything else as JSON with bytes in base64.
 */
export function valueText(value: AttributeValue): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value === null || (typeof value === 'object' && !(value instanceof Double))) return jsonText(value);
  return Object.is(value.valueOf(), -0) ? '-0' : String(value);
}

function jsonText(value: AttributeValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value instanceof Double) {
    // JSON has no NaN and no infinities.
    return typeof value === 'boolean' || Number.isFinite(Number(value)) ? String(value) : `"${value}"`;
  }
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  const map = value as { readonly [key: string]: AttributeValue };
  return `{${Object.keys(map)
    .map((key) => `${JSON.stringify(key)}:${jsonText(map[key]!)}`)
    .join(',')}}`;
}
