/*
 * What a live span is beside its bytes: a row of 16 words of 32 bits in one typed array, of the arena.
 *
 *   0  handle, as a 64-bit float; while the slot is free, the next one, negative
 *   2  monotonic time of the start in milliseconds, as a 64-bit float
 *   4  BASE, where the block begins in its memory    10 ATTRIBUTES, recorded so far
 *   5  AT, where its next byte goes                  11 EVENTS
 *   6  LIMIT, where it ends                          12 LINKS
 *   7  SCOPE, its number * 4 + flags                 13 DROPPED_ATTRIBUTES
 *   8  FILTER, 64 bits: those of the keys            14 DROPPED_EVENTS
 *                                                    15 DROPPED_LINKS
 *
 * The words from FILTER on are zero when a span starts, which takes four stores through the floats.
 */

/** Words of a row; see above. */
export const BASE = 4;
export const AT = 5;
export const LIMIT = 6;
export const SCOPE = 7;
export const FILTER = 8;
export const ATTRIBUTES = 10;
export const EVENTS = 11;
export const LINKS = 12;
export const DROPPED_ATTRIBUTES = 13;
export const DROPPED_EVENTS = 14;
export const DROPPED_LINKS = 15;

/** Flag of {@link SCOPE}: the caller gave the start time. */
export const START_GIVEN = 1;
/** Flag of {@link SCOPE}: the span has a status. */
export const HAS_STATUS = 2;
/** What {@link SCOPE} shifts the number of the scope by. */
export const SCOPE_SHIFT = 2;
