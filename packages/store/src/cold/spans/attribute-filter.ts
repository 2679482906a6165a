import { type AttributeValue, Double } from '@tracewell/plugin';
import type { BytesValues, MapColumn, Values } from '../../parquet/values.ts';
import { PAYLOAD_BYTES, textPrefix } from '../../payloads/reference.ts';
import { valueText } from '../attributes/value-text.ts';

/**
 * Clears in `passes` the rows that cannot have an attribute, neither themselves nor their resource. A value whose
 * text is not the only one that means it rules nothing out.
 *
 * @returns whether any row may have it
 */
export function entriesWith(
  own: MapColumn,
  shared: MapColumn,
  key: string,
  value: AttributeValue,
  passes: Uint8Array,
): boolean {
  if (!hasOneText(value)) return true;
  const keyBytes = Buffer.from(key);
  const valueBytes = Buffer.from(valueText(value));
  const inOwn = wanted(own, keyBytes, inColumn(valueBytes));
  const inShared = wanted(shared, keyBytes, valueBytes);
  let any = false;
  for (let row = 0; row < passes.length; row++) {
    if (passes[row] === 0) continue;
    if (inOwn(row) || inShared(row)) any = true;
    else passes[row] = 0;
  }
  return any;
}

/** What the column has of a text that went to the blob store is its beginning. */
function inColumn(text: Uint8Array): Uint8Array {
  return text.length > PAYLOAD_BYTES ? textPrefix(text, 0, text.length) : text;
}

// Integers and doubles of the same value are equal, but beyond 2^53 they are written in other digits. -0 equals 0.
function hasOneText(value: AttributeValue): boolean {
  if (value instanceof Double) return hasOneText(value.value);
  if (typeof value === 'number') return Math.abs(value) <= Number.MAX_SAFE_INTEGER && value !== 0;
  if (typeof value === 'bigint') return hasOneText(Number(value));
  return typeof value === 'string' || typeof value === 'boolean';
}

/** Tells of a row whether it has an entry. */
function wanted(maps: MapColumn, key: Uint8Array, value: Uint8Array): (row: number) => boolean {
  const isKey = equalTo(maps.keys, key);
  const isValue = equalTo(maps.values, value);
  if (isKey === undefined || isValue === undefined) return () => false;
  const { offsets } = maps;
  return (row) => {
    for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++) {
      if (isKey(entry) && isValue(entry)) return true;
    }
    return false;
  };
}

/** Tells of an entry whether it is a text; `undefined` if none is. */
function equalTo(values: Values, text: Uint8Array): ((entry: number) => boolean) | undefined {
  if (!('codes' in values)) {
    const texts = values as BytesValues;
    return (entry) => equals(texts, entry, text);
  }
  const texts = values.dictionary as BytesValues;
  const { codes } = values;
  for (let code = 0; code < texts.offsets.length - 1; code++) {
    if (equals(texts, code, text)) return (entry) => codes[entry] === code;
  }
  return undefined;
}

function equals({ bytes, offsets }: BytesValues, index: number, text: Uint8Array): boolean {
  const start = offsets[index]!;
  if (offsets[index + 1]! - start !== text.length) return false;
  for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text[at]) return false;
  return true;
}
