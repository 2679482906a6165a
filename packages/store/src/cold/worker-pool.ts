import { TracewellError } from '@tracewell/plugin';
import { entryUrl } from '../entry.ts';
import { type Job, type JobOutcome, type MadeFile, madeFiles } from './job.ts';

/** Does jobs of compaction somewhere. */
export interface JobRunner {
  /**
   * @throws what the job throws; `TW_COMPACTION_FAILED` if the thread died or ran out of memory. What the job was
   * to read is untouched.
   */
  run(job: Job, signal?: AbortSignal): Promise<readonly MadeFile[]>;
  /** Ends the threads. */
  close(): Promise<void>;
}

/**
 * A thread's heap. What a job holds are buffers outside of it; so this is for the garbage between them, and a file
 * that would take more is not worth the application's memory.
 */
const MAX_HEAP_MB = 512;
/** How much less urgent a thread is than the application's; Linux only. */
const NICE = 10;
/** A thread that has nothing to do goes after this time; with it goes its memory. */
const IDLE_MS = 2000;
/** How often a job is given to another thread after one has died under it. */
const RETRIES = 1;

/**
 * One thread, begun with the first job, that ends when there is nothing more to do. An idle one does not keep the
 * process alive; one at work does until the job is done, a second or two, unless the process is told to exit. What is
 * not finished then has changed nothing, and is done by whoever compacts next.
 */
export class WorkerPool implements JobRunner {
  readonly #entry: URL;
  readonly #maxHeapMb: number;
  #pool: Promise<import('piscina').Piscina> | undefined;

  /** @param entry - what a thread begins with */
  constructor(entry: URL = entryUrl('./compaction.entry.ts', import.meta.url), maxHeapMb = MAX_HEAP_MB) {
    this.#entry = entry;
    this.#maxHeapMb = maxHeapMb;
  }

  async run(job: Job, signal?: AbortSignal): Promise<readonly MadeFile[]> {
    this.#pool ??= begin(this.#entry, this.#maxHeapMb);
    const pool = await this.#pool;
    for (let attempt = 0; ; attempt++) {
      try {
        const running = pool.run(job, signal === undefined ? {} : { signal });
        return madeFiles((await running) as JobOutcome);
      } catch (error) {
        signal?.throwIfAborted();
        if (!isDeath(error)) throw error;
        if (attempt < RETRIES) continue;
        throw new TracewellError(
          'TW_COMPACTION_FAILED',
          `the thread that compacts died: ${(error as Error).message}; the segments stay in the log, and it is tried again later`,
          { cause: error },
        );
      }
    }
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await (await pool)?.destroy();
  }
}

async function begin(entry: URL, maxOldGenerationSizeMb: number): Promise<import('piscina').Piscina> {
  const { Piscina } = await import('piscina');
  const pool = new Piscina({
    filename: entry.href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_MS,
    resourceLimits: { maxOldGenerationSizeMb },
    // What the application does comes first, where threads have priorities of their own.
    niceIncrement: NICE,
  });
  // A thread that dies while it is idle; the next job gets another.
  pool.on('error', () => {});
  return pool;
}

/** Whether the thread is gone, rather than the job having thrown. */
function isDeath(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return (
    code === 'ERR_WORKER_OUT_OF_MEMORY' ||
    /^worker exited with code|^Terminating worker thread/.test(message ?? '')
  );
}
