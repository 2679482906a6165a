// Lists of numbers, which a sender may pack into one field. `maxItems` counts one for every eight of them that
// are packed: a count is a byte on the wire, but a bigint and a place in an array in memory.

import type { Reader } from './reader.ts';

/** How many packed numbers count as one item. */
export const NUMBERS_AN_ITEM = 8;

/** Reads packed numbers of 8 bytes up to `end`. */
export function readPackedFixed64(reader: Reader, end: number, counts: bigint[]): void {
  for (let index = 0; reader.at < end; index++) {
    if (index % NUMBERS_AN_ITEM === 0) reader.countItem();
    counts.push(reader.fixed64(end));
  }
}

/** Reads packed floats up to `end`. */
export function readPackedDoubles(reader: Reader, end: number, values: number[]): void {
  for (let index = 0; reader.at < end; index++) {
    if (index % NUMBERS_AN_ITEM === 0) reader.countItem();
    values.push(reader.double(end));
  }
}

/** Reads packed varints up to `end`. */
export function readPackedUint64(reader: Reader, end: number, counts: bigint[]): void {
  for (let index = 0; reader.at < end; index++) {
    if (index % NUMBERS_AN_ITEM === 0) reader.countItem();
    counts.push(reader.uint64(end));
  }
}
