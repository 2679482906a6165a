import { GrowingUint32 } from '../parquet/growing.ts';
import { compareRecordKeys, type RecordKey } from '../query/record-key.ts';
import type { RowKeys } from './row-keys.ts';

// Rows that pass the columns' filter are put into so many buckets by their time; a bucket is put in order only when
// those before it were taken.
const BUCKETS = 4096;
// Rows decoded at once at the beginning, then more and more.
const FIRST_DECODE = 64;
const MAX_DECODE = 16_384;
// Rows less than so many apart are read together, up to so many.
const NEAR = 4096;
const MOST = 32_768;

/** What was decoded of a row, with its key. */
export interface KeyedRow<Row> {
  readonly key: RecordKey;
  readonly row: Row;
}

/**
 * Rows of a file that may match a query, to be taken newest first. They are told by numbers; what is taken is
 * decoded some at a time.
 */
export class Candidates {
  /** For each stretch of rows that was looked at: its row group, its first row, its keys. */
  readonly #stretches: { readonly group: number; readonly from: number; readonly keys: RowKeys }[] = [];
  // By candidate: its stretch, and its place there.
  readonly #stretch = new GrowingUint32();
  readonly #place = new GrowingUint32();

  /** Says that rows follow of a row group from `from` on. */
  begin(group: number, from: number, keys: RowKeys): void {
    this.#stretches.push({ group, from, keys });
  }

  /** Adds a row of the stretch, by its place there. */
  add(place: number): void {
    this.#stretch.push(this.#stretches.length - 1);
    this.#place.push(place);
  }

  /**
   * Takes the rows newest first; between them come `undefined`s, moments at which a long search can let others have
   * their turn.
   *
   * @param decode - decodes the rows `from` to `to` of a row group; returns what gives one by its number
   */
  *newestFirst<Row>(
    decode: (group: number, from: number, to: number) => (row: number) => Row,
  ): Generator<KeyedRow<Row> | undefined> {
    // Rows of neighbouring times are all over the file: each stretch that is decoded reads pages of many others.
    let count = FIRST_DECODE;
    let from = 0;
    for (const { order, end } of this.#buckets()) {
      while (end - from >= count) {
        yield* this.#decode(order.subarray(from, from + count), decode);
        from += count;
        count = Math.min(count * 2, MAX_DECODE);
      }
      if (end === order.length && end > from) yield* this.#decode(order.subarray(from, end), decode);
    }
  }

  /** Decodes rows in the order of the file, and hands them out in that of `chosen`. */
  *#decode<Row>(
    chosen: Uint32Array,
    decode: (group: number, from: number, to: number) => (row: number) => Row,
  ): Generator<KeyedRow<Row> | undefined> {
    const inFile = Array.from(chosen, (candidate, order) => ({
      candidate,
      order,
      row: this.#rowOf(candidate),
    }));
    inFile.sort((a, b) => this.#groupOf(a.candidate) - this.#groupOf(b.candidate) || a.row - b.row);
    const decoded = new Array<Row>(chosen.length);
    for (let from = 0; from < inFile.length; ) {
      const first = inFile[from]!;
      const group = this.#groupOf(first.candidate);
      let to = from + 1;
      for (; to < inFile.length; to++) {
        const next = inFile[to]!;
        if (this.#groupOf(next.candidate) !== group) break;
        if (next.row - inFile[to - 1]!.row >= NEAR || next.row - first.row >= MOST) break;
      }
      const read = decode(group, first.row, inFile[to - 1]!.row + 1);
      for (; from < to; from++) decoded[inFile[from]!.order] = read(inFile[from]!.row - first.row);
      yield undefined;
    }
    for (const [order, candidate] of chosen.entries())
      yield { key: this.#keyOf(candidate), row: decoded[order]! };
  }

  /** The numbers of the candidates, of which more and more from the beginning on are in order, newest first. */
  *#buckets(): Generator<{ readonly order: Uint32Array; readonly end: number }> {
    const count = this.#place.length;
    const times = new Float64Array(count);
    let min = Number.POSITIVE_INFINITY;
    let max = 0;
    for (let candidate = 0; candidate < count; candidate++) {
      const { keys } = this.#stretches[this.#stretch.values[candidate]!]!;
      const place = this.#place.values[candidate]!;
      // Rounded, which keeps the order.
      const time = keys.times[2 * place + 1]! * 0x1_0000_0000 + keys.times[2 * place]!;
      times[candidate] = time;
      if (time < min) min = time;
      if (time > max) max = time;
    }
    const scale = max > min ? (BUCKETS - 1) / (max - min) : 0;
    const bucketOf = (candidate: number): number => Math.floor((max - times[candidate]!) * scale);
    const ends = new Uint32Array(BUCKETS + 1);
    for (let candidate = 0; candidate < count; candidate++) ends[bucketOf(candidate) + 1]!++;
    for (let bucket = 1; bucket <= BUCKETS; bucket++) ends[bucket]! += ends[bucket - 1]!;
    const order = new Uint32Array(count);
    const next = ends.slice();
    for (let candidate = 0; candidate < count; candidate++) order[next[bucketOf(candidate)]!++] = candidate;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const end = ends[bucket + 1]!;
      if (end === ends[bucket]) continue;
      order.subarray(ends[bucket], end).sort((a, b) => this.#compare(a, b));
      yield { order, end };
    }
  }

  #groupOf(candidate: number): number {
    return this.#stretches[this.#stretch.values[candidate]!]!.group;
  }

  #rowOf(candidate: number): number {
    return this.#stretches[this.#stretch.values[candidate]!]!.from + this.#place.values[candidate]!;
  }

  #keyOf(candidate: number): RecordKey {
    return this.#stretches[this.#stretch.values[candidate]!]!.keys.key(this.#place.values[candidate]!);
  }

  #compare(a: number, b: number): number {
    const left = this.#stretches[this.#stretch.values[a]!]!.keys;
    const right = this.#stretches[this.#stretch.values[b]!]!.keys;
    return left.compare(this.#place.values[a]!, right, this.#place.values[b]!);
  }
}

/** Tells of each place whether its time is within bounds, which both count, and behind `after` in the order. */
export function timeFilter(
  keys: RowKeys,
  minTime: bigint,
  maxTime: bigint,
  after: RecordKey | undefined,
): (place: number) => boolean {
  const last = after !== undefined && after.timeUnixNanos < maxTime ? after.timeUnixNanos : maxTime;
  if (minTime > last) return () => false;
  const [minHigh, minLow] = halves(minTime);
  const [maxHigh, maxLow] = halves(last);
  const { times } = keys;
  return (place) => {
    const high = times[2 * place + 1]!;
    const low = times[2 * place]!;
    if (high < minHigh || (high === minHigh && low < minLow)) return false;
    if (high > maxHigh || (high === maxHigh && low > maxLow)) return false;
    if (after === undefined || high !== maxHigh || low !== maxLow || last !== after.timeUnixNanos)
      return true;
    return compareRecordKeys(keys.key(place), after) > 0;
  };
}

function halves(time: bigint): readonly [high: number, low: number] {
  return [Number(time >> 32n), Number(time & 0xffff_ffffn)];
}
