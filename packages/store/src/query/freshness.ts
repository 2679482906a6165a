// How long one look at the logs of other writers is good for.
const FRESH_MS = 1;

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
  readonly #end = (): void => {
    this.#until = 0;
  };

  /** Says that the logs have just been looked at. */
  begin(): void {
    this.#until = performance.now() + FRESH_MS;
    // Runs when the queue of promises is empty, before the next callback of the event loop.
    process.nextTick(this.#end);
  }

  /** Whether that was just now. */
  get holds(): boolean {
    return this.#until !== 0 && performance.now() < this.#until;
  }
}
