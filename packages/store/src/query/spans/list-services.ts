import { StatusCode } from '@tracewell/plugin';
import { type Block, RECORD_WORDS } from '../../hot/spans/block.ts';
import type { Operations } from '../../hot/spans/operations.ts';
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

/** What is known of an operation's spans. */
export interface OperationCounts {
  /** A number of `Operations`. */
  readonly operation: number;
  readonly spans: number;
  readonly errors: number;
  /** When the first and the last of them started. */
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * Counts the spans that started at `minStart` or later, by operation; those of different blocks apart. Each is
 * counted once after {@link SpanIndex.reconcile}.
 */
export async function* hotCounts(index: SpanIndex, minStart: bigint): AsyncGenerator<OperationCounts> {
  if (turnIsOver()) await nextTurn();
  for (const { block } of index.blocks()) {
    if (block.maxStart < Number(minStart)) continue;
    const tally = tallyOf(block, minStart);
    for (let at = 0; at < tally.spans.length; at++) {
      const spans = tally.spans[at]!;
      if (spans === 0) continue;
      const first = (BigInt(tally.firstHigh[at]!) << 32n) | BigInt(tally.firstLow[at]!);
      const last = (BigInt(tally.lastHigh[at]!) << 32n) | BigInt(tally.lastLow[at]!);
      yield { operation: block.operations[at]!, spans, errors: tally.errors[at]!, first, last };
    }
    if (turnIsOver()) await nextTurn();
  }
}

/** Puts counts by operation together, by service. */
export async function listServices(
  operations: Operations,
  counts: AsyncIterable<OperationCounts>,
): Promise<ServiceSummary[]> {
  type Counts = { spans: number; errors: number; first: bigint; last: bigint; operations: Set<string> };
  const services = new Map<string, Counts>();
  for await (const { operation, spans, errors, first, last } of counts) {
    const service = operations.serviceName(operations.serviceOf(operation)) ?? OTHER_SERVICES;
    let known = services.get(service);
    if (known === undefined) {
      known = { spans: 0, errors: 0, first, last, operations: new Set() };
      services.set(service, known);
    }
    known.spans += spans;
    known.errors += errors;
    if (first < known.first) known.first = first;
    if (last > known.last) known.last = last;
    const name = operations.name(operation);
    if (name !== undefined) known.operations.add(name);
  }
  return [...services]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, known]) => ({
      name,
      spanCount: known.spans,
      errorCount: known.errors,
      firstSeenUnixNanos: known.first,
      lastSeenUnixNanos: known.last,
      operations: [...known.operations].sort(),
    }));
}
