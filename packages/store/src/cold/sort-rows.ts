/** How many rows one sorter takes: more than a segment of the usual 64 MiB can hold, even of records that say nothing. */
export const MAX_ROWS = 1 << 27;

/** Fewer than these are sorted by comparing. */
const FEW = 64;
/** What room is left beside a row's number in the 53 bits of a double. */
const STEPS = 2 ** 26;

/**
 * Sorts rows, given by their numbers, in place.
 *
 * @param roughly - by row: a number that never decreases from one row in the order to the next; of rows that it
 * does not tell apart, `compare` decides
 */
export function sortRows(
  rows: Uint32Array,
  roughly: Float64Array,
  compare: (a: number, b: number) => number,
): void {
  if (rows.length < FEW) {
    rows.sort(compare);
    return;
  }
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    const value = roughly[row]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  // The value in steps and the number of the row in one double: sorting those takes a tenth of the time that
  // comparing takes.
  const scale = max > min ? (STEPS - 1) / (max - min) : 0;
  const keys = new Float64Array(rows.length);
  for (let index = 0; index < rows.length; index++) {
    keys[index] = Math.floor((roughly[rows[index]!]! - min) * scale) * MAX_ROWS + rows[index]!;
  }
  keys.sort();
  for (let index = 0; index < rows.length; index++) rows[index] = keys[index]! % MAX_ROWS;
  for (let from = 0; from < rows.length; ) {
    const step = Math.floor(keys[from]! / MAX_ROWS);
    let end = from + 1;
    while (end < rows.length && Math.floor(keys[end]! / MAX_ROWS) === step) end++;
    if (end - from > 1) rows.subarray(from, end).sort(compare);
    from = end;
  }
}
