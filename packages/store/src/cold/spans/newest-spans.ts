import type { SpanData } from '@tracewell/plugin';
import { GrowingUint32 } from '../../parquet/growing.ts';
import type { MapColumn } from '../../parquet/values.ts';
import { matches } from '../../query/spans/match.ts';
import type { QueryPlan } from '../../query/spans/plan.ts';
import { compareSpanKeys } from '../../query/spans/span-order.ts';
import { readFlat } from '../flat-column.ts';
import { entriesWith } from './attribute-filter.ts';
import type { SpanFile } from './span-file.ts';
import { readSpanNumbers, type SpanNumbers } from './span-numbers.ts';
import { codesOf } from './visit-spans.ts';

// Rows that pass the columns' filter are put into so many buckets by their start; a bucket is put in order only
// when the spans before it were taken.
const BUCKETS = 4096;
// Rows decoded at once at the beginning, then more and more.
const FIRST_DECODE = 64;
const MAX_DECODE = 4096;

/**
 * The spans of a file that match a query, newest first in the order of spans; `limit` is left to the caller, who
 * stops taking. Between spans come `undefined`s: moments at which a long search can let others have their turn.
 *
 * @throws `TracewellError` (`TW_COLD_DAMAGED`)
 */
export function* newestSpans(file: SpanFile, plan: QueryPlan): Generator<SpanData | undefined> {
  const rows = new Candidates();
  for (let group = 0; group < file.parquet.rowGroups; group++) {
    collect(file, group, plan, rows);
    yield undefined;
  }
  let count = FIRST_DECODE;
  for (const bucket of rows.newestFirst()) {
    for (let from = 0; from < bucket.length; ) {
      // A piece of a bucket must not end between two rows with the same start, whose order their ids decide.
      let to = Math.min(bucket.length, from + count);
      while (to < bucket.length && rows.sameStart(bucket[to - 1]!, bucket[to]!)) to++;
      const spans = yield* decode(file, rows, bucket.subarray(from, to));
      spans.sort(compareSpanKeys);
      for (const span of spans) {
        if (plan.after !== undefined && compareSpanKeys(span, plan.after) <= 0) continue;
        if (matches(span, plan)) yield span;
      }
      from = to;
      count = Math.min(count * 2, MAX_DECODE);
    }
  }
}

/** Decodes rows, each group's in the order of the file. */
function* decode(file: SpanFile, rows: Candidates, chosen: Uint32Array): Generator<undefined, SpanData[]> {
  const spans: SpanData[] = [];
  const inOrder = chosen.slice().sort();
  for (let from = 0; from < inOrder.length; ) {
    const group = rows.groupOf(inOrder[from]!);
    let to = from;
    while (to < inOrder.length && rows.groupOf(inOrder[to]!) === group) to++;
    const numbers = inOrder.subarray(from, to).map((index) => rows.rowOf(index));
    for (const span of file.readRows(group, numbers)) spans.push(span);
    yield undefined;
    from = to;
  }
  return spans;
}

/** Adds the rows of a row group that may match. */
function collect({ parquet }: SpanFile, group: number, plan: QueryPlan, rows: Candidates): void {
  const passes = filterOf(parquet.rowsOf(group));
  if (plan.service !== undefined && !keepText('service_name', plan.service)) return;
  if (plan.operation !== undefined && !keepText('name', plan.operation)) return;
  for (const [key, value] of plan.attributes) {
    const own = parquet.readColumn(group, 'attributes') as MapColumn;
    const shared = parquet.readColumn(group, 'resource_attributes') as MapColumn;
    if (!entriesWith(own, shared, key, value, passes)) return;
  }
  const numbers = readSpanNumbers(parquet, group);
  rows.add(group, numbers, plan, passes);

  function keepText(column: string, wanted: string): boolean {
    const { codes, texts } = codesOf(readFlat(parquet, group, column, 0, passes.length));
    const bytes = Buffer.from(wanted);
    let code = -1;
    for (let index = 0; index < texts.offsets.length - 1 && code < 0; index++) {
      const text = texts.bytes.subarray(texts.offsets[index], texts.offsets[index + 1]);
      if (Buffer.compare(text, bytes) === 0) code = index;
    }
    if (code < 0) return false;
    for (let row = 0; row < passes.length; row++) if (codes[row] !== code) passes[row] = 0;
    return true;
  }
}

function filterOf(count: number): Uint8Array {
  return new Uint8Array(count).fill(1);
}

/** Rows that may match, with their starts. */
class Candidates {
  readonly #groups = new GrowingUint32();
  readonly #rows = new GrowingUint32();
  readonly #high = new GrowingUint32();
  readonly #low = new GrowingUint32();

  add(
    group: number,
    { count, starts, durations, kinds, statusCodes }: SpanNumbers,
    plan: QueryPlan,
    passes: Uint8Array,
  ): void {
    const minDuration = plan.minDurationNanos === undefined ? 0 : Number(plan.minDurationNanos);
    const maxDuration =
      plan.maxDurationNanos === undefined ? Number.POSITIVE_INFINITY : Number(plan.maxDurationNanos);
    const after = plan.after?.startTimeUnixNanos;
    const last = after !== undefined && after < plan.maxStart ? after : plan.maxStart;
    if (plan.minStart > last) return;
    const minHigh = Number(plan.minStart >> 32n);
    const minLow = Number(plan.minStart & 0xffff_ffffn);
    const maxHigh = Number(last >> 32n);
    const maxLow = Number(last & 0xffff_ffffn);
    for (let row = 0; row < count; row++) {
      if (passes[row] === 0) continue;
      const high = starts[2 * row + 1]!;
      const low = starts[2 * row]!;
      if (high < minHigh || (high === minHigh && low < minLow)) continue;
      if (high > maxHigh || (high === maxHigh && low > maxLow)) continue;
      if (plan.kind !== undefined && kinds[row] !== plan.kind) continue;
      if (plan.status !== undefined && statusCodes[row] !== plan.status) continue;
      if (durations[row]! < minDuration || durations[row]! > maxDuration) continue;
      this.#groups.push(group);
      this.#rows.push(row);
      this.#high.push(high);
      this.#low.push(low);
    }
  }

  groupOf(index: number): number {
    return this.#groups.values[index]!;
  }

  rowOf(index: number): number {
    return this.#rows.values[index]!;
  }

  sameStart(a: number, b: number): boolean {
    const low = this.#low.values;
    const high = this.#high.values;
    return low[a] === low[b] && high[a] === high[b];
  }

  /** The numbers of the candidates in the order of their starts, newest first, in parts. */
  *newestFirst(): Generator<Uint32Array> {
    const count = this.#rows.length;
    const lows = this.#low.values;
    const highs = this.#high.values;
    if (count === 0) return;
    const starts = new Float64Array(count);
    let min = Number.POSITIVE_INFINITY;
    let max = 0;
    for (let index = 0; index < count; index++) {
      // Rounded, which keeps the order.
      const start = highs[index]! * 0x1_0000_0000 + lows[index]!;
      starts[index] = start;
      if (start < min) min = start;
      if (start > max) max = start;
    }
    const scale = max > min ? (BUCKETS - 1) / (max - min) : 0;
    const bucketOf = new Uint16Array(count);
    const ends = new Uint32Array(BUCKETS + 1);
    for (let index = 0; index < count; index++) {
      const bucket = Math.floor((max - starts[index]!) * scale);
      bucketOf[index] = bucket;
      ends[bucket + 1]!++;
    }
    for (let bucket = 0; bucket < BUCKETS; bucket++) ends[bucket + 1]! += ends[bucket]!;
    const places = ends.slice();
    const order = new Uint32Array(count);
    for (let index = 0; index < count; index++) order[places[bucketOf[index]!]!++] = index;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const part = order.subarray(ends[bucket], ends[bucket + 1]);
      if (part.length > 0) yield part.sort((a, b) => highs[b]! - highs[a]! || lows[b]! - lows[a]!);
    }
  }
}
