import type { FrameKind, LogIndexer, Segment } from '../log/types.ts';

/** Says that frames have come in, to whoever waits for some. */
export class FrameSignal {
  /** How many have come in so far. */
  count = 0;
  readonly #waiting = new Set<() => void>();

  /** A frame has come in. */
  notify(): void {
    this.count++;
    if (this.#waiting.size === 0) return;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /**
   * Waits for a frame, for a time, or until somebody wakes it.
   *
   * @param since - returns at once if `count` is another
   * @param keepAlive - whether the process goes on because of it
   */
  async wait(since: number, milliseconds: number, wakeable: Wakeable, keepAlive = false): Promise<void> {
    if (this.count !== since) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    wakeable.wake = resolve;
    const timer = setTimeout(resolve, milliseconds);
    if (!keepAlive) timer.unref();
    await promise;
    clearTimeout(timer);
    wakeable.wake = undefined;
    this.#waiting.delete(resolve);
  }
}

/** Somebody who may be waiting, and how to end that. */
export interface Wakeable {
  wake: (() => void) | undefined;
}

/** The same indexer, after each frame of which `signal` is told. */
export function signalling<Prepared>(
  indexer: LogIndexer<Prepared>,
  signal: FrameSignal,
): LogIndexer<Prepared> {
  return {
    addFrame(
      segment: Segment,
      payloadOffset: number,
      payload: Uint8Array,
      kind: FrameKind,
      sequence: number,
      prepared?: Prepared,
    ): void {
      indexer.addFrame(segment, payloadOffset, payload, kind, sequence, prepared);
      signal.notify();
    },
    load: (segment, bytes) => indexer.load(segment, bytes),
    save: (segment) => indexer.save(segment),
    remove: (segment) => indexer.remove(segment),
    isRetired: (segment) => indexer.isRetired?.(segment) ?? false,
  };
}
