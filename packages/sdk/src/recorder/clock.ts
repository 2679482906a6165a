import { performance } from 'node:perf_hooks';

/** The two clocks of a machine, so that a test can be both. */
export interface Clock {
  /** Milliseconds with fractions that only ever grow, at the speed of real time. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch, as the machine believes at the moment. */
  wallMs(): number;
}

/** `performance.now` and `Date.now`. The global `performance` is a getter, which costs 20 ns more than the import. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/** The wall clock is looked at again this often. It costs 50 ns, so 20 times a second cost nothing. */
const CHECK_EVERY_MS = 50;

const NANOS_PER_MS = 1_000_000n;
const TWO_32 = 2 ** 32;
const PER_TWO_32 = 2 ** -32;

/**
 * Nanoseconds since the Unix epoch, read from the monotonic clock and held to the wall clock.
 *
 * `Date.now` has only milliseconds and jumps when somebody sets the clock; `performance.now` has nanoseconds
 * but stands still while the machine sleeps and drifts from the corrected time by some milliseconds an hour.
 * So the time is `anchor + monotonic`, and the anchor is checked against `Date.now` every 50 ms of recording.
 * `Date.now` cuts off fractions: the true time lies within the millisecond that it names. While ours does
 * too, nothing happens; otherwise the anchor moves by the least that brings it back. Drift so costs steps of
 * microseconds, and a sleep or a new setting of the clock is followed at once.
 *
 * A time comes as two unsigned halves of 64 bits, as the wire wants it: as a number it would not be exact,
 * as a bigint it would be garbage.
 */
export class WallClock {
  /** The upper half of the time that {@link WallClock.split} computed last. */
  high = 0;
  /** The lower half of it. */
  low = 0;
  /** The monotonic time at which the anchor moved last. */
  movedAt: number = Number.NEGATIVE_INFINITY;
  readonly #clock: Clock;
  /** Nanoseconds since the epoch at monotonic time 0, and its two halves. */
  #anchor = 0n;
  #anchorHigh = 0;
  #anchorLow = 0;
  #checkAt = 0;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    // timeOrigin knows microseconds; the check mends it where it no longer holds.
    const origin = clock === systemClock ? performance.timeOrigin : clock.wallMs() - clock.monotonicMs();
    this.#setAnchor(BigInt(Math.round(origin * 1000)) * 1000n);
    this.#check();
    this.movedAt = Number.NEGATIVE_INFINITY;
  }

  /** The monotonic time in milliseconds; looks at the wall clock when it is time to. */
  now(): number {
    const now = this.#clock.monotonicMs();
    if (now >= this.#checkAt) this.#check();
    return now;
  }

  /** Puts the time at a monotonic time into {@link WallClock.high} and {@link WallClock.low}. */
  split(monotonicMs: number): void {
    // Exact: whole numbers, whose sum stays below 2^53 for 104 days of monotonic time.
    const sum = this.#anchorLow + Math.round(monotonicMs * 1e6);
    const carry = Math.floor(sum * PER_TWO_32);
    this.high = this.#anchorHigh + carry;
    this.low = sum - carry * TWO_32;
  }

  #check(): void {
    const before = this.#clock.monotonicMs();
    const wall = this.#clock.wallMs();
    const after = this.#clock.monotonicMs();
    // The wall clock was read somewhere between the two; both bounds hold even if the process was interrupted.
    const ahead = Number(this.#anchor - BigInt(Math.floor(wall)) * NANOS_PER_MS) / 1e6;
    let moveMs = 0;
    if (ahead + before > 1) moveMs = 1 - (ahead + before);
    else if (ahead + after < 0) moveMs = -(ahead + after);
    if (moveMs !== 0) {
      this.#setAnchor(this.#anchor + BigInt(Math.round(moveMs * 1e6)));
      this.movedAt = after;
    }
    this.#checkAt = after + CHECK_EVERY_MS;
  }

  #setAnchor(anchor: bigint): void {
    this.#anchor = anchor;
    this.#anchorHigh = Number(anchor >> 32n);
    this.#anchorLow = Number(anchor & 0xffff_ffffn);
  }
}
