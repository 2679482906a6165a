import type { MetricScanner } from '@tracewell/otlp';
import { type RequestId, requestId } from '../request-id.ts';
import { ROW_WORDS } from './row.ts';
import { NO_SERIES, type SeriesTable } from './series-table.ts';

/** What the index keeps of one frame: a row for each data point, with offsets that count from the payload's start. */
export interface PointRows {
  readonly count: number;
  /** What the points are known by, together with their places. */
  readonly request: RequestId;
  /** `ROW_WORDS` words a point; see row.ts. */
  readonly words: Uint32Array;
  /** What numbered the series. */
  readonly table: SeriesTable;
  /** Points that have no row, since their series would have been one too many. */
  readonly refused: number;
}

// Grows to the largest request and shrinks again, so that one large request does not cost memory for ever.
const KEEP_WORDS = 1 << 18;
let words = new Uint32Array(512 * ROW_WORDS);

/**
 * Walks a payload and makes its rows. It either succeeds or throws, having changed nothing but `table`, which may have
 * learned series.
 *
 * @param scanner - any scanner that is not in use
 * @param maxSeries - how many series the table may have at most
 * @throws `TracewellError` (`TW_DECODE_INVALID`, `TW_DECODE_TOO_DEEP`) if the payload is not an OTLP request
 */
export function pointRows(
  payload: Uint8Array,
  scanner: MetricScanner,
  table: SeriesTable,
  maxSeries: number,
): PointRows {
  let count = 0;
  let refused = 0;
  let metricNumber = -1;
  let stream = NO_SERIES;
  scanner.reset(payload);
  while (scanner.next()) {
    const enter = table.size < maxSeries;
    if (scanner.metricNumber !== metricNumber) {
      metricNumber = scanner.metricNumber;
      stream = table.stream(scanner, enter);
    }
    const series = stream === NO_SERIES ? NO_SERIES : table.series(stream, scanner, enter);
    if (series === NO_SERIES) {
      refused++;
      continue;
    }
    const at = count * ROW_WORDS;
    if (at + ROW_WORDS > words.length) growScratch();
    words[at] = scanner.timeHigh;
    words[at + 1] = scanner.timeLow;
    words[at + 2] = scanner.pointStart;
    words[at + 3] = scanner.pointEnd - scanner.pointStart;
    words[at + 4] = series;
    count++;
  }
  const rows = words.slice(0, count * ROW_WORDS);
  if (words.length > KEEP_WORDS) words = new Uint32Array(KEEP_WORDS);
  return { count, request: requestId(payload), words: rows, table, refused };
}

function growScratch(): void {
  const larger = new Uint32Array(words.length * 2);
  larger.set(words);
  words = larger;
}
