import { join, resolve } from 'node:path';
import { TracewellError } from '@tracewell/plugin';
import { nodeFileSystem } from '../fs/node-file-system.ts';
import type { Segment } from '../log/types.ts';
import { shown } from '../shown.ts';
import type { FrameSignal } from './frame-signal.ts';
import { type FrameItems, type LiveTail, LogLiveTail } from './live-tail.ts';
import { type Position, unreadBytes } from './position.ts';
import { type SavedTail, SavedTails, tailsDirectory } from './saved-tails.ts';
import { type StepHandler, Tail, type TailedLog, type TailSettings } from './tail.ts';

/** How a tail of the directory is, whoever runs it. */
export interface TailHealth {
  readonly name: string;
  /** `running`: here; `elsewhere`: another process or thread runs it; `stopped`: nobody does. */
  readonly state: 'running' | 'elsewhere' | 'stopped';
  /** Bytes of the log that it has not had yet. */
  readonly lagBytes: number;
  /** Bytes of the log that it may keep from compaction. */
  readonly retainBytes: number;
  /** Bytes of the log that were compacted before it had them, since it was behind by more than `retainBytes`. */
  readonly missedBytes: number;
  /** How far it is in the log of each writer. */
  readonly positions: readonly TailPosition[];
  /** Why its last attempt failed, if it runs here and did. */
  readonly lastError?: unknown;
}

/** How far a tail is in the log of one writer. */
export interface TailPosition {
  /** The log: 16 hex digits. */
  readonly writer: string;
  /** The number of the segment. */
  readonly segment: number;
  /** The sequence number of the last frame that it has had. */
  readonly sequence: number;
}

/** Names that are also names of files, everywhere. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** The tails of a store: those that run in this process, and what is known of the others of the directory. */
export class Tails {
  readonly #directory: string;
  readonly #readOnly: boolean;
  readonly #log: TailedLog;
  readonly #signal: FrameSignal;
  readonly #running = new Map<string, Tail>();
  /** Names that are kept for somebody of this process. */
  readonly #kept = new Set<string>();
  readonly #live = new Set<LiveTail<unknown>>();
  #saved: SavedTails | undefined;
  #stopped = false;

  /** @param signal - told of each frame that comes in */
  constructor(directory: string, readOnly: boolean, log: TailedLog, signal: FrameSignal) {
    this.#directory = resolve(directory);
    this.#readOnly = readOnly;
    this.#log = log;
    this.#signal = signal;
  }

  /** Whether the store is being closed. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /**
   * Begins a tail.
   *
   * @throws `TracewellError` `TW_LOG_READ_ONLY` if the store was opened to only read
   * @throws TypeError, RangeError for a name that is none, or that a tail of this store has
   */
  begin(settings: TailSettings, handle: StepHandler): Tail {
    const { name } = settings;
    checkTailName(name);
    if (this.#running.has(name))
      throw new RangeError(`a tail of the name ${name} runs in this store already`);
    if (this.#readOnly) {
      throw new TracewellError(
        'TW_LOG_READ_ONLY',
        `${this.#directory} was opened to only read, and a tail saves its position; open it without readOnly`,
      );
    }
    const saved = this.#open(true)!;
    const context = { directory: this.#directory, log: this.#log, saved, signal: this.#signal };
    const tail = new Tail(context, settings, handle);
    this.#running.set(name, tail);
    return tail;
  }

  /** Begins a live tail, here and now. */
  live<Item>(
    of: FrameItems<Item>,
    options: { readonly signal: AbortSignal | undefined; readonly maxLagBytes: number },
  ): LiveTail<Item> {
    const live: LiveTail<Item> = new LogLiveTail(this.#log, this.#signal, of, options, () =>
      this.#live.delete(live),
    );
    if (!options.signal?.aborted) this.#live.add(live);
    return live;
  }

  /** Stops a tail of this process. */
  async end(tail: Tail): Promise<void> {
    await tail.stop();
    if (this.#running.get(tail.settings.name) === tail) this.#running.delete(tail.settings.name);
  }

  /** Forgets a tail, so that it holds nothing back any more; stops it if it runs here. */
  async remove(name: string): Promise<boolean> {
    checkTailName(name);
    const tail = this.#running.get(name);
    if (tail !== undefined) await this.end(tail);
    return this.#open(false)?.remove(name) ?? false;
  }

  /**
   * Whether compaction has to leave a segment where it is: some tail has not had all of it, and is not further
   * behind than it may be.
   */
  holds(segment: Segment): boolean {
    // The store is being closed, and nobody can be asked any more.
    if (this.#stopped) return true;
    return this.#known().some((tail) => {
      const unread = unreadBytes(this.#log.segments(), tail.positions);
      if (unreadOf(segment, unread) === 0) return false;
      // What is older goes first: the bound is for what is left then.
      for (const older of unread.keys()) {
        if (older.writer === segment.writer && older.number < segment.number) unread.delete(older);
      }
      return lagIn(unread) <= tail.retainBytes;
    });
  }

  /** To be called before a segment's file goes: counts what tails miss of it. */
  released(segment: Segment): void {
    this.#open(false)?.released(segment, ({ positions }) =>
      unreadOf(segment, unreadBytes(this.#log.segments(), positions)),
    );
  }

  /**
   * Notes how far somebody is who reads the logs by himself, so that they are kept for him.
   *
   * @param positions - of logs that have moved, or all of them
   */
  keep(name: string, retainBytes: number, positions: readonly Position[]): void {
    if (this.#stopped || this.#readOnly) return;
    const saved = this.#open(true)!;
    if (!this.#kept.has(name)) saved.register(name, retainBytes);
    this.#kept.add(name);
    if (positions.length > 0) saved.save(name, positions);
  }

  /** How all tails of the directory are. */
  health(): TailHealth[] {
    return this.#known().map(({ name, retainBytes, missedBytes, positions }) => {
      const running = this.#running.get(name);
      const lagBytes = lagIn(unreadBytes(this.#log.segments(), positions));
      return {
        name,
        state:
          running?.delivers || this.#kept.has(name)
            ? 'running'
            : this.#isLocked(name)
              ? 'elsewhere'
              : 'stopped',
        lagBytes,
        retainBytes,
        missedBytes,
        positions: [...positions.values()].map(({ writer, segment, sequence }) => ({
          writer,
          segment,
          sequence,
        })),
        ...(running?.lastError !== undefined && { lastError: running.lastError }),
      };
    });
  }

  /** Bytes of the log that a tail has not had yet: all of them, if nobody has ever run it. */
  lagBytes(name: string): number {
    const positions = this.#known().find((tail) => tail.name === name)?.positions ?? new Map();
    return lagIn(unreadBytes(this.#log.segments(), positions));
  }

  /** Stops all tails of this process, without delivering what is left. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const live of this.#live) await live.return();
    await Promise.all([...this.#running.values()].map((tail) => this.end(tail)));
    this.#saved?.close();
    this.#saved = undefined;
  }

  #isLocked(name: string): boolean {
    return nodeFileSystem.isLocked(join(tailsDirectory(this.#directory), `${name}.lock`));
  }

  #known(): SavedTail[] {
    return this.#open(false)?.tails() ?? [];
  }

  #open(create: boolean): SavedTails | undefined {
    if (this.#stopped) return undefined;
    this.#saved ??= SavedTails.open(this.#directory, create ? 'create' : this.#readOnly ? 'read' : 'write');
    return this.#saved;
  }
}

/** @throws TypeError, RangeError if it is no name of a tail */
export function checkTailName(name: string): void {
  if (typeof name !== 'string')
    throw new TypeError(`the name of a tail must be a string, got ${shown(name)}`);
  if (NAME.test(name)) return;
  throw new RangeError(
    `the name of a tail must be 1 to 63 of a-z, 0-9, _ and -, the first a letter or a digit, got ${shown(name)}`,
  );
}

function lagIn(unread: ReadonlyMap<Segment, number>): number {
  let bytes = 0;
  for (const some of unread.values()) bytes += some;
  return bytes;
}

function unreadOf({ id }: Segment, unread: ReadonlyMap<Segment, number>): number {
  for (const [segment, bytes] of unread) if (segment.id === id) return bytes;
  return 0;
}
