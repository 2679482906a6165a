import { StatusCode } from '@tracewell/plugin';
import { type Block, RECORD_WORDS, ZONE_ROWS } from '../../hot/spans/block.ts';
import type { Operations } from '../../hot/spans/operations.ts';
import {
  FLAG_COPY,
  FLAG_KIND,
  FLAG_KIND_SHIFT,
  FLAG_STATUS,
  WORD_DURATION,
  WORD_SPAN_KEY,
  WORD_START_HIGH,
  WORD_START_LOW,
  WORD_TRACE_HIGH,
  WORD_TRACE_LOW,
} from '../../hot/spans/row.ts';
import { highHalf, lowHalf } from '../halves.ts';
import type { NewestRows, RowKey } from '../newest-rows.ts';
import type { QueryPlan } from './plan.ts';
import type { SpanKey } from './span-order.ts';

/** The columns' part of a span's key. */
export function rowKey(key: SpanKey): RowKey {
  return {
    timeHigh: highHalf(key.startTimeUnixNanos),
    timeLow: lowHalf(key.startTimeUnixNanos),
    first: Number.parseInt(key.traceId.slice(16, 24), 16),
    second: Number.parseInt(key.traceId.slice(24), 16),
    third: Number.parseInt(key.spanId.slice(8), 16),
  };
}

/** A query as comparisons of numbers. It passes every row of a span that matches, and few others. */
export class RowFilter {
  readonly minStart: number;
  readonly maxStart: number;
  readonly #minHigh: number;
  readonly #minLow: number;
  readonly #maxHigh: number;
  readonly #maxLow: number;
  readonly #flagsMask: number;
  readonly #flagsValue: number;
  readonly #onlyFailing: boolean;
  readonly #minDuration: number;
  readonly #maxDuration: number;
  readonly #operations: Uint8Array | undefined;
  readonly #after: RowKey | undefined;
  readonly #inclusive: boolean;

  /**
   * @param after - only rows from this place in the order on
   * @param inclusive - whether rows right at that place pass
   */
  constructor(plan: QueryPlan, operations: Operations, after: RowKey | undefined, inclusive: boolean) {
    this.#minHigh = highHalf(plan.minStart);
    this.#minLow = lowHalf(plan.minStart);
    let maxHigh = plan.maxStart < 0n ? -1 : highHalf(plan.maxStart);
    let maxLow = lowHalf(plan.maxStart);
    if (
      after !== undefined &&
      (after.timeHigh < maxHigh || (after.timeHigh === maxHigh && after.timeLow < maxLow))
    ) {
      maxHigh = after.timeHigh;
      maxLow = after.timeLow;
    }
    this.#maxHigh = maxHigh;
    this.#maxLow = maxLow;
    this.minStart = this.#minHigh * 0x1_0000_0000 + this.#minLow;
    this.maxStart = maxHigh * 0x1_0000_0000 + maxLow;
    // Copies in other blocks pass: the reader of the spans meets both and picks one, while one that is hidden
    // here in favour of a block that was looked at before it came would be missed.
    let mask = FLAG_COPY;
    let value = 0;
    if (plan.status !== undefined) {
      mask |= FLAG_STATUS;
      value |= plan.status;
    }
    if (plan.kind !== undefined) {
      mask |= FLAG_KIND;
      value |= plan.kind << FLAG_KIND_SHIFT;
    }
    this.#flagsMask = mask;
    this.#flagsValue = value;
    this.#onlyFailing = plan.status === StatusCode.ERROR;
    // Rounding to 32 bits keeps the order, so comparing rounded numbers never excludes a span that matches.
    this.#minDuration = plan.minDurationNanos === undefined ? 0 : Math.fround(Number(plan.minDurationNanos));
    this.#maxDuration =
      plan.maxDurationNanos === undefined
        ? Number.POSITIVE_INFINITY
        : Math.fround(Number(plan.maxDurationNanos));
    this.#operations = operations.select(plan.service, plan.operation);
    this.#after = after;
    this.#inclusive = inclusive;
  }

  /** Offers the rows of a block that pass, those that came last first: they exclude most of the others. */
  scan(block: Block, blockNumber: number, newest: NewestRows): void {
    const operations = this.#selectIn(block);
    if (operations === null) return;
    if (this.#onlyFailing) {
      const { failing } = block;
      for (let index = block.failingCount - 1; index >= 0; index--) {
        const entry = failing[index]!;
        if (operations !== undefined && operations[entry >>> 16] === 0) continue;
        this.#offer(block, blockNumber, entry & 0xffff, newest);
      }
      return;
    }
    const { operation, zoneMaxStart } = block;
    for (let zone = Math.ceil(block.count / ZONE_ROWS) - 1; zone >= 0; zone--) {
      const latest = zoneMaxStart[zone]!;
      if (latest < this.minStart || (newest.full && latest < newest.minTime)) continue;
      const first = zone * ZONE_ROWS;
      for (let row = Math.min(first + ZONE_ROWS, block.count) - 1; row >= first; row--) {
        if (operations !== undefined && operations[operation[row]!] === 0) continue;
        this.#offer(block, blockNumber, row, newest);
      }
    }
  }

  /** Offers a row whose operation passes, if the rest of it does. */
  #offer(block: Block, blockNumber: number, row: number, newest: NewestRows): void {
    const { records } = block;
    const at = row * RECORD_WORDS;
    const high = records[at + WORD_START_HIGH]!;
    if (high < this.#minHigh || high > this.#maxHigh) return;
    const low = records[at + WORD_START_LOW]!;
    if ((high === this.#minHigh && low < this.#minLow) || (high === this.#maxHigh && low > this.#maxLow))
      return;
    if (newest.full && (high < newest.minHigh || (high === newest.minHigh && low < newest.minLow))) return;
    if ((block.flags[row]! & this.#flagsMask) !== this.#flagsValue) return;
    const took = block.floats[at + WORD_DURATION]!;
    if (took < this.#minDuration || took > this.#maxDuration) return;
    const after = this.#after;
    if (
      after !== undefined &&
      high === after.timeHigh &&
      low === after.timeLow &&
      !this.#isBehind(records, at, after)
    ) {
      return;
    }
    newest.push(
      high,
      low,
      records[at + WORD_TRACE_HIGH]!,
      records[at + WORD_TRACE_LOW]!,
      records[at + WORD_SPAN_KEY]!,
      blockNumber,
      row,
    );
  }

  /** Which of the block's operations pass: `undefined` for all of them, `null` for none. */
  #selectIn(block: Block): Uint8Array | undefined | null {
    const selected = this.#operations;
    if (selected === undefined) return undefined;
    const own = new Uint8Array(block.operationCount);
    let passing = 0;
    for (let index = 0; index < own.length; index++) {
      // An operation that came after the query started is not in the selection; it passes, to be decided later.
      own[index] = selected[block.operations[index]!] ?? 1;
      passing += own[index]!;
    }
    if (passing === 0) return null;
    return passing === own.length ? undefined : own;
  }

  #isBehind(records: Uint32Array, at: number, after: RowKey): boolean {
    const order =
      after.first - records[at + WORD_TRACE_HIGH]! ||
      after.second - records[at + WORD_TRACE_LOW]! ||
      after.third - records[at + WORD_SPAN_KEY]!;
    return order > 0 || (order === 0 && this.#inclusive);
  }
}
