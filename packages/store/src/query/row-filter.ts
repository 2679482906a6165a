import { StatusCode } from '@tracewell/plugin';
import type { Block } from '../hot/block.ts';
import type { Operations } from '../hot/operations.ts';
import { FLAG_COPY, FLAG_KIND, FLAG_KIND_SHIFT, FLAG_STATUS } from '../hot/row.ts';
import type { NewestRows } from './newest-rows.ts';
import type { QueryPlan } from './plan.ts';
import type { SpanKey } from './span-order.ts';

/** A place in the order of spans, as far as the columns know it. */
export interface RowKey {
  readonly startHigh: number;
  readonly startLow: number;
  readonly traceHigh: number;
  readonly traceLow: number;
  readonly spanKey: number;
}

/** The columns' part of a span's key. */
export function rowKey(key: SpanKey): RowKey {
  return {
    startHigh: highHalf(key.startTimeUnixNanos),
    startLow: lowHalf(key.startTimeUnixNanos),
    traceHigh: Number.parseInt(key.traceId.slice(16, 24), 16),
    traceLow: Number.parseInt(key.traceId.slice(24), 16),
    spanKey: Number.parseInt(key.spanId.slice(8), 16),
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
      (after.startHigh < maxHigh || (after.startHigh === maxHigh && after.startLow < maxLow))
    ) {
      maxHigh = after.startHigh;
      maxLow = after.startLow;
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

  /** Offers the rows of a block that pass. */
  scan(block: Block, blockNumber: number, newest: NewestRows): void {
    const operations = this.#selectIn(block);
    if (operations === null) return;
    const { startHigh, startLow, flags, operation, duration, failing } = block;
    const mask = this.#flagsMask;
    const value = this.#flagsValue;
    const minDuration = this.#minDuration;
    const maxDuration = this.#maxDuration;
    const maxHigh = this.#maxHigh;
    const maxLow = this.#maxLow;
    const after = this.#after;
    const onlyFailing = this.#onlyFailing;
    let minHigh = this.#minHigh;
    let minLow = this.#minLow;
    if (newest.full && (newest.minHigh > minHigh || (newest.minHigh === minHigh && newest.minLow > minLow))) {
      minHigh = newest.minHigh;
      minLow = newest.minLow;
    }
    // From the newest row back: what comes first then excludes most of the others.
    for (let index = (onlyFailing ? block.failingCount : block.count) - 1; index >= 0; index--) {
      const row = onlyFailing ? failing[index]! : index;
      const high = startHigh[row]!;
      if (high < minHigh || high > maxHigh) continue;
      const low = startLow[row]!;
      if ((high === minHigh && low < minLow) || (high === maxHigh && low > maxLow)) continue;
      if ((flags[row]! & mask) !== value) continue;
      if (operations !== undefined && operations[operation[row]!] === 0) continue;
      const took = duration[row]!;
      if (took < minDuration || took > maxDuration) continue;
      if (
        after !== undefined &&
        high === after.startHigh &&
        low === after.startLow &&
        !this.#isBehind(block, row, after)
      ) {
        continue;
      }
      newest.push(block, blockNumber, row);
      if (newest.full) {
        minHigh = newest.minHigh;
        minLow = newest.minLow;
      }
    }
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

  #isBehind(block: Block, row: number, after: RowKey): boolean {
    const order =
      after.traceHigh - block.traceHigh[row]! ||
      after.traceLow - block.traceLow[row]! ||
      after.spanKey - block.spanKey[row]!;
    return order > 0 || (order === 0 && this.#inclusive);
  }
}

function highHalf(nanos: bigint): number {
  return Number(nanos >> 32n);
}

function lowHalf(nanos: bigint): number {
  return Number(nanos & 0xffff_ffffn);
}
