// How long one look at the logs of other writers is good for.
const FRESH_MS = 1;

// Counts what ends the freshness of all stores of this thread.
let round = 0;

/**
 * Whether the logs of other writers were looked at so lately that a query need not look again. It costs a
 * system call or two for each writer, a sixth of finding a trace of eight spans; a program that makes many
 * queries in a row looks once for all of them.
 *
 * It ends as soon as this thread has nothing left to do for what it is at, before it learns of anything else:
 * whoever hears of a span by a message or an answer, and then asks, finds it.
 */
export class Freshness {
  #until = 0;
  #round = -1;

  /** Says that the logs have just been looked at. */
  begin(): void {
    this.#until = performance.now() + FRESH_MS;
    this.#round = round;
    // Runs when the queue of promises is empty, before the next callback of the event loop.
    process.nextTick(endFreshness);
  }

  /** Whether that was just now. */
  get holds(): boolean {
    return this.#round === round && performance.now() < this.#until;
  }
}

/** Says that something was stored within this turn of the event loop. */
export function endFreshness(): void {
  round++;
}
