import { type Block, RECORD_WORDS } from '../../hot/spans/block.ts';
import {
  WORD_SPAN_KEY,
  WORD_START_HIGH,
  WORD_START_LOW,
  WORD_TRACE_HIGH,
  WORD_TRACE_LOW,
} from '../../hot/spans/row.ts';
import type { RowKey } from './row-filter.ts';

// A row that was pushed, in 32-bit words: its key in the order of spans, then where it is.
const WORDS = 7;
const START_HIGH = 0;
const START_LOW = 1;
const TRACE_HIGH = 2;
const TRACE_LOW = 3;
const SPAN_KEY = 4;
const BLOCK = 5;
const ROW = 6;

/**
 * The first `capacity` of the rows that are pushed, in the order of spans. Collects twice as many and then
 * throws away the worse half, which costs a comparison or two for each row that is pushed.
 */
export class NewestRows {
  readonly #capacity: number;
  readonly #words: Uint32Array;
  #count = 0;
  // Which row comes first, second …, after `finish`.
  #order: Uint32Array = new Uint32Array(0);
  // The key of the last row that was thrown away although one with the same key was kept.
  #cut: RowKey | undefined;

  /** Whether there are `capacity` rows, so that rows that started before `minHigh`, `minLow` need not be pushed. */
  full = false;
  minHigh = 0;
  minLow = 0;
  /** The two as one double, rounded. */
  minStart = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#words = new Uint32Array(capacity * 2 * WORDS);
  }

  push(block: Block, blockNumber: number, row: number): void {
    const words = this.#words;
    const at = this.#count++ * WORDS;
    const { records } = block;
    const from = row * RECORD_WORDS;
    words[at + START_HIGH] = records[from + WORD_START_HIGH]!;
    words[at + START_LOW] = records[from + WORD_START_LOW]!;
    words[at + TRACE_HIGH] = records[from + WORD_TRACE_HIGH]!;
    words[at + TRACE_LOW] = records[from + WORD_TRACE_LOW]!;
    words[at + SPAN_KEY] = records[from + WORD_SPAN_KEY]!;
    words[at + BLOCK] = blockNumber;
    words[at + ROW] = row;
    if (this.#count === this.#capacity * 2) this.#prune();
  }

  /** Puts the rows in order. Afterwards the other methods below mean something. */
  finish(): void {
    this.#order = this.#sorted();
    if (this.#count > this.#capacity) this.#noteCut(this.#order);
    this.#count = Math.min(this.#count, this.#capacity);
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
    return this.#words[this.#order[index]! * WORDS + BLOCK]!;
  }

  row(index: number): number {
    return this.#words[this.#order[index]! * WORDS + ROW]!;
  }

  /** Whether two rows cannot be told apart by their numbers. */
  same(index: number, other: number): boolean {
    return compareRows(this.#words, this.#order[index]!, this.#order[other]!) === 0;
  }

  key(index: number): RowKey {
    return this.#keyOf(this.#order[index]!);
  }

  #keyOf(pushed: number): RowKey {
    const words = this.#words;
    const at = pushed * WORDS;
    return {
      startHigh: words[at + START_HIGH]!,
      startLow: words[at + START_LOW]!,
      traceHigh: words[at + TRACE_HIGH]!,
      traceLow: words[at + TRACE_LOW]!,
      spanKey: words[at + SPAN_KEY]!,
    };
  }

  #sorted(): Uint32Array {
    const words = this.#words;
    const order = new Uint32Array(this.#count);
    for (let index = 0; index < order.length; index++) order[index] = index;
    return order.sort((a, b) => compareRows(words, a, b));
  }

  #noteCut(order: Uint32Array): void {
    const last = order[this.#capacity - 1]!;
    const next = order[this.#capacity]!;
    if (compareRows(this.#words, last, next) === 0) this.#cut = this.#keyOf(next);
  }

  #prune(): void {
    const words = this.#words;
    const capacity = this.#capacity;
    const order = this.#sorted();
    this.#noteCut(order);
    const last = order[capacity - 1]! * WORDS;
    this.minHigh = words[last + START_HIGH]!;
    this.minLow = words[last + START_LOW]!;
    this.minStart = this.minHigh * 0x1_0000_0000 + this.minLow;
    this.full = true;
    // What stays moves to the front, where its place is free or is that of a row that goes.
    const kept = order.subarray(0, capacity).sort();
    for (let to = 0; to < capacity; to++) {
      const from = kept[to]!;
      if (from !== to) words.copyWithin(to * WORDS, from * WORDS, (from + 1) * WORDS);
    }
    this.#count = capacity;
  }
}

/** Negative if row `a` comes before row `b`: newer start first, then larger ids first. */
function compareRows(words: Uint32Array, a: number, b: number): number {
  const atA = a * WORDS;
  const atB = b * WORDS;
  return (
    words[atB + START_HIGH]! - words[atA + START_HIGH]! ||
    words[atB + START_LOW]! - words[atA + START_LOW]! ||
    words[atB + TRACE_HIGH]! - words[atA + TRACE_HIGH]! ||
    words[atB + TRACE_LOW]! - words[atA + TRACE_LOW]! ||
    words[atB + SPAN_KEY]! - words[atA + SPAN_KEY]!
  );
}
