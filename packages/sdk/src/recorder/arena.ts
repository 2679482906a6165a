import { COPY_SLACK, Memory } from './memory.ts';

/*
 * The memory of the hot path: typed arrays that are made once for each thread and never replaced. The engine
 * compiles their addresses and lengths into the code, where a field of an object costs four loads and as many
 * checks at every access: a third of the time of a span (`npm run bench -- recorder`). That is why all
 * recorders of a thread share them, and why they cannot grow.
 *
 * The arena:
 *
 *   0          the log of the first recorder that asks for it; others have a memory of their own
 *   HOMES_AT   home blocks of 1 KiB for the first 4,096 slots; those of further slots are made as needed
 *   KEYS_AT    encoded attribute keys, each with room for a value
 *   TEXTS_AT   encodings of names, event names, descriptions and trace states
 *
 * A span whose block lies in the arena takes the quick ways of span-writer.ts, any other the general ones.
 * Offsets below HOMES_AT tell such another block: in its own memory it begins below that.
 *
 * Rows and arena take 22 MiB of addresses, but the operating system gives memory only to pages that were
 * written to: for most programs the first few.
 */

/** The most spans that can be live at once in a thread, with slot 0 never used: 262,143. */
export const MAX_LIVE_SPANS: number = 2 ** 18 - 1;
/** Words of 32 bits of the row of a slot, as a shift; see span-row.ts. */
export const ROW_SHIFT = 4;
/** Bytes of a home block. */
export const HOME_BYTES = 1024;
/** Slots whose home block is in the arena. */
export const ARENA_SLOTS = 4096;
/** Bytes of the log in the arena. */
export const LOG_BYTES = 1_048_576;
/** Keys in the arena, and the bytes of each. */
export const ARENA_KEYS = 1024;
export const KEY_ENTRY_BYTES = 256;
/** Texts in the arena, and the bytes of each. */
const ARENA_TEXTS = 4;
export const TEXT_ENTRY_BYTES = 256;

export const HOMES_AT: number = LOG_BYTES;
export const KEYS_AT: number = HOMES_AT + ARENA_SLOTS * HOME_BYTES;
export const TEXTS_AT: number = KEYS_AT + ARENA_KEYS * KEY_ENTRY_BYTES;

/** Log, home blocks, keys and texts. */
export const ARENA: Memory = new Memory(TEXTS_AT + ARENA_TEXTS * TEXT_ENTRY_BYTES + COPY_SLACK);
const rows = new ArrayBuffer((MAX_LIVE_SPANS + 1) << (ROW_SHIFT + 2));
/** The rows of all slots, as words. */
export const WORDS: Int32Array = new Int32Array(rows);
/** The rows of all slots, as floats. */
export const FLOATS: Float64Array = new Float64Array(rows);

/** Who has the log now. Weak, because a recorder that is forgotten rather than closed gives nothing back. */
let logHolder: WeakRef<object> | undefined;

/** Lends the log in the arena to one recorder at a time; `undefined` if it is lent, or too small. */
export function takeLog(holder: object, size: number): Memory | undefined {
  if (logHolder?.deref() !== undefined || size > LOG_BYTES) return undefined;
  logHolder = new WeakRef(holder);
  return ARENA;
}

/** Takes the log in the arena back from whoever has it. */
export function returnLog(holder: object): void {
  if (logHolder?.deref() === holder) logHolder = undefined;
}
