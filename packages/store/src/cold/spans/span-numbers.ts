import { readFixed32, readVarint, SPAN_END_TIME, SPAN_START_TIME, skipVarint } from '@tracewell/otlp/wire';
import type { ParquetFile } from '../../parquet/file.ts';
import type { BytesValues, FlatColumn } from '../../parquet/values.ts';
import { skipField } from '../attributes/skip-field.ts';
import { bytesAt, numbersOf, readFlat } from '../flat-column.ts';
import { KINDS, STATUS_CODES } from './columns.ts';

/** The rows of a row group as numbers: what filters and analyses look at without decoding a span. */
export interface SpanNumbers {
  readonly count: number;
  /** The start in nanoseconds since the Unix epoch, exact: its lower, then its upper half. */
  readonly starts: Uint32Array;
  /** The duration in nanoseconds; 0 of a span that ended before it started. */
  readonly durations: Float64Array;
  /** OTLP's numbers. */
  readonly kinds: Uint8Array;
  readonly statusCodes: Uint8Array;
}

/** Ids as numbers: the last 8 bytes of the trace id, which are random in every id format, and both span ids. */
export interface SpanIdNumbers {
  /** Upper and lower half for each row, as unsigned 32-bit numbers. */
  readonly traceIds: Uint32Array;
  readonly spanIds: Uint32Array;
  /** 0 and 0 for a root. */
  readonly parentIds: Uint32Array;
}

const MAX_HIGH = 0x7fff_ffff;
const MAX_LOW = 0xffff_ffff;

/** Reads the numbers of a row group. @throws `TracewellError` (`TW_COLD_DAMAGED`) */
export function readSpanNumbers(file: ParquetFile, group: number): SpanNumbers {
  const count = file.rowsOf(group);
  const flat = (name: string): FlatColumn => readFlat(file, group, name, 0, count);
  const starts = (flat('start_time').values as Uint32Array).slice();
  const halves = flat('duration_ns').values as Uint32Array;
  const durations = new Float64Array(count);
  for (let row = 0; row < count; row++)
    durations[row] = halves[2 * row + 1]! * 0x1_0000_0000 + halves[2 * row]!;
  restoreTimes(file, group, starts, halves, durations);
  return {
    count,
    starts,
    durations,
    kinds: numbersOf(flat('kind').values, KINDS, count),
    statusCodes: numbersOf(flat('status_code').values, STATUS_CODES, count),
  };
}

/** Gives times that the columns had to cut their exact values, which are in `otlp`. */
function restoreTimes(
  file: ParquetFile,
  group: number,
  starts: Uint32Array,
  halves: Uint32Array,
  durations: Float64Array,
): void {
  let rest: FlatColumn | undefined;
  for (let row = 0; row < durations.length; row++) {
    if (!isLargest(starts, row) && !isLargest(halves, row)) continue;
    rest ??= readFlat(file, group, 'otlp', 0, durations.length);
    if (rest.valid !== undefined && rest.valid[row] === 0) continue;
    const fields = bytesAt(rest.values, row);
    const start = timeIn(fields, SPAN_START_TIME);
    if (start !== undefined) {
      starts[2 * row] = start[0];
      starts[2 * row + 1] = start[1];
    }
    const end = timeIn(fields, SPAN_END_TIME);
    if (end !== undefined) {
      const took = (end[1] - starts[2 * row + 1]!) * 0x1_0000_0000 + end[0] - starts[2 * row]!;
      durations[row] = Math.max(0, took);
    }
  }
}

function isLargest(halves: Uint32Array, row: number): boolean {
  return halves[2 * row + 1] === MAX_HIGH && halves[2 * row] === MAX_LOW;
}

function timeIn(bytes: Uint8Array, wanted: number): readonly [low: number, high: number] | undefined {
  for (let at = 0; at < bytes.length; ) {
    const key = readVarint(bytes, at);
    const body = skipVarint(bytes, at);
    if (key === wanted) return [readFixed32(bytes, body), readFixed32(bytes, body + 4)];
    at = skipField(bytes, body, key);
  }
  return undefined;
}

/** Reads the ids of a row group. @throws `TracewellError` (`TW_COLD_DAMAGED`) */
export function readSpanIdNumbers(file: ParquetFile, group: number): SpanIdNumbers {
  const count = file.rowsOf(group);
  const read = (name: string, skip: number): Uint32Array => {
    const { values, valid } = readFlat(file, group, name, 0, count);
    const numbers = new Uint32Array(2 * count);
    const isCoded = 'codes' in values;
    const { bytes, offsets } = (isCoded ? values.dictionary : values) as BytesValues;
    for (let row = 0; row < count; row++) {
      if (valid !== undefined && valid[row] === 0) continue;
      const at = offsets[isCoded ? values.codes[row]! : row]! + skip;
      numbers[2 * row] = hexWord(bytes, at);
      numbers[2 * row + 1] = hexWord(bytes, at + 8);
    }
    return numbers;
  };
  return {
    traceIds: read('trace_id', 16),
    spanIds: read('span_id', 0),
    parentIds: read('parent_span_id', 0),
  };
}

/** The number of eight lower-case hex digits. */
function hexWord(bytes: Uint8Array, at: number): number {
  let word = 0;
  for (let index = at; index < at + 8; index++) {
    const character = bytes[index]!;
    word = (word << 4) | (character < 0x3a ? character - 0x30 : character - 0x57);
  }
  return word >>> 0;
}
