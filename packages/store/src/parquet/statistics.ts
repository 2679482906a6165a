import type { Range } from './metadata.ts';
import { PhysicalType, physicalType, type ValueType } from './schema.ts';
import { type BytesValues, isBytes, isDictionary, type PlainValues, type Values } from './values.ts';

/** Bounds of byte strings are cut to so many bytes. */
const MAX_BOUND = 64;

/** The smallest and the largest of the values `from` to `to`; `undefined` if there are none or a NaN is among them. */
export function rangeOf(type: ValueType, values: Values, from: number, to: number): Range | undefined {
  if (from === to) return undefined;
  if (isDictionary(values)) return dictionaryRange(type, values.codes, values.dictionary, from, to);
  if (isBytes(values)) return bytesRange(values, from, to);
  if (values instanceof Float64Array && hasNaN(values, from, to)) return undefined;
  if (type === 'int64' || type === 'timestamp') return int64Range(values as Uint32Array, from, to);
  let min = from;
  let max = from;
  const compare = comparison(type, values);
  for (let index = from + 1; index < to; index++) {
    if (compare(index, min) < 0) min = index;
    else if (compare(index, max) > 0) max = index;
  }
  return numberRange(type, values, min, max);
}

// The type of times and durations; calling a comparison for each value takes three times as long.
function int64Range(halves: Uint32Array, from: number, to: number): Range | undefined {
  let min = from;
  let max = from;
  let minHigh = halves[2 * from + 1]! | 0;
  let minLow = halves[2 * from]!;
  let maxHigh = minHigh;
  let maxLow = minLow;
  for (let index = from + 1; index < to; index++) {
    const high = halves[2 * index + 1]! | 0;
    const low = halves[2 * index]!;
    if (high < minHigh || (high === minHigh && low < minLow)) {
      min = index;
      minHigh = high;
      minLow = low;
    } else if (high > maxHigh || (high === maxHigh && low > maxLow)) {
      max = index;
      maxHigh = high;
      maxLow = low;
    }
  }
  return numberRange('int64', halves, min, max);
}

/** As {@link rangeOf}, of byte strings in ascending order. */
export function ascendingRange(values: Values, from: number, to: number): Range | undefined {
  return from === to || !isBytes(values) ? undefined : cutRange(values, from, to - 1);
}

// Each entry of the dictionary is looked at once, however often it occurs.
function dictionaryRange(
  type: ValueType,
  codes: Uint32Array,
  dictionary: PlainValues,
  from: number,
  to: number,
): Range | undefined {
  const size = countOf(type, dictionary);
  if (dictionary instanceof Float64Array && hasNaN(dictionary, 0, size)) return undefined;
  const seen = new Uint8Array(size);
  const compare = isBytes(dictionary)
    ? (a: number, b: number) => compareBytes(dictionary, a, b)
    : comparison(type, dictionary);
  let min = codes[from]!;
  let max = min;
  for (let index = from; index < to; index++) {
    const code = codes[index]!;
    if (seen[code] !== 0) continue;
    seen[code] = 1;
    if (compare(code, min) < 0) min = code;
    else if (compare(code, max) > 0) max = code;
  }
  return isBytes(dictionary) ? cutRange(dictionary, min, max) : numberRange(type, dictionary, min, max);
}

function bytesRange(values: BytesValues, from: number, to: number): Range | undefined {
  let min = from;
  let max = from;
  for (let index = from + 1; index < to; index++) {
    if (compareBytes(values, index, min) < 0) min = index;
    else if (compareBytes(values, index, max) > 0) max = index;
  }
  return cutRange(values, min, max);
}

function compareBytes({ bytes, offsets }: BytesValues, a: number, b: number): number {
  let left = offsets[a]!;
  let right = offsets[b]!;
  const leftEnd = offsets[a + 1]!;
  const rightEnd = offsets[b + 1]!;
  while (left < leftEnd && right < rightEnd) {
    const order = bytes[left++]! - bytes[right++]!;
    if (order !== 0) return order;
  }
  return leftEnd - left - (rightEnd - right);
}

function cutRange({ bytes, offsets }: BytesValues, min: number, max: number): Range | undefined {
  const smallest = bytes.slice(offsets[min], offsets[min + 1]);
  const largest = bytes.slice(offsets[max], offsets[max + 1]);
  if (smallest.length <= MAX_BOUND && largest.length <= MAX_BOUND) {
    return { min: smallest, max: largest, exact: true };
  }
  const upper = largest.length <= MAX_BOUND ? largest : nextAbove(largest);
  if (upper === undefined) return undefined;
  return { min: smallest.subarray(0, characterEnd(smallest)), max: upper, exact: false };
}

/** Where at most so many bytes end without cutting a character of UTF-8. */
function characterEnd(bytes: Uint8Array): number {
  if (bytes.length <= MAX_BOUND) return bytes.length;
  let end = MAX_BOUND;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return end === 0 ? MAX_BOUND : end;
}

/** A short string above everything that begins as this one does: its last ASCII character one higher. */
function nextAbove(bytes: Uint8Array): Uint8Array | undefined {
  for (let end = characterEnd(bytes); end > 0; end--) {
    if (bytes[end - 1]! >= 0x7f) continue;
    const above = bytes.slice(0, end);
    above[end - 1]!++;
    return above;
  }
  return undefined;
}

type Compare = (a: number, b: number) => number;

function comparison(type: ValueType, values: Exclude<PlainValues, BytesValues>): Compare {
  switch (type) {
    case 'int64':
    case 'timestamp':
      return (a, b) => (values[2 * a + 1]! | 0) - (values[2 * b + 1]! | 0) || values[2 * a]! - values[2 * b]!;
    case 'uint64':
      return (a, b) => values[2 * a + 1]! - values[2 * b + 1]! || values[2 * a]! - values[2 * b]!;
    case 'uint32':
      return (a, b) => (values[a]! >>> 0) - (values[b]! >>> 0);
    default:
      return (a, b) => values[a]! - values[b]!;
  }
}

function numberRange(
  type: ValueType,
  values: Exclude<PlainValues, BytesValues>,
  min: number,
  max: number,
): Range | undefined {
  switch (type) {
    case 'int64':
    case 'uint64':
    case 'timestamp': {
      const halves = (index: number): Uint8Array =>
        numberBytes(Uint32Array.of(values[2 * index]!, values[2 * index + 1]!));
      return { min: halves(min), max: halves(max), exact: true };
    }
    case 'double': {
      // Which of the zeros is meant cannot be told by comparing, so both are included.
      const low = values[min]! === 0 ? -0 : values[min]!;
      const high = values[max]! === 0 ? 0 : values[max]!;
      return { min: numberBytes(Float64Array.of(low)), max: numberBytes(Float64Array.of(high)), exact: true };
    }
    case 'boolean':
      return { min: Uint8Array.of(values[min]!), max: Uint8Array.of(values[max]!), exact: true };
    default:
      return {
        min: numberBytes(Int32Array.of(values[min]!)),
        max: numberBytes(Int32Array.of(values[max]!)),
        exact: true,
      };
  }
}

function numberBytes(values: Int32Array | Uint32Array | Float64Array): Uint8Array {
  return new Uint8Array(values.buffer);
}

/** How many values there are. */
export function countOf(type: ValueType, values: PlainValues): number {
  if (isBytes(values)) return values.offsets.length - 1;
  return physicalType(type) === PhysicalType.INT64 ? values.length / 2 : values.length;
}

/** Whether any of the doubles is a NaN, which has no place in an order. */
function hasNaN(values: Float64Array, from: number, to: number): boolean {
  for (let index = from; index < to; index++) if (Number.isNaN(values[index]!)) return true;
  return false;
}

/** Compares two bounds, in their PLAIN encoding, in the order of their type. */
export function compareBounds(type: ValueType, a: Uint8Array, b: Uint8Array): number {
  switch (type) {
    case 'int64':
    case 'timestamp':
      return Number(viewOf(a).getBigInt64(0, true) - viewOf(b).getBigInt64(0, true));
    case 'uint64':
      return Number(viewOf(a).getBigUint64(0, true) - viewOf(b).getBigUint64(0, true));
    case 'int32':
      return viewOf(a).getInt32(0, true) - viewOf(b).getInt32(0, true);
    case 'uint32':
      return viewOf(a).getUint32(0, true) - viewOf(b).getUint32(0, true);
    case 'double':
      return viewOf(a).getFloat64(0, true) - viewOf(b).getFloat64(0, true);
    default:
      return Buffer.compare(a, b);
  }
}

/** What two ranges span together. */
export function joinRanges(type: ValueType, a: Range | undefined, b: Range): Range {
  if (a === undefined) return b;
  return {
    min: compareBounds(type, a.min, b.min) <= 0 ? a.min : b.min,
    max: compareBounds(type, a.max, b.max) >= 0 ? a.max : b.max,
    exact: a.exact && b.exact,
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
