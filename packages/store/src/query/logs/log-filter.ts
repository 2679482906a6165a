import { type LogBlock, RECORD_WORDS, ZONE_ROWS } from '../../hot/logs/block.ts';
import { WORD_SPAN_KEY, WORD_TIME_HIGH, WORD_TIME_LOW } from '../../hot/logs/row.ts';
import type { Services } from '../../hot/services.ts';
import { highHalf, lowHalf } from '../halves.ts';
import type { NewestRows, RowKey } from '../newest-rows.ts';
import type { LogPlan } from './plan.ts';

/** A query as comparisons of numbers. It passes every row of a record that matches, and few others. */
export class LogFilter {
  /** The bounds of the time as doubles, rounded. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly #minHigh: number;
  readonly #minLow: number;
  readonly #maxHigh: number;
  readonly #maxLow: number;
  readonly #minSeverity: number;
  readonly #services: Uint8Array | undefined;
  readonly #traceKey: number | undefined;
  readonly #spanKey: number | undefined;
  readonly #after: RowKey | undefined;

  /** @param after - only rows behind this place in the order */
  constructor(plan: LogPlan, services: Services, after: RowKey | undefined) {
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
    this.minTime = this.#minHigh * 0x1_0000_0000 + this.#minLow;
    this.maxTime = maxHigh * 0x1_0000_0000 + maxLow;
    this.#minSeverity = plan.minSeverity;
    this.#services = plan.service === undefined ? undefined : services.select(plan.service);
    this.#traceKey = plan.traceId === undefined ? undefined : idKey(plan.traceId);
    this.#spanKey = plan.spanId === undefined ? undefined : idKey(plan.spanId);
    this.#after = after;
  }

  /** Offers the rows of a block that pass, those that came last first: they exclude most of the others. */
  scan(block: LogBlock, blockNumber: number, newest: NewestRows): void {
    const services = this.#selectIn(block);
    if (services === null) return;
    if (this.#traceKey !== undefined) {
      const { nextInTrace } = block;
      for (let row = block.lastRowOfTrace(this.#traceKey); row >= 0; row = nextInTrace[row]! - 1) {
        if (services === undefined || services[block.service[row]!] !== 0) {
          this.#offer(block, blockNumber, row, newest);
        }
      }
      return;
    }
    const { service, zoneMaxTime, zoneMaxSeverity } = block;
    for (let zone = Math.ceil(block.count / ZONE_ROWS) - 1; zone >= 0; zone--) {
      const latest = zoneMaxTime[zone]!;
      if (zoneMaxSeverity[zone]! < this.#minSeverity) continue;
      if (latest < this.minTime || (newest.full && latest < newest.minTime)) continue;
      const first = zone * ZONE_ROWS;
      for (let row = Math.min(first + ZONE_ROWS, block.count) - 1; row >= first; row--) {
        if (services !== undefined && services[service[row]!] === 0) continue;
        this.#offer(block, blockNumber, row, newest);
      }
    }
  }

  /** Offers a row whose service passes, if the rest of it does. */
  #offer(block: LogBlock, blockNumber: number, row: number, newest: NewestRows): void {
    if (block.severity[row]! < this.#minSeverity) return;
    const { records } = block;
    const at = row * RECORD_WORDS;
    const high = records[at + WORD_TIME_HIGH]!;
    if (high < this.#minHigh || high > this.#maxHigh) return;
    const low = records[at + WORD_TIME_LOW]!;
    if ((high === this.#minHigh && low < this.#minLow) || (high === this.#maxHigh && low > this.#maxLow))
      return;
    if (newest.full && (high < newest.minHigh || (high === newest.minHigh && low < newest.minLow))) return;
    if (this.#spanKey !== undefined && records[at + WORD_SPAN_KEY] !== this.#spanKey) return;

    const { requests } = block;
    const run = requests.runOf(row);
    const requestHigh = requests.high(run);
    const requestLow = requests.low(run);
    const index = requests.indexOf(run, row);
    const after = this.#after;
    if (
      after !== undefined &&
      high === after.timeHigh &&
      low === after.timeLow &&
      (after.first - requestHigh || after.second - requestLow || after.third - index) <= 0
    ) {
      return;
    }
    newest.push(high, low, requestHigh, requestLow, index, blockNumber, row);
  }

  /** Which of the block's services pass: `undefined` for all of them, `null` for none. */
  #selectIn(block: LogBlock): Uint8Array | undefined | null {
    const selected = this.#services;
    if (selected === undefined) return undefined;
    const own = new Uint8Array(block.serviceCount);
    let passing = 0;
    for (let index = 0; index < own.length; index++) {
      // A service that came after the query started is not in the selection; it passes, to be decided later.
      own[index] = selected[block.services[index]!] ?? 1;
      passing += own[index]!;
    }
    if (passing === 0) return null;
    return passing === own.length ? undefined : own;
  }
}

/** The last 4 bytes of an id as the index holds them. */
function idKey(id: string): number {
  return Number.parseInt(id.slice(-8), 16) || 1;
}
