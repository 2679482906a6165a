/**
 * A tail: hands what the log holds to a handler, from a saved position on, at least once.
 *
 * **One process at a time.** A lock of the tail's name, which dies with its holder, says who delivers; everybody
 * else who runs a tail of that name waits for the lock. Whoever has it delivers what all writers of the directory
 * have written.
 *
 * **At least once.** A position is saved after the handler has resolved for everything before it. Who takes over
 * from a process that was killed in between delivers the last step again.
 *
 * **Failures.** A step whose handler rejects is offered again, the same frames, after a random part of a delay
 * that doubles, or after as long as the error's `retryAfterMs` asks for. A handler that means to give up on frames
 * resolves.
 */
import { join } from 'node:path';
import { ExportError, TracewellError } from '@tracewell/plugin';
import type { FileLock } from '../fs/file-system.ts';
import { nodeFileSystem } from '../fs/node-file-system.ts';
import { SEGMENT_HEADER_BYTES } from '../log/segment-header.ts';
import type { Log } from '../log/types.ts';
import { Follower, type LogFrame, type Step } from './follower.ts';
import type { FrameSignal, Wakeable } from './frame-signal.ts';
import { byWriter, endsOf, isPast, type Position } from './position.ts';
import { type SavedTails, tailsDirectory } from './saved-tails.ts';

/** Takes the frames of a step; resolves when they need not come again. */
export type FrameHandler = (frames: readonly LogFrame[], signal: AbortSignal) => Promise<void>;

/** As {@link FrameHandler}, and told where the logs stand behind the frames. */
export type StepHandler = (
  frames: readonly LogFrame[],
  signal: AbortSignal,
  positions: readonly Position[],
) => Promise<void>;

/** Thrown by a handler whose own positions are lost: the tail begins again, at once. */
export class BeginAgain extends Error {}

/** What a tail is told, complete. */
export interface TailSettings {
  readonly name: string;
  /**
   * Where a tail begins that nobody has run before; or a handler's own positions, if it keeps them together with
   * what it makes of the frames. Those that are saved are a copy then.
   */
  readonly from: 'start' | 'now' | (() => Promise<readonly Position[]>);
  /** Bytes of the log that it may hold back. */
  readonly retainBytes: number;
  /** Bytes of a step, about. */
  readonly stepBytes: number;
  /** Milliseconds for which frames are gathered after the first. */
  readonly gatherMs: number;
  /** Milliseconds before the first retry, and at most between two. */
  readonly retry: { readonly initialDelayMs: number; readonly maxDelayMs: number };
  readonly onError: (error: unknown) => void;
}

/** What a tail needs of the log. */
export type TailedLog = Pick<Log, 'writer' | 'segments' | 'refresh' | 'health'>;

/** What the tails of a store share. */
export interface TailContext {
  readonly directory: string;
  readonly log: TailedLog;
  readonly saved: SavedTails;
  readonly signal: FrameSignal;
}

/** How often the logs of other processes are looked at while nothing comes in here. */
const POLL_MS = 250;
/** How often a tail that another process runs is tried for. */
const TAKE_OVER_MS = 1000;

/** A tail of this process. */
export class Tail {
  readonly settings: TailSettings;
  /** Why the last attempt failed, if it did. */
  lastError: unknown;
  readonly #context: TailContext;
  readonly #handle: StepHandler;
  readonly #stopped = new AbortController();
  readonly #pause: Wakeable = { wake: undefined };
  readonly #flushes = new Set<Flush>();
  readonly #running: Promise<void>;
  #lock: FileLock | undefined;
  /** Where everything is delivered. */
  readonly #delivered = new Map<string, Position>();
  /** What of it could not be saved yet. */
  readonly #unsaved = new Map<string, Position>();
  /** Before this time not even a flush tries again: the other side has asked to wait. */
  #blockedUntil = 0;

  constructor(context: TailContext, settings: TailSettings, handle: StepHandler) {
    this.#context = context;
    this.settings = settings;
    this.#handle = handle;
    this.#running = this.#run();
  }

  /** Whether this process is the one that delivers. */
  get delivers(): boolean {
    return this.#lock !== undefined;
  }

  /**
   * Waits until everything that was in the logs at the call is delivered, here or by the process that runs the
   * tail. Tries at once, unless the other side has asked to wait.
   *
   * @throws what the handler rejects with at the next attempt
   */
  async flush(): Promise<void> {
    if (this.#stopped.signal.aborted) throw stoppedError(this.settings.name);
    const { log } = this.#context;
    await log.refresh();
    const targets = [...byWriter(log.segments()).values()].map((segments) => segments.at(-1)!);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const isDone = (): boolean => {
      const positions = this.#lock === undefined ? this.#saved() : this.#delivered;
      return targets.every(({ writer, number, bytes }) => {
        const position = positions.get(writer);
        if (bytes <= SEGMENT_HEADER_BYTES) return true;
        return position !== undefined && isPast(position, { segment: number, offset: bytes });
      });
    };
    if (this.#blockedUntil > Date.now()) throw this.lastError;
    const flush: Flush = { isDone, resolve, reject };
    this.#flushes.add(flush);
    // Another process tells nobody that it has delivered. This one also keeps the process alive.
    const timer = setInterval(() => this.#settleFlushes(), POLL_MS / 5);
    this.#pause.wake?.();
    try {
      this.#settleFlushes();
      await promise;
    } finally {
      clearInterval(timer);
      this.#flushes.delete(flush);
    }
  }

  /** Stops delivering: what is under way is aborted, and delivered again by whoever runs the tail next. */
  async stop(): Promise<void> {
    if (!this.#stopped.signal.aborted) {
      this.#stopped.abort(stoppedError(this.settings.name));
      this.#pause.wake?.();
      for (const { reject } of this.#flushes) reject(this.#stopped.signal.reason);
    }
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    const path = join(tailsDirectory(this.#context.directory), `${this.settings.name}.lock`);
    while (!signal.aborted) {
      try {
        this.#lock = nodeFileSystem.tryLock(path);
        if (this.#lock !== undefined) await this.#deliver();
      } catch (error) {
        if (error instanceof BeginAgain) continue;
        if (!signal.aborted) this.#failed(error);
      } finally {
        this.#lock?.release();
        this.#lock = undefined;
      }
      if (!signal.aborted) await this.#wait(TAKE_OVER_MS);
    }
  }

  async #deliver(): Promise<void> {
    const { log, signal } = this.#context;
    const { stepBytes, gatherMs } = this.settings;
    const follower = new Follower(log, await this.#begin());
    this.#delivered.clear();
    for (const position of follower.positions.values()) this.#delivered.set(position.writer, position);
    while (!this.#stopped.signal.aborted) {
      const { count } = signal;
      await log.refresh();
      const step = follower.read(stepBytes);
      if (step.frames.length > 0) await this.#handOver(step);
      if (this.#stopped.signal.aborted) return;
      this.#save(step.positions);
      this.#settleFlushes();
      if (step.positions.length > 0) continue;
      await signal.wait(count, POLL_MS, this.#pause);
      if (gatherMs > 0 && signal.count !== count && this.#flushes.size === 0) await this.#wait(gatherMs);
    }
  }

  #save(positions: readonly Position[]): void {
    if (positions.length === 0) return;
    for (const position of positions) {
      this.#delivered.set(position.writer, position);
      this.#unsaved.set(position.writer, position);
    }
    try {
      this.#context.saved.save(this.settings.name, [...this.#unsaved.values()]);
      this.#unsaved.clear();
    } catch (error) {
      // It goes with the next ones. To stop would deliver the same again and again.
      this.#failed(error);
    }
  }

  /** Makes the tail known and returns where it begins. */
  async #begin(): Promise<Iterable<Position>> {
    const { log, saved } = this.#context;
    const { name, retainBytes, from } = this.settings;
    const isNew = saved.register(name, retainBytes);
    if (typeof from === 'function') {
      const positions = await from();
      saved.replace(name, positions);
      return positions;
    }
    if (!isNew || from === 'start' || saved.lost) return this.#saved().values();
    await log.refresh();
    const ends = endsOf(log);
    saved.save(name, ends);
    return ends;
  }

  async #handOver({ frames, positions }: Step): Promise<void> {
    const { initialDelayMs, maxDelayMs } = this.settings.retry;
    const { signal } = this.#stopped;
    for (let delayMs = initialDelayMs; ; delayMs = Math.min(2 * delayMs, maxDelayMs)) {
      try {
        await this.#handle(frames, signal, positions);
        this.lastError = undefined;
        this.#blockedUntil = 0;
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof BeginAgain) throw error;
        const retryAfterMs = error instanceof ExportError ? error.retryAfterMs : undefined;
        if (retryAfterMs !== undefined) this.#blockedUntil = Date.now() + retryAfterMs;
        this.#failed(error);
        await this.#wait(retryAfterMs ?? Math.random() * delayMs);
      }
    }
  }

  #failed(error: unknown): void {
    this.lastError = error;
    for (const { reject } of this.#flushes) reject(error);
    try {
      this.settings.onError(error);
    } catch {
      // The application's; nothing here depends on it.
    }
  }

  /** The positions as they are written down, by whoever delivers. */
  #saved(): ReadonlyMap<string, Position> {
    const { saved } = this.#context;
    return saved.tails().find(({ name }) => name === this.settings.name)?.positions ?? new Map();
  }

  #settleFlushes(): void {
    for (const flush of this.#flushes) {
      try {
        if (flush.isDone()) flush.resolve();
      } catch (error) {
        flush.reject(error);
      }
    }
  }

  /** Waits, unless it is stopped or somebody flushes. */
  async #wait(milliseconds: number): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pause.wake = resolve;
    const timer = setTimeout(resolve, milliseconds);
    timer.unref();
    await promise;
    clearTimeout(timer);
    this.#pause.wake = undefined;
  }
}

interface Flush {
  readonly isDone: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function stoppedError(name: string): TracewellError {
  return new TracewellError('TW_TAIL_STOPPED', `the tail ${name} is stopped; begin it again to go on`);
}
