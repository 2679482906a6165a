import type { SpanHandle } from '@tracewell/plugin';

/*
 * A handle is a safe integer: `generation * 2^20 + slot`. The slot finds the span's row in typed arrays that the
 * table's user keeps; the generation starts at 1 and grows with every reuse of the slot, so that the handle of
 * an ended span never equals that of a live one. 33 bits of generation last for 8.6 billion reuses of one slot;
 * slots are reused first in, first out, so that they wear evenly.
 */
const SLOT_BITS = 20;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const GENERATION = 1 << SLOT_BITS;

/** The most spans that a {@link HandleTable} can hold at once: 1,048,576. */
export const MAX_LIVE_SPANS: number = 1 << SLOT_BITS;

const FIRST_CAPACITY = 64;

/**
 * Gives out span handles for a plugin that stands in front of others, and finds a live handle's slot again.
 * No object per span: what belongs to one stands in arrays at the index of its slot.
 */
export class HandleTable {
  /** The live handle of each slot, 0 while the slot is free. */
  #live: Float64Array;
  /** The handle that each slot gives out next. */
  #next: Float64Array;
  /** A ring of the free slots. */
  #free: Int32Array;
  #freeHead = 0;
  #freeCount: number;
  #size = 0;
  readonly #limit: number;
  readonly #onGrow: (capacity: number) => void;

  /**
   * @param limit - the most spans live at once, 1 to {@link MAX_LIVE_SPANS}
   * @param onGrow - called with the new number of slots before any of the new ones is given out, and once from
   * the constructor
   */
  constructor(limit: number, onGrow: (capacity: number) => void) {
    const capacity = Math.min(FIRST_CAPACITY, limit);
    this.#limit = limit;
    this.#onGrow = onGrow;
    this.#live = new Float64Array(capacity);
    this.#next = new Float64Array(capacity);
    this.#free = new Int32Array(capacity);
    this.#freeCount = capacity;
    for (let slot = 0; slot < capacity; slot++) {
      this.#next[slot] = GENERATION + slot;
      this.#free[slot] = slot;
    }
    onGrow(capacity);
  }

  /** How many handles are live. */
  get size(): number {
    return this.#size;
  }

  /** Gives out a handle, or 0 when the limit is reached. */
  acquire(): SpanHandle {
    if (this.#freeCount === 0 && !this.#grow()) return 0;
    const slot = this.#free[this.#freeHead]!;
    this.#freeHead = (this.#freeHead + 1) % this.#free.length;
    this.#freeCount -= 1;
    this.#size += 1;
    const handle = this.#next[slot]!;
    this.#live[slot] = handle;
    return handle;
  }

  /** The slot of a live handle; -1 for anything else, whatever its type. */
  slotOf(handle: SpanHandle): number {
    // JavaScript callers pass anything; `&` throws on a bigint and calls `valueOf` on an object.
    if (typeof handle !== 'number') return -1;
    const slot = handle & SLOT_MASK;
    return handle > 0 && this.#live[slot] === handle ? slot : -1;
  }

  /** Frees the slot of a live handle; does nothing for any other. */
  release(handle: SpanHandle): void {
    const slot = this.slotOf(handle);
    if (slot < 0) return;
    this.#live[slot] = 0;
    this.#next[slot] = handle + GENERATION;
    this.#free[(this.#freeHead + this.#freeCount) % this.#free.length] = slot;
    this.#freeCount += 1;
    this.#size -= 1;
  }

  /** The live handles, in the order of their slots; a snapshot. */
  handles(): SpanHandle[] {
    return Array.from(this.#live).filter((handle) => handle !== 0);
  }

  #grow(): boolean {
    const before = this.#live.length;
    const capacity = Math.min(before * 2, this.#limit);
    if (capacity === before) return false;
    const live = new Float64Array(capacity);
    const next = new Float64Array(capacity);
    live.set(this.#live);
    next.set(this.#next);
    // Only a table without a free slot grows, so that the ring starts anew with the new ones.
    const free = new Int32Array(capacity);
    for (let slot = before; slot < capacity; slot++) {
      next[slot] = GENERATION + slot;
      free[slot - before] = slot;
    }
    this.#onGrow(capacity);
    this.#live = live;
    this.#next = next;
    this.#free = free;
    this.#freeHead = 0;
    this.#freeCount = capacity - before;
    return true;
  }
}
