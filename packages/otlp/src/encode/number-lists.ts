// Lists of numbers, packed into one field as proto3 does; a list that is empty is left out.

import { scratchHigh, scratchLow, splitBigInt } from '../wire/bits64.ts';
import { writeDouble, writeFixed64BigInt, writeVarint, writeVarintHalves } from '../wire/write.ts';
import { checkArray, checkNumber, checkUint64, isUint64 } from './checks.ts';
import type { Writer } from './writer.ts';

/** Appends counts as 8 bytes each. */
export function writePackedFixed64(
  writer: Writer,
  at: number,
  key: number,
  counts: readonly bigint[],
  name: string,
): number {
  checkArray(counts, name);
  if (counts.length === 0) return at;
  const bytes = writer.room(at, 6 + 8 * counts.length);
  bytes[at] = key;
  let end = writeVarint(bytes, at + 1, 8 * counts.length);
  for (let index = 0; index < counts.length; index++) {
    checkCount(counts[index], name, index);
    end = writeFixed64BigInt(bytes, end, counts[index]!);
  }
  return end;
}

/** Appends counts as varints. */
export function writePackedCounts(
  writer: Writer,
  at: number,
  key: number,
  counts: readonly bigint[],
  name: string,
): number {
  checkArray(counts, name);
  if (counts.length === 0) return at;
  const bytes = writer.room(at, 2 + 10 * counts.length);
  bytes[at] = key;
  const start = at + 2;
  let end = start;
  for (let index = 0; index < counts.length; index++) {
    checkCount(counts[index], name, index);
    splitBigInt(counts[index]!);
    end = writeVarintHalves(bytes, end, scratchLow(), scratchHigh());
  }
  return writer.close(start, end, 1);
}

/** Appends floats as 8 bytes each. */
export function writePackedDoubles(
  writer: Writer,
  at: number,
  key: number,
  values: readonly number[],
  name: string,
): number {
  checkArray(values, name);
  if (values.length === 0) return at;
  const bytes = writer.room(at, 6 + 8 * values.length);
  bytes[at] = key;
  let end = writeVarint(bytes, at + 1, 8 * values.length);
  for (let index = 0; index < values.length; index++) {
    if (typeof values[index] !== 'number') checkNumber(values[index], `${name}[${index}]`);
    end = writeDouble(bytes, end, values[index]!);
  }
  return end;
}

// Most elements are right, so the place of one is put into words only where it is not.
function checkCount(count: unknown, name: string, index: number): void {
  if (!isUint64(count)) checkUint64(count, `${name}[${index}]`, '');
}
