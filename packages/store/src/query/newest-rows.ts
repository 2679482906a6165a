/**
 * A place in the order of rows, as far as the index knows it: the time, then what tells rows of the same
 * nanosecond apart. Larger ones come first.
 */
export interface RowKey {
  readonly timeHigh: number;
  readonly timeLow: number;
  /** Of a span: the last 8 bytes of its trace id, then the last 4 of its span id. */
  readonly first: number;
  readonly second: number;
  readonly third: number;
}

// A row that was pushed, in 32-bit words: its key, then where it is.
const WORDS = 7;
const TIME_HIGH = 0;
const TIME_LOW = 1;
const FIRST = 2;
const SECOND = 3;
const THIRD = 4;
const BLOCK = 5;
const ROW = 6;

/**
 * The first `capacity` of the rows that are pushed, in the order of their keys. Collects twice as many and then
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

  /** Whether there are `capacity` rows, so that rows older than `minHigh`, `minLow` need not be pushed. */
  full = false;
  minHigh = 0;
  minLow = 0;
  /** The two as one double, rounded. */
  minTime = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#words = new Uint32Array(capacity * 2 * WORDS);
  }

  push(
    timeHigh: number,
    timeLow: number,
    first: number,
    second: number,
    third: number,
    blockNumber: number,
    row: number,
  ): void {
    const words = this.#words;
    const at = this.#count++ * WORDS;
    words[at + TIME_HIGH] = timeHigh;
    words[at + TIME_LOW] = timeLow;
    words[at + FIRST] = first;
    words[at + SECOND] = second;
    words[at + THIRD] = third;
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
      cut.timeHigh === last.timeHigh &&
      cut.timeLow === last.timeLow &&
      cut.first === last.first &&
      cut.second === last.second &&
      cut.third === last.third
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
      timeHigh: words[at + TIME_HIGH]!,
      timeLow: words[at + TIME_LOW]!,
      first: words[at + FIRST]!,
      second: words[at + SECOND]!,
      third: words[at + THIRD]!,
    };
  }

  #sorted(): Uint32Array {
    const words = this.#words;
    const order = new Uint32Array(this.#count);
    let inOrder = true;
    for (let index = 0; index < order.length; index++) {
      order[index] = index;
      if (inOrder && index > 0) inOrder = compareRows(words, index - 1, index) <= 0;
    }
    // Rows come newest first as far as they were stored in the order of their times.
    return inOrder ? order : order.sort((a, b) => compareRows(words, a, b));
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
    this.minHigh = words[last + TIME_HIGH]!;
    this.minLow = words[last + TIME_LOW]!;
    this.minTime = this.minHigh * 0x1_0000_0000 + this.minLow;
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

/** Negative if row `a` comes before row `b`: larger keys come first. */
function compareRows(words: Uint32Array, a: number, b: number): number {
  const atA = a * WORDS;
  const atB = b * WORDS;
  return (
    words[atB + TIME_HIGH]! - words[atA + TIME_HIGH]! ||
    words[atB + TIME_LOW]! - words[atA + TIME_LOW]! ||
    words[atB + FIRST]! - words[atA + FIRST]! ||
    words[atB + SECOND]! - words[atA + SECOND]! ||
    words[atB + THIRD]! - words[atA + THIRD]!
  );
}
