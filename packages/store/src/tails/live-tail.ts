import { setImmediate as nextImmediate } from 'node:timers/promises';
import { Follower, type LogFrame } from './follower.ts';
import type { FrameSignal, Wakeable } from './frame-signal.ts';
import { endsOf, type Position, unreadBytes } from './position.ts';
import type { TailedLog } from './tail.ts';

/** How a live tail is run. */
export interface LiveOptions {
  /** Ends the tail when it is aborted. */
  readonly signal?: AbortSignal;
  /**
   * Bytes of the log that a reader may be behind. One that is further behind goes on at the end, and what it
   * passes over is counted. Default 16 MiB.
   */
  readonly maxLagBytes?: number;
}

/**
 * What comes into a store, as it comes: an async iterator. It ends with `return()` (a `break` out of the loop),
 * with its signal, and with the store.
 *
 * The log is its buffer. Nothing runs and nothing is held in memory for a reader that does not ask, and no insert
 * waits for one.
 */
export interface LiveTail<Item> extends AsyncIterableIterator<Item, undefined, undefined> {
  /**
   * How many were passed over because the reader was too far behind. Whether they would have matched was not
   * looked at. Of those that compaction had already taken at least one is counted for each request.
   */
  readonly dropped: number;
  /** Ends the tail. Idempotent. */
  return(): Promise<IteratorReturnResult<undefined>>;
}

/** What a live tail gives of each frame. */
export interface FrameItems<Item> {
  /** Those that match; none for a frame of another signal. */
  items(frame: LogFrame): Iterable<Item>;
  /** How many there are, matching or not. */
  count(frame: LogFrame): number;
}

/** About 200 spans: a millisecond of decoding. */
const STEP_BYTES = 64 * 1024;
/** How often the logs of other processes are looked at while nothing comes in here. */
const POLL_MS = 250;

/** A live tail over the logs of all writers. It begins at the call. */
export class LogLiveTail<Item> implements LiveTail<Item> {
  #dropped = 0;
  readonly #log: TailedLog;
  readonly #frames: FrameSignal;
  readonly #of: FrameItems<Item>;
  readonly #maxLagBytes: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onEnd: () => void;
  readonly #pause: Wakeable = { wake: undefined };
  readonly #own: readonly Position[];
  #follower: Follower | undefined;
  /** What was read and not yet asked for. */
  #items: Iterator<Item> = [][Symbol.iterator]();
  /** Frames of the last step that were not looked at yet. */
  #unopened: LogFrame[] = [];
  #ended: boolean;
  /** Calls of `next` go one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param onEnd - called once, when it ends */
  constructor(
    log: TailedLog,
    frames: FrameSignal,
    of: FrameItems<Item>,
    { signal, maxLagBytes }: { readonly signal: AbortSignal | undefined; readonly maxLagBytes: number },
    onEnd: () => void,
  ) {
    this.#log = log;
    this.#frames = frames;
    this.#of = of;
    this.#maxLagBytes = maxLagBytes;
    this.#signal = signal;
    this.#onEnd = onEnd;
    // What this process inserts from now on is new; of the others the first look tells.
    this.#own = endsOf(log).filter(({ writer }) => writer === log.writer);
    signal?.addEventListener('abort', this.#end, { once: true });
    this.#ended = signal?.aborted === true;
  }

  get dropped(): number {
    return this.#dropped + (this.#follower?.missedFrames ?? 0);
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    const result = this.#turn.then(() => this.#next());
    this.#turn = result.catch(() => {});
    return result;
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#end();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #end = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.#end);
    this.#pause.wake?.();
    this.#onEnd();
  };

  async #next(): Promise<IteratorResult<Item, undefined>> {
    while (!this.#ended) {
      const item = this.#items.next();
      if (!item.done) return { done: false, value: item.value };
      const frame = this.#unopened.shift();
      if (frame !== undefined) this.#items = this.#of.items(frame)[Symbol.iterator]();
      else await this.#readOn();
    }
    return DONE;
  }

  async #readOn(): Promise<void> {
    const { count } = this.#frames;
    await this.#log.refresh();
    if (this.#ended) return;
    this.#follower ??= this.#begin();
    if (this.#lagBytes() > this.#maxLagBytes) await this.#passOver(this.#follower);
    this.#unopened = [...this.#follower.read(STEP_BYTES).frames];
    if (this.#unopened.length > 0) return;
    await this.#frames.wait(count, POLL_MS, this.#pause, true);
  }

  #begin(): Follower {
    const ends = new Map([...endsOf(this.#log), ...this.#own].map((end) => [end.writer, end]));
    // Our own log, if it had no segment yet, is new from its start.
    if (this.#own.length === 0 && this.#log.writer !== undefined) ends.delete(this.#log.writer);
    return new Follower(this.#log, ends.values());
  }

  #lagBytes(): number {
    let bytes = 0;
    for (const unread of unreadBytes(this.#log.segments(), this.#follower!.positions).values())
      bytes += unread;
    return bytes;
  }

  async #passOver(follower: Follower): Promise<void> {
    for (;;) {
      const { frames } = follower.read(STEP_BYTES);
      if (frames.length === 0 || this.#ended) return;
      for (const frame of frames) this.#dropped += this.#of.count(frame);
      await nextImmediate();
    }
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
