/**
 * The work that a directory needs now and then, done by one process at a time: whichever holds its maintenance lock.
 * The lock dies with the process, and what a process leaves half done was never visible; the next one removes it.
 */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { TracewellError } from '@tracewell/plugin';
import type { FileLock, FileSystem } from '../fs/file-system.ts';
import { isNoSpace } from '../fs/file-system.ts';
import type { MetaDb } from '../meta/meta-db.ts';
import type { CompactOptions } from './calls.ts';
import type { CompactionProgress, CompactionResult, Compactor } from './compactor.ts';
import type { HotLimits } from './plan-compaction.ts';
import type { RetentionReport, RetentionRun } from './retention.ts';

/** What {@link Maintenance} works with. */
export interface MaintenanceContext {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly compactor: Compactor;
  readonly meta: MetaDb;
  readonly limits: HotLimits;
  /** Milliseconds between two looks at what is due. */
  readonly intervalMs: number;
  /** Ends the segments that are appended to: all, or ours if it is older than so many milliseconds. */
  readonly seal: (olderThanMs?: number) => Promise<void>;
  /** Sets aside what is damaged and drops what is too old; says what it did or would do. */
  readonly retain: (run: RetentionRun) => Promise<RetentionReport>;
}

/** What `Store.health` tells of it. */
export interface MaintenanceHealth {
  /** `running`; `idle`; `paused`: the last run failed, and it is tried again. */
  readonly state: 'running' | 'idle' | 'paused';
  /** When this process last did what was due, in milliseconds since the Unix epoch. */
  readonly lastRunMs?: number;
  /** Why the last run failed. */
  readonly lastError?: Error;
}

/** How long to wait before asking again for a lock that another process holds. */
const ASK_AGAIN_MS = 50;

/** Runs maintenance, on a schedule and when asked. */
export class Maintenance {
  readonly #context: MaintenanceContext;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** The last run that was begun; those that are asked for follow each other. */
  #last: Promise<unknown> = Promise.resolve();
  #running = 0;
  #lastRunMs: number | undefined;
  #lastError: Error | undefined;

  constructor(context: MaintenanceContext) {
    this.#context = context;
  }

  /** Begins to look now and then. Keeps no process alive. */
  start(): void {
    const { intervalMs } = this.#context;
    this.#timer = setInterval(() => this.#onSchedule(), intervalMs);
    this.#timer.unref();
  }

  /** Moves everything that was stored before the call to the cold tier. */
  compact({ onProgress = () => {}, signal }: CompactOptions): Promise<CompactionResult> {
    return this.#inTurn(async () => {
      await this.#context.seal();
      return this.#context.compactor.run({
        limits: undefined,
        onProgress: quietly(onProgress),
        signal: this.#either(signal),
      });
    }, signal);
  }

  /** Drops what is too old or too much. A dry run takes no lock. */
  async maintain(dryRun: boolean): Promise<RetentionReport> {
    if (dryRun) return this.#context.retain('dry');
    return this.#inTurn(() => this.#context.retain('all'), undefined);
  }

  health(): MaintenanceHealth {
    return {
      state: this.#running > 0 ? 'running' : this.#lastError === undefined ? 'idle' : 'paused',
      ...(this.#lastRunMs !== undefined && { lastRunMs: this.#lastRunMs }),
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
    };
  }

  /** Ends what runs, after the segment that is being moved. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort(
      new TracewellError('TW_STORE_CLOSED', 'the store was closed; what is not compacted stays in the log'),
    );
    await this.#last.catch(() => {});
  }

  #onSchedule(): void {
    if (this.#running > 0) return;
    // What goes wrong, health tells.
    this.#last = Promise.allSettled([this.#last, this.#due()]);
  }

  /** Does what is due, unless another process is at it. */
  async #due(): Promise<void> {
    const { compactor, limits, seal, retain } = this.#context;
    await seal(limits.maxAgeMs);
    const lock = this.#tryLock();
    if (lock === undefined) return;
    await this.#locked(
      lock,
      async () => {
        await compactor.run({ limits, onProgress: () => {}, signal: this.#closing.signal });
        await retain('due');
      },
      this.#closing.signal,
    );
  }

  /** Does something under the lock, when all that was asked before is done and no other process has it. */
  #inTurn<Result>(work: () => Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    const before = this.#last;
    const run = (async () => {
      await before.catch(() => {});
      const either = this.#either(signal);
      return this.#locked(await this.#lock(either), work, either);
    })();
    this.#last = run;
    return run;
  }

  /** @param signal - what is ended by it has not failed */
  async #locked<Result>(lock: FileLock, work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    this.#running++;
    try {
      this.#context.meta.setAsideIfDamaged();
      await this.#context.compactor.recover();
      const result = await work();
      this.#lastError = undefined;
      this.#lastRunMs = Date.now();
      return result;
    } catch (error) {
      if (!signal.aborted) this.#lastError = paused(error);
      throw error;
    } finally {
      this.#running--;
      lock.release();
    }
  }

  async #lock(signal: AbortSignal): Promise<FileLock> {
    for (;;) {
      signal.throwIfAborted();
      const lock = this.#tryLock();
      if (lock !== undefined) return lock;
      // What ends the wait early is looked at next.
      await wait(ASK_AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }

  #tryLock(): FileLock | undefined {
    return this.#context.fs.tryLock(join(this.#context.directory, 'maintenance.lock'));
  }

  #either(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
  }
}

function quietly(onProgress: (progress: CompactionProgress) => void): (progress: CompactionProgress) => void {
  return (progress) => {
    try {
      onProgress(progress);
    } catch {
      // The caller's own business; the data is not to suffer from it.
    }
  };
}

/** The error as health tells it: with what it means that the disk is full. */
function paused(error: unknown): Error {
  if (!isNoSpace(error)) return error as Error;
  return new TracewellError(
    'TW_LOG_NO_SPACE',
    `compaction is paused: ${(error as Error).message}; nothing was removed; make room, and it goes on by itself`,
    { cause: error },
  );
}
