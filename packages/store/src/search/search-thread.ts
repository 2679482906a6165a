import { Worker } from 'node:worker_threads';
import { TracewellError } from '@tracewell/plugin';
import { entryUrl } from '../entry.ts';
import type { Answer, Call, SearchCalls } from './protocol.ts';

/** The index is damaged or gone, and is built anew. */
export class SearchDamagedError extends TracewellError {}

/** A call that waits for its answer. */
interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One thread that indexes or searches. It is started when it is first needed, and keeps no process alive. */
export class SearchThread {
  readonly #directory: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;
  #closed = false;

  /** @param directory - of the store, absolute */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Calls the thread.
   *
   * @throws {@link SearchDamagedError}, as a rejection, if the index has to be built anew; `TracewellError`
   * (`TW_SEARCH_FAILED`) for whatever else
   */
  async call<Name extends keyof SearchCalls>(
    name: Name,
    ...args: Parameters<SearchCalls[Name]>
  ): Promise<ReturnType<SearchCalls[Name]>> {
    if (this.#closed) throw failed('the store is closed');
    this.#worker ??= this.#start();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = ++this.#lastId;
    this.#waiting.set(id, { resolve, reject });
    const call: Call = { id, name, args };
    this.#worker.ref();
    this.#worker.postMessage(call);
    return promise as Promise<ReturnType<SearchCalls[Name]>>;
  }

  /** Ends the thread. What is under way fails. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(entryUrl('./search.entry.ts', import.meta.url), {
      workerData: this.#directory,
      name: 'tracewell-search',
      // Nothing of the application's is loaded: it might be traced, and its traces be searched by this.
      execArgv: import.meta.url.endsWith('.ts') ? ['--conditions=@tracewell/source'] : [],
      env: {},
    });
    worker.unref();
    worker.on('message', (answer: Answer) => this.#answered(worker, answer));
    worker.on('error', (error) => this.#ended(worker, error));
    worker.on('exit', () => this.#ended(worker, new Error('its thread has ended')));
    return worker;
  }

  #answered(worker: Worker, { id, result, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    // While it is being ended, who waits for that keeps the process alive.
    if (this.#waiting.size === 0 && !this.#closed) worker.unref();
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(error.damaged ? damaged(error.message) : failed(error.message));
  }

  #ended(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(failed(error.message, error));
    this.#waiting.clear();
  }
}

function failed(why: string, cause?: unknown): TracewellError {
  return new TracewellError(
    'TW_SEARCH_FAILED',
    `the text index could not be used: ${why}; ask again, and if it stays, delete search.db: it is built anew`,
    cause === undefined ? undefined : { cause },
  );
}

function damaged(why: string): SearchDamagedError {
  return new SearchDamagedError(
    'TW_SEARCH_FAILED',
    `the text index is damaged (${why}) and is built anew; ask again in a while`,
  );
}
