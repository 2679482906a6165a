import { setImmediate } from 'node:timers/promises';

const SLICE_MS = 4;

/**
 * Keeps a long piece of work from blocking the event loop: after each part of it, `if (slice.over) await
 * slice.pause()` lets everything else run once the slice is used up.
 */
export class TimeSlice {
  #until = performance.now() + SLICE_MS;

  /** Whether the work has run for as long as it may at a time. */
  get over(): boolean {
    return performance.now() >= this.#until;
  }

  /** Lets everything else run, and starts the next slice. */
  async pause(): Promise<void> {
    await setImmediate();
    this.#until = performance.now() + SLICE_MS;
  }
}
