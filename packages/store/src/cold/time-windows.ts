import type { ParquetFile } from '../parquet/file.ts';

/** A stretch of time in nanoseconds since the Unix epoch; both ends are within. */
export interface TimeWindow {
  readonly min: bigint;
  readonly max: bigint;
}

// Who takes a page of the newest rows finds it in the first window, of about so many rows. Each further one is so
// many times as large, so that whoever takes all rows reads few pages twice.
const FIRST_ROWS = 8192;
const FACTOR = 4;

const LATEST = 2n ** 63n - 1n;

/**
 * Cuts the time from `min` to `max` into windows, the latest first, as the pages of a file's column `time` suggest: a
 * file that is sorted by something else first has its newest rows all over, but on few pages.
 */
export function timeWindows(file: ParquetFile, min: bigint, max: bigint): TimeWindow[] {
  const windows: TimeWindow[] = [];
  let last = max;
  let rows = 0;
  let wanted = FIRST_ROWS;
  for (const page of pagesOf(file).sort((a, b) => (a.first > b.first ? -1 : 1))) {
    rows += page.rows;
    // Beyond the largest time that the column can say there is nothing to tell rows apart by.
    if (rows < wanted || page.first >= LATEST || page.first > last) continue;
    if (page.first <= min) break;
    windows.push({ min: page.first, max: last });
    last = page.first - 1n;
    rows = 0;
    wanted *= FACTOR;
  }
  windows.push({ min, max: last });
  return windows;
}

/** How many rows each page has, and the time of its first one. Pages of which nothing is known are left out. */
function pagesOf(file: ParquetFile): { readonly rows: number; readonly first: bigint }[] {
  const pages: { rows: number; first: bigint }[] = [];
  for (let group = 0; group < file.rowGroups; group++) {
    const locations = file.pages(group, 'time');
    for (const [page, { range }] of (file.pageStatistics(group, 'time') ?? []).entries()) {
      if (range === undefined) continue;
      const end = locations[page + 1]?.firstRow ?? file.rowsOf(group);
      const { buffer, byteOffset, length } = range.min;
      const first = Buffer.from(buffer, byteOffset, length).readBigInt64LE();
      pages.push({ rows: end - locations[page]!.firstRow, first });
    }
  }
  return pages;
}
