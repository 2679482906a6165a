import type { ParquetFile } from '../parquet/file.ts';
import type { Range, Statistics } from '../parquet/metadata.ts';

/** Rows of a row group, from the first up to, but without, the second number. */
export type RowRange = readonly [from: number, to: number];

/**
 * The rows of a row group on whose pages a column may have a value that is wanted, as its statistics say.
 *
 * @param mayBeIn - whether a wanted value may be within these bounds
 */
export function rangesWith(
  file: ParquetFile,
  group: number,
  column: string,
  mayBeIn: (range: Range) => boolean,
): RowRange[] {
  const rows = file.rowsOf(group);
  const mayBe = ({ range, nullCount }: Statistics, count: number): boolean =>
    range === undefined ? nullCount < count : mayBeIn(range);
  const whole = file.statistics(group, column);
  if (whole !== undefined && !mayBe(whole, rows)) return [];
  const statistics = file.pageStatistics(group, column);
  if (statistics === undefined) return [[0, rows]];
  const pages = file.pages(group, column);
  const ranges: [from: number, to: number][] = [];
  for (const [page, known] of statistics.entries()) {
    const from = pages[page]!.firstRow;
    const to = pages[page + 1]?.firstRow ?? rows;
    if (!mayBe(known, to - from)) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === from) last[1] = to;
    else ranges.push([from, to]);
  }
  return ranges;
}

/** The rows that are in both; either must be in order. */
export function intersection(a: readonly RowRange[], b: readonly RowRange[]): RowRange[] {
  const both: RowRange[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [from, to] = [Math.max(a[i]![0], b[j]![0]), Math.min(a[i]![1], b[j]![1])];
    if (from < to) both.push([from, to]);
    if (a[i]![1] < b[j]![1]) i++;
    else j++;
  }
  return both;
}

/** The rows of a row group on whose pages a column of texts may have a text. */
export function rangesWithText(file: ParquetFile, group: number, column: string, text: string): RowRange[] {
  const bytes = Buffer.from(text);
  return rangesWith(
    file,
    group,
    column,
    ({ min, max }) => Buffer.compare(min, bytes) <= 0 && Buffer.compare(bytes, max) <= 0,
  );
}

const LATEST = 2n ** 63n - 1n;

/** The rows of a row group on whose pages a column of times may have one within bounds, which both count. */
export function rangesWithTime(
  file: ParquetFile,
  group: number,
  column: string,
  minTime: bigint,
  maxTime: bigint,
): RowRange[] {
  // What lies beyond was cut.
  const first = minTime < LATEST ? minTime : LATEST;
  return rangesWith(file, group, column, ({ min, max }) => timeOf(max) >= first && timeOf(min) <= maxTime);
}

function timeOf(bound: Uint8Array): bigint {
  return Buffer.from(bound.buffer, bound.byteOffset, bound.length).readBigInt64LE();
}
