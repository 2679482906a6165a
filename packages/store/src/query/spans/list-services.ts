import { StatusCode } from '@tracewell/plugin';
import { type Block, RECORD_WORDS } from '../../hot/spans/block.ts';
import { FLAG_HIDDEN, FLAG_STATUS, WORD_START_HIGH, WORD_START_LOW } from '../../hot/spans/row.ts';
import type { SpanIndex } from '../../hot/spans/span-index.ts';
import type { ServiceSummary } from '../../store.ts';
import { nextTurn, turnIsOver } from '../turn.ts';

/** What spans beyond the bound on distinct service names are listed as. */
const OTHER_SERVICES = '(other services)';

/** For each operation of a block: spans, failing ones, earliest and latest start as halves. */
class Tally {
  readonly spans: Uint32Array;
  readonly errors: Uint32Array;
  readonly firstHigh: Uint32Array;
  readonly firstLow: Uint32Array;
  readonly lastHigh: Uint32Array;
  readonly lastLow: Uint32Array;
  /** What of the block was counted, to know when to count anew. */
  readonly rows: number;
  readonly hidden: number;

  constructor(block: Block, minHigh: number, minLow: number) {
    const operations = block.operationCount;
    this.spans = new Uint32Array(operations);
    this.errors = new Uint32Array(operations);
    this.firstHigh = new Uint32Array(operations);
    this.firstLow = new Uint32Array(operations);
    this.lastHigh = new Uint32Array(operations);
    this.lastLow = new Uint32Array(operations);
    this.rows = block.count;
    this.hidden = block.copies + block.copiesElsewhere;
    const { flags, operation, records } = block;
    for (let row = 0; row < block.count; row++) {
      const rowFlags = flags[row]!;
      if ((rowFlags & FLAG_HIDDEN) !== 0) continue;
      const high = records[row * RECORD_WORDS + WORD_START_HIGH]!;
      const low = records[row * RECORD_WORDS + WORD_START_LOW]!;
      if (high < minHigh || (high === minHigh && low < minLow)) continue;
      const at = operation[row]!;
      const before = this.spans[at]!++;
      if ((rowFlags & FLAG_STATUS) === StatusCode.ERROR) this.errors[at]!++;
      if (
        before === 0 ||
        high < this.firstHigh[at]! ||
        (high === this.firstHigh[at] && low < this.firstLow[at]!)
      ) {
        this.firstHigh[at] = high;
        this.firstLow[at] = low;
      }
      if (
        before === 0 ||
        high > this.lastHigh[at]! ||
        (high === this.lastHigh[at] && low > this.lastLow[at]!)
      ) {
        this.lastHigh[at] = high;
        this.lastLow[at] = low;
      }
    }
  }

  isOf(block: Block): boolean {
    return this.rows === block.count && this.hidden === block.copies + block.copiesElsewhere;
  }
}

// The tallies of whole blocks; those of full blocks hold until a copy of one of their spans turns up.
const tallies = new WeakMap<Block, Tally>();

function tallyOf(block: Block, minStart: bigint): Tally {
  const minHigh = Number(minStart >> 32n);
  const minLow = Number(minStart & 0xffff_ffffn);
  if (block.minStart <= minHigh * 0x1_0000_0000 + minLow && minStart > 0n)
    return new Tally(block, minHigh, minLow);
  let tally = tallies.get(block);
  if (tally === undefined || !tally.isOf(block)) {
    tally = new Tally(block, 0, 0);
    tallies.set(block, tally);
  }
  return tally;
}

/** Counts the spans that started at `minStart` or later, by service. */
export async function listServices(index: SpanIndex, minStart: bigint): Promise<ServiceSummary[]> {
  if (turnIsOver()) await nextTurn();
  for (const _ of index.reconcile()) if (turnIsOver()) await nextTurn();

  type Counts = { spans: number; errors: number; first: bigint; last: bigint; operations: Set<string> };
  const services = new Map<string, Counts>();
  for (const { block } of index.blocks()) {
    if (block.maxStart < Number(minStart)) continue;
    const tally = tallyOf(block, minStart);
    for (let at = 0; at < tally.spans.length; at++) {
      const spans = tally.spans[at]!;
      if (spans === 0) continue;
      const operation = block.operations[at]!;
      const service = index.operations.serviceName(index.operations.serviceOf(operation)) ?? OTHER_SERVICES;
      const first = (BigInt(tally.firstHigh[at]!) << 32n) | BigInt(tally.firstLow[at]!);
      const last = (BigInt(tally.lastHigh[at]!) << 32n) | BigInt(tally.lastLow[at]!);
      let counts = services.get(service);
      if (counts === undefined) {
        counts = { spans: 0, errors: 0, first, last, operations: new Set() };
        services.set(service, counts);
      }
      counts.spans += spans;
      counts.errors += tally.errors[at]!;
      if (first < counts.first) counts.first = first;
      if (last > counts.last) counts.last = last;
      const name = index.operations.name(operation);
      if (name !== undefined) counts.operations.add(name);
    }
    if (turnIsOver()) await nextTurn();
  }
  return [...services]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, counts]) => ({
      name,
      spanCount: counts.spans,
      errorCount: counts.errors,
      firstSeenUnixNanos: counts.first,
      lastSeenUnixNanos: counts.last,
      operations: [...counts.operations].sort(),
    }));
}
