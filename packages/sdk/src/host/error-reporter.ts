import type { TracewellError } from '@tracewell/plugin';

/** What an error callback gets beside the error. */
export interface ErrorReport {
  /** How many errors of the same cause were held back since the last that was reported. */
  readonly suppressed: number;
}

/**
 * Takes the errors that recording and delivering keep away from the application. What it throws is ignored.
 *
 * @param error - what failed, with its `code` and `cause`
 * @param report - what was held back before it
 */
export type ErrorCallback = (error: TracewellError, report: ErrorReport) => void;

/** At most one error of a cause in this time. */
const QUIET_MS = 1000;
/** Causes remembered at once; the one that was heard of least recently is forgotten first. */
const MAX_CAUSES = 64;

/** Hands errors to a callback, each cause at most once a second, and counts all of them. */
export class ErrorReporter {
  readonly #callback: ErrorCallback | undefined;
  readonly #now: () => number;
  readonly #causes = new Map<string, { quietUntil: number; suppressed: number }>();
  #count = 0;
  #last: TracewellError | undefined;

  /**
   * @param callback - takes what is let through
   * @param now - a monotonic clock in milliseconds
   */
  constructor(callback: ErrorCallback | undefined, now: () => number = () => performance.now()) {
    this.#callback = callback;
    this.#now = now;
  }

  /** Errors so far, held back ones included. */
  get count(): number {
    return this.#count;
  }

  /** The latest error that was not held back. */
  get last(): TracewellError | undefined {
    return this.#last;
  }

  /**
   * Counts an error and reports it, unless one of the same cause was reported within the last second. Never throws.
   *
   * @param cause - what groups errors: who failed and in which operation, not the message, which may vary
   * @param create - makes the error; not called for one that is held back, since a stack trace costs
   * microseconds and a plugin that always throws may do so at every span
   */
  report(cause: string, create: () => TracewellError): void {
    this.#count += 1;
    const now = this.#now();
    let known = this.#causes.get(cause);
    if (known !== undefined && now < known.quietUntil) {
      known.suppressed += 1;
      return;
    }
    const suppressed = known?.suppressed ?? 0;
    known = { quietUntil: now + QUIET_MS, suppressed: 0 };
    this.#causes.delete(cause);
    this.#causes.set(cause, known);
    if (this.#causes.size > MAX_CAUSES) this.#causes.delete(this.#causes.keys().next().value!);
    const error = create();
    this.#last = error;
    try {
      this.#callback?.(error, { suppressed });
    } catch {
      // A callback of the application that fails has nobody left to be told.
    }
  }
}
