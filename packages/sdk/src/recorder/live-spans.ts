import type { SpanHandle } from '@tracewell/plugin';
import * as arena from './arena.ts';
import { copyBytes, Memory } from './memory.ts';
import { writeHeaderTags } from './span-header.ts';
import * as spanRow from './span-row.ts';

// The engine folds a constant of the same module into the code; one that is imported it loads and checks at
// every use, six instructions each. So what the hot path uses is named again here: a fifth of its time.
const { ARENA_SLOTS, FLOATS, HOME_BYTES, HOMES_AT, MAX_LIVE_SPANS, ROW_SHIFT, WORDS } = arena;
const { BASE, AT, LIMIT, FILTER } = spanRow;

/*
 * Live spans: a slot each, with 64 bytes in one typed array and a block of bytes that holds what is encoded so
 * far. All recorders of a thread take their slots from the same table (arena.ts says why); OWNERS says whose a
 * slot is.
 *
 * A handle is an integer of 52 bits, at which a double still tells halves:
 *
 *   | generation, 34 bits | slot, 18 bits |
 *
 * The slot finds the row; the row holds the whole handle, and only an equal one is live. The generation grows
 * with every reuse of the slot, and a slot whose generations are used up is never used again, so that a stale
 * handle can never equal a live one. Generations start in the middle, so that the handles of other plugins,
 * which count from the start, are none of ours.
 *
 * The row is laid out in span-row.ts.
 *
 * Every slot has a home block of 1 KiB, which few spans outgrow. Those of the first slots lie in the arena, as
 * does the batch log of the first recorder, so that an ended span moves there with one copyWithin; further ones
 * come 1,024 at a time. A span that outgrows its block moves into one of twice the size, from a pool or new, up
 * to the limit of a span. Free slots are a stack: the one freed last is still in the cache of the CPU.
 */

const SLOT_MASK = MAX_LIVE_SPANS;
const GENERATION = MAX_LIVE_SPANS + 1;
const FIRST_HANDLE = 2 ** 51;
const LAST_HANDLE = 2 ** 52 - 2 * GENERATION;
const SLAB_SHIFT = 10;
const SLAB_SLOTS = 1 << SLAB_SHIFT;
/** Bytes of large blocks that wait for their next use. */
const POOL_MAX_BYTES = 4 * 1_048_576;

/** The memory that holds the block of each slot that was ever used. */
export const MEMORIES: Memory[] = [arena.ARENA];
/** The number of the {@link LiveSpans} that a slot belongs to, 0 while it is free. */
const OWNERS = new Int32Array(MAX_LIVE_SPANS + 1);
const FREE = new Int32Array(MAX_LIVE_SPANS + 1);
let freeCount = 0;
/** Slots from here on were never used. */
let fresh = 1;
let lastOwner = 0;
/** Home blocks of the slots beyond the arena. */
const slabs: Memory[] = [];
const pool: Memory[][] = [];
let poolBytes = 0;

/** Frees the slots of recorders that nobody can reach any more and that were never closed. */
const abandoned = new FinalizationRegistry<number>((owner) => {
  for (let slot = 1; slot < fresh; slot++) {
    if (OWNERS[slot] !== owner) continue;
    if (capacityOf(slot) !== HOME_BYTES) goHome(slot);
    free(slot);
  }
});

/** The bounds of {@link LiveSpans}. */
export interface LiveSpansLimits {
  readonly liveMaxSpans: number;
  readonly liveMaxBytes: number;
  readonly spanMaxBytes: number;
}

/** The live spans of one recorder. */
export class LiveSpans {
  /** Spans live now. */
  size = 0;
  readonly #liveMaxSpans: number;
  readonly #liveMaxBytes: number;
  readonly #spanMaxBytes: number;
  readonly #owner: number;
  #bytes = 0;

  constructor(limits: LiveSpansLimits) {
    this.#liveMaxSpans = limits.liveMaxSpans;
    this.#liveMaxBytes = limits.liveMaxBytes;
    this.#spanMaxBytes = limits.spanMaxBytes;
    this.#owner = ++lastOwner;
    abandoned.register(this, this.#owner);
  }

  /** Takes a free slot, its row cleared but for the scope, its block empty but for the tags of a header. Returns -1 if a bound is reached. */
  acquire(): number {
    if (this.size >= this.#liveMaxSpans || this.#bytes + HOME_BYTES > this.#liveMaxBytes) return -1;
    const slot = freeCount > 0 ? FREE[--freeCount]! : addSlot();
    if (slot < 0) return -1;
    this.size++;
    this.#bytes += HOME_BYTES;
    OWNERS[slot] = this.#owner;
    const row = slot << (ROW_SHIFT - 1);
    FLOATS[row] = -FLOATS[row]!;
    const cleared = row + (FILTER >> 1);
    FLOATS[cleared] = 0;
    FLOATS[cleared + 1] = 0;
    FLOATS[cleared + 2] = 0;
    FLOATS[cleared + 3] = 0;
    return slot;
  }

  /** The slot of a live handle; -1 for anything else, whatever its type. */
  slotOf(handle: SpanHandle): number {
    // JavaScript callers pass anything; `&` throws on a bigint and calls `valueOf` on an object.
    if (typeof handle !== 'number') return -1;
    const slot = handle & SLOT_MASK;
    return FLOATS[slot << (ROW_SHIFT - 1)] === handle && OWNERS[slot] === this.#owner ? slot : -1;
  }

  handleOf(slot: number): SpanHandle {
    return FLOATS[slot << (ROW_SHIFT - 1)]!;
  }

  /** The monotonic time in milliseconds at which a span started. */
  startedAt(slot: number): number {
    return FLOATS[(slot << (ROW_SHIFT - 1)) + 1]!;
  }

  setStartedAt(slot: number, monotonicMs: number): void {
    FLOATS[(slot << (ROW_SHIFT - 1)) + 1] = monotonicMs;
  }

  /** Bytes of a block in use. */
  used(slot: number): number {
    const row = slot << ROW_SHIFT;
    return WORDS[row + AT]! - WORDS[row + BASE]!;
  }

  /** Makes sure that a block has room for so many bytes more, moving it if necessary. */
  reserve(slot: number, size: number): boolean {
    const row = slot << ROW_SHIFT;
    return WORDS[row + AT]! + size <= WORDS[row + LIMIT]! || this.#enlarge(slot, size);
  }

  release(slot: number): void {
    this.size--;
    this.#bytes -= HOME_BYTES;
    const capacity = capacityOf(slot);
    if (capacity !== HOME_BYTES) {
      this.#bytes -= capacity;
      goHome(slot);
    }
    free(slot);
  }

  /** The slots of the live spans, in the order in which the spans started. */
  slots(): number[] {
    const live: number[] = [];
    for (let slot = 1; slot < fresh; slot++) if (OWNERS[slot] === this.#owner) live.push(slot);
    return live.sort((a, b) => this.startedAt(a) - this.startedAt(b));
  }

  #enlarge(slot: number, more: number): boolean {
    const row = slot << ROW_SHIFT;
    const used = WORDS[row + AT]! - WORDS[row + BASE]!;
    const needed = used + more;
    if (needed > this.#spanMaxBytes) return false;
    const before = capacityOf(slot);
    const isHome = before === HOME_BYTES;
    // Powers of two, of which the pool has a list each.
    const sizeClass = 32 - Math.clz32(needed - 1);
    const size = 2 ** sizeClass;
    if (this.#bytes + size - (isHome ? 0 : before) > this.#liveMaxBytes) return false;
    let memory = pool[sizeClass]?.pop();
    if (memory === undefined) memory = new Memory(size);
    else poolBytes -= size;
    copyBytes(MEMORIES[slot]!.bytes, WORDS[row + BASE]!, WORDS[row + AT]!, memory.bytes, 0);
    if (!isHome) {
      this.#bytes -= before;
      goHome(slot);
    }
    this.#bytes += size;
    MEMORIES[slot] = memory;
    WORDS[row + BASE] = 0;
    WORDS[row + AT] = used;
    WORDS[row + LIMIT] = size;
    return true;
  }
}

/** Sets every bit in the filters of all live spans, so that each says of any key that it may be there. */
export function distrustFilters(): void {
  for (let slot = 1; slot < fresh; slot++) {
    WORDS[(slot << ROW_SHIFT) + FILTER] = -1;
    WORDS[(slot << ROW_SHIFT) + FILTER + 1] = -1;
  }
}

function free(slot: number): void {
  const row = slot << (ROW_SHIFT - 1);
  const handle = FLOATS[row]!;
  OWNERS[slot] = 0;
  if (handle > LAST_HANDLE) return;
  FLOATS[row] = -(handle + GENERATION);
  FREE[freeCount++] = slot;
}

function capacityOf(slot: number): number {
  const row = slot << ROW_SHIFT;
  return WORDS[row + LIMIT]! - WORDS[row + BASE]!;
}

/** Gives a large block back and lets the slot use its home block again. */
function goHome(slot: number): void {
  const size = capacityOf(slot);
  if (poolBytes + size <= POOL_MAX_BYTES) {
    poolBytes += size;
    const sizeClass = 31 - Math.clz32(size);
    pool[sizeClass] ??= [];
    pool[sizeClass].push(MEMORIES[slot]!);
  }
  settle(slot);
}

/** Gives a slot its home block. */
function settle(slot: number): void {
  const inArena = slot < ARENA_SLOTS;
  const base = inArena ? HOMES_AT + slot * HOME_BYTES : (slot & (SLAB_SLOTS - 1)) * HOME_BYTES;
  MEMORIES[slot] = inArena ? arena.ARENA : slabs[(slot - ARENA_SLOTS) >> SLAB_SHIFT]!;
  WORDS[(slot << ROW_SHIFT) + BASE] = base;
  WORDS[(slot << ROW_SHIFT) + LIMIT] = base + HOME_BYTES;
}

/** A slot that was never used; -1 if all were. */
function addSlot(): number {
  if (fresh > MAX_LIVE_SPANS) return -1;
  const slot = fresh++;
  if (slot >= ARENA_SLOTS && (slot & (SLAB_SLOTS - 1)) === 0) slabs.push(new Memory(SLAB_SLOTS * HOME_BYTES));
  settle(slot);
  writeHeaderTags(MEMORIES[slot]!.bytes, WORDS[(slot << ROW_SHIFT) + BASE]!);
  FLOATS[slot << (ROW_SHIFT - 1)] = -(FIRST_HANDLE + slot);
  return slot;
}
