import type { Block } from '../hot/block.ts';
import type { RowKey } from './row-filter.ts';

/** The columns of what {@link NewestRows} holds; two sets of them, to move what stays from one to the other. */
class Rows {
  readonly startHigh: Uint32Array;
  readonly startLow: Uint32Array;
  readonly traceHigh: Uint32Array;
  readonly traceLow: Uint32Array;
  readonly spanKey: Uint32Array;
  readonly block: Uint32Array;
  readonly row: Uint16Array;

  constructor(length: number) {
    this.startHigh = new Uint32Array(length);
    this.startLow = new Uint32Array(length);
    this.traceHigh = new Uint32Array(length);
    this.traceLow = new Uint32Array(length);
    this.spanKey = new Uint32Array(length);
    this.block = new Uint32Array(length);
    this.row = new Uint16Array(length);
  }

  copy(to: number, from: Rows, index: number): void {
    this.startHigh[to] = from.startHigh[index]!;
    this.startLow[to] = from.startLow[index]!;
    this.traceHigh[to] = from.traceHigh[index]!;
    this.traceLow[to] = from.traceLow[index]!;
    this.spanKey[to] = from.spanKey[index]!;
    this.block[to] = from.block[index]!;
    this.row[to] = from.row[index]!;
  }

  /** Negative if row `a` comes before row `b`: newer start first, then larger ids first. */
  compare(a: number, b: number): number {
    return (
      this.startHigh[b]! - this.startHigh[a]! ||
      this.startLow[b]! - this.startLow[a]! ||
      this.traceHigh[b]! - this.traceHigh[a]! ||
      this.traceLow[b]! - this.traceLow[a]! ||
      this.spanKey[b]! - this.spanKey[a]!
    );
  }
}

/**
 * The first `capacity` of the rows that are pushed, in the order of spans. Collects twice as many and then
 * throws away the worse half, which costs a comparison or two for each row that is pushed.
 */
export class NewestRows {
  readonly #capacity: number;
  #rows: Rows;
  #spare: Rows;
  #count = 0;
  // The last row that was thrown away although one with the same key was kept.
  #cut: RowKey | undefined;

  /** Whether there are `capacity` rows, so that rows that started before `minHigh`, `minLow` need not be pushed. */
  full = false;
  minHigh = 0;
  minLow = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#rows = new Rows(capacity * 2);
    this.#spare = new Rows(capacity * 2);
  }

  push(block: Block, blockNumber: number, row: number): void {
    const rows = this.#rows;
    const at = this.#count++;
    rows.startHigh[at] = block.startHigh[row]!;
    rows.startLow[at] = block.startLow[row]!;
    rows.traceHigh[at] = block.traceHigh[row]!;
    rows.traceLow[at] = block.traceLow[row]!;
    rows.spanKey[at] = block.spanKey[row]!;
    rows.block[at] = blockNumber;
    rows.row[at] = row;
    if (this.#count === this.#capacity * 2) this.#prune();
  }

  /** Puts the rows in order. Afterwards the other methods below mean something. */
  finish(): void {
    this.#prune();
  }

  get count(): number {
    return this.#count;
  }

  /** Whether a row was left out that cannot be told from the last one by its numbers. */
  get cutBetweenEquals(): boolean {
    const cut = this.#cut;
    if (cut === undefined || this.#count < this.#capacity) return false;
    const last = this.key(this.#count - 1);
    return (
      cut.startHigh === last.startHigh &&
      cut.startLow === last.startLow &&
      cut.traceHigh === last.traceHigh &&
      cut.traceLow === last.traceLow &&
      cut.spanKey === last.spanKey
    );
  }

  blockNumber(index: number): number {
    return this.#rows.block[index]!;
  }

  row(index: number): number {
    return this.#rows.row[index]!;
  }

  /** Whether two rows cannot be told apart by their numbers. */
  same(index: number, other: number): boolean {
    return this.#rows.compare(index, other) === 0;
  }

  key(index: number): RowKey {
    const rows = this.#rows;
    return {
      startHigh: rows.startHigh[index]!,
      startLow: rows.startLow[index]!,
      traceHigh: rows.traceHigh[index]!,
      traceLow: rows.traceLow[index]!,
      spanKey: rows.spanKey[index]!,
    };
  }

  #prune(): void {
    const rows = this.#rows;
    const order = new Uint32Array(this.#count);
    for (let index = 0; index < order.length; index++) order[index] = index;
    order.sort((a, b) => rows.compare(a, b));
    const kept = Math.min(order.length, this.#capacity);
    for (let index = 0; index < kept; index++) this.#spare.copy(index, rows, order[index]!);
    if (order.length > kept && rows.compare(order[kept - 1]!, order[kept]!) === 0) {
      this.#cut = this.key(order[kept]!);
    }
    this.#rows = this.#spare;
    this.#spare = rows;
    this.#count = kept;
    if (kept === this.#capacity) {
      this.full = true;
      this.minHigh = this.#rows.startHigh[kept - 1]!;
      this.minLow = this.#rows.startLow[kept - 1]!;
    }
  }
}
