import type { SpanHandle } from '@tracewell/plugin';
import { copyBytes, Memory } from './memory.ts';
import { writeHeaderTags } from './span-header.ts';
import * as spanRow from './span-row.ts';

// The engine folds a constant of the same module into the code; one that is imported it loads and checks at
// every use, six instructions each. So what the hot path uses is named again here: a fifth of its time.
const { ROW_SHIFT, BASE, AT, LIMIT, FILTER } = spanRow;

/*
 * Live spans: a slot each, 64 bytes in one typed array, and a block of bytes that holds what is encoded so far.
 *
 * A handle is a safe integer of 53 bits:
 *
 *   | instance, 8 bits | generation, 25 bits | slot, 20 bits |
 *
 * The slot finds the row; the row holds the whole handle, and only an equal one is live. The generation grows
 * with every reuse of the slot, and a slot whose generations are used up (after 33 million spans) is never
 * used again, so that a stale handle can never equal a live one. The instance tells the plugins of a process
 * apart, from the first to the 255th.
 *
 * The row is laid out in span-row.ts.
 *
 * Every slot has a home block of 1 KiB, which few spans outgrow. 1,024 home blocks make a slab; the first slab
 * lies in the memory of the batch log, so that an ended span moves there with one copyWithin. A span that
 * outgrows its block moves into one of twice the size, from a pool or new, up to the limit of a span.
 * Free slots are a stack: the one freed last is still in the cache of the CPU.
 */

/** The most spans that can be live at once: 1,048,576. */
export const MAX_LIVE_SPANS: number = 2 ** 20;

const SLOT_MASK = MAX_LIVE_SPANS - 1;
const GENERATIONS = 2 ** 25;
const INSTANCES = 2 ** 8;

const HOME_BYTES = 1024;
const SLAB_SLOTS = 1024;
const SLAB_SHIFT = 10;
/** Bytes of a slab of home blocks. */
export const SLAB_BYTES: number = HOME_BYTES * SLAB_SLOTS;
/** Bytes of large blocks that wait for their next use. */
const POOL_MAX_BYTES = 4 * 1_048_576;

let lastInstance = 0;

/** The bounds of {@link LiveSpans}. */
export interface LiveSpansLimits {
  readonly liveMaxSpans: number;
  readonly liveMaxBytes: number;
  readonly spanMaxBytes: number;
}

/** The table of live spans. Rows and blocks are open to the recorder's own files: they are its hot path. */
export class LiveSpans {
  /** The rows, as words. Replaced when the table grows. */
  words: Int32Array;
  /** The rows, as floats. */
  floats: Float64Array;
  /** The memory that holds the block of each slot. */
  readonly memories: Memory[] = [];
  /** Spans live now. */
  size = 0;
  readonly #limits: LiveSpansLimits;
  readonly #instance: number;
  readonly #firstSlab: Memory;
  readonly #firstSlabAt: number;
  readonly #slabs: Memory[] = [];
  #generations: Int32Array;
  #free: Int32Array;
  #freeCount = 0;
  /** Slots from here on were never used. */
  #fresh = 0;
  #bytes = 0;
  readonly #pool: Memory[][] = [];
  #poolBytes = 0;

  /**
   * @param limits - the bounds
   * @param firstSlab - memory for the first {@link SLAB_BYTES} of home blocks
   * @param firstSlabAt - where in that memory they begin
   */
  constructor(limits: LiveSpansLimits, firstSlab: Memory, firstSlabAt: number) {
    this.#limits = limits;
    this.#firstSlab = firstSlab;
    this.#firstSlabAt = firstSlabAt;
    lastInstance = (lastInstance % (INSTANCES - 1)) + 1;
    this.#instance = lastInstance;
    this.words = new Int32Array(0);
    this.floats = new Float64Array(0);
    this.#generations = new Int32Array(0);
    this.#free = new Int32Array(0);
    this.#addSlab();
  }

  /** Takes a free slot, its row cleared but for the scope, its block empty but for the tags of a header. Returns -1 if a bound is reached. */
  acquire(): number {
    const { liveMaxSpans, liveMaxBytes } = this.#limits;
    if (this.size >= liveMaxSpans || this.#bytes + HOME_BYTES > liveMaxBytes) return -1;
    let slot: number;
    if (this.#freeCount > 0) slot = this.#free[--this.#freeCount]!;
    else {
      if (this.#fresh === this.memories.length && !this.#addSlab()) return -1;
      slot = this.#fresh++;
    }
    this.size++;
    this.#bytes += HOME_BYTES;
    this.floats[slot << (ROW_SHIFT - 1)] =
      (this.#instance * GENERATIONS + this.#generations[slot]!) * MAX_LIVE_SPANS + slot;
    const cleared = (slot << (ROW_SHIFT - 1)) + (FILTER >> 1);
    this.floats[cleared] = 0;
    this.floats[cleared + 1] = 0;
    this.floats[cleared + 2] = 0;
    this.floats[cleared + 3] = 0;
    return slot;
  }

  /** The slot of a live handle; -1 for anything else, whatever its type. */
  slotOf(handle: SpanHandle): number {
    // JavaScript callers pass anything; `&` throws on a bigint and calls `valueOf` on an object.
    if (typeof handle !== 'number') return -1;
    const slot = handle & SLOT_MASK;
    return this.floats[slot << (ROW_SHIFT - 1)] === handle ? slot : -1;
  }

  handleOf(slot: number): SpanHandle {
    return this.floats[slot << (ROW_SHIFT - 1)]!;
  }

  /** The monotonic time in milliseconds at which a span started. */
  startedAt(slot: number): number {
    return this.floats[(slot << (ROW_SHIFT - 1)) + 1]!;
  }

  setStartedAt(slot: number, monotonicMs: number): void {
    this.floats[(slot << (ROW_SHIFT - 1)) + 1] = monotonicMs;
  }

  /** Where the row of a slot begins in {@link LiveSpans.words}. */
  row(slot: number): number {
    return slot << ROW_SHIFT;
  }

  /** Bytes of a block in use. */
  used(slot: number): number {
    const row = slot << ROW_SHIFT;
    return this.words[row + AT]! - this.words[row + BASE]!;
  }

  /** Makes sure that a block has room for so many bytes more, moving it if necessary. */
  reserve(slot: number, size: number): boolean {
    const row = slot << ROW_SHIFT;
    return this.words[row + AT]! + size <= this.words[row + LIMIT]! || this.#enlarge(slot, size);
  }

  release(slot: number): void {
    const row = slot << ROW_SHIFT;
    this.floats[row >> 1] = Number.NaN;
    this.size--;
    this.#bytes -= HOME_BYTES;
    if (this.#capacity(row) !== HOME_BYTES) this.#goHome(slot);
    const generation = this.#generations[slot]! + 1;
    if (generation === GENERATIONS) return;
    this.#generations[slot] = generation;
    this.#free[this.#freeCount++] = slot;
  }

  /** The slots of the live spans, in the order in which the spans started. */
  slots(): number[] {
    const live: number[] = [];
    for (let slot = 0; slot < this.#fresh; slot++) if (this.handleOf(slot) > 0) live.push(slot);
    return live.sort((a, b) => this.startedAt(a) - this.startedAt(b));
  }

  #enlarge(slot: number, more: number): boolean {
    const { spanMaxBytes, liveMaxBytes } = this.#limits;
    const { words } = this;
    const row = slot << ROW_SHIFT;
    const used = words[row + AT]! - words[row + BASE]!;
    const needed = used + more;
    if (needed > spanMaxBytes) return false;
    const before = this.#capacity(row);
    const isHome = before === HOME_BYTES;
    // Powers of two, of which the pool has a list each.
    const sizeClass = 32 - Math.clz32(needed - 1);
    const size = 2 ** sizeClass;
    if (this.#bytes + size - (isHome ? 0 : before) > liveMaxBytes) return false;
    let memory = this.#pool[sizeClass]?.pop();
    if (memory === undefined) memory = new Memory(size);
    else this.#poolBytes -= size;
    copyBytes(this.memories[slot]!.bytes, words[row + BASE]!, words[row + AT]!, memory.bytes, 0);
    if (!isHome) this.#goHome(slot);
    this.#bytes += size;
    this.memories[slot] = memory;
    words[row + BASE] = 0;
    words[row + AT] = used;
    words[row + LIMIT] = size;
    return true;
  }

  #capacity(row: number): number {
    return this.words[row + LIMIT]! - this.words[row + BASE]!;
  }

  /** Gives a large block back and lets the slot use its home block again. */
  #goHome(slot: number): void {
    const size = this.#capacity(slot << ROW_SHIFT);
    this.#bytes -= size;
    if (this.#poolBytes + size <= POOL_MAX_BYTES) {
      this.#poolBytes += size;
      const sizeClass = 31 - Math.clz32(size);
      this.#pool[sizeClass] ??= [];
      this.#pool[sizeClass].push(this.memories[slot]!);
    }
    this.#settle(slot);
  }

  #settle(slot: number): void {
    const slab = slot >> SLAB_SHIFT;
    const row = slot << ROW_SHIFT;
    const base = (slot & (SLAB_SLOTS - 1)) * HOME_BYTES + (slab === 0 ? this.#firstSlabAt : 0);
    this.memories[slot] = this.#slabs[slab]!;
    this.words[row + BASE] = base;
    this.words[row + LIMIT] = base + HOME_BYTES;
  }

  /** Makes 1,024 more slots. */
  #addSlab(): boolean {
    const first = this.memories.length;
    if (first === MAX_LIVE_SPANS) return false;
    const count = first + SLAB_SLOTS;
    this.#slabs.push(first === 0 ? this.#firstSlab : new Memory(SLAB_BYTES));
    if (count << ROW_SHIFT > this.words.length) this.#growRows(Math.min(2 * count, MAX_LIVE_SPANS));
    for (let slot = first; slot < count; slot++) {
      this.#settle(slot);
      writeHeaderTags(this.memories[slot]!.bytes, this.words[(slot << ROW_SHIFT) + BASE]!);
    }
    return true;
  }

  #growRows(count: number): void {
    const floats = new Float64Array(count << (ROW_SHIFT - 1)).fill(Number.NaN);
    floats.set(this.floats);
    this.floats = floats;
    this.words = new Int32Array(floats.buffer);
    this.#generations = grown(this.#generations, count);
    this.#free = grown(this.#free, count);
  }
}

function grown(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(array);
  return larger;
}
