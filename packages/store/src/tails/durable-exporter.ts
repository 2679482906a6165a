import { countSpans } from '@tracewell/otlp';
import { type BatchExporter, ExportError, type SpanBatch, TracewellError } from '@tracewell/plugin';
import { checkFields, wrongType } from '../query/check.ts';
import { shown } from '../shown.ts';
import type { TraceStore } from '../trace-store.ts';
import type { FollowOptions, LogTail } from './follow.ts';
import type { LogFrame } from './follower.ts';

/** How {@link durableExporter} delivers. */
export interface DurableExporterOptions {
  /**
   * The name under which the position is saved: 1 to 63 of `a-z`, `0-9`, `_` and `-`. Two exporters of one
   * directory need two names; processes that deliver to the same place share one. Default: `export-` and the
   * exporter's name.
   */
  readonly name?: string;
  /**
   * Where delivery begins the first time: with the oldest span that the log still holds, or with the next one.
   * Default `'start'`.
   */
  readonly from?: 'start' | 'now';
  /**
   * Bytes of the log that are kept for the exporter while it is behind. What compaction has to take before it
   * was delivered is counted as `missedBytes`; it stays in the store, and is not delivered. Default 1 GiB.
   */
  readonly retainBytes?: number;
  /**
   * Bytes up to which small batches are sent together. A larger one is sent as it is. Default 1 MiB; the usual
   * receivers take 4 to 20 MiB.
   */
  readonly batchBytes?: number;
  /** Milliseconds for which spans are gathered after the first one comes in. Default 200. */
  readonly gatherMs?: number;
  /** Milliseconds after which an export that has not settled is given up and tried again. Default 30,000. */
  readonly exportTimeoutMs?: number;
  /** Milliseconds before the first retry; up to twice as many before each further one. Default 500. */
  readonly initialDelayMs?: number;
  /** Milliseconds between two retries at most. Default 30,000. */
  readonly maxDelayMs?: number;
  /** Told of every attempt that failed and of every span that was refused. Default: nobody. */
  readonly onError?: (error: unknown) => void;
}

/** A durable export that runs in this process, or waits to. */
export interface DurableExport {
  /** The name under which the position is saved. */
  readonly name: string;

  /**
   * Resolves when everything that was stored before the call is delivered, by whichever process delivers.
   *
   * @throws what the exporter rejects with at the next attempt; delivery goes on all the same
   */
  flush(): Promise<void>;

  /** What was delivered, and what is still to be. */
  stats(): DurableExportStats;

  /**
   * Delivers what it can within a time, then stops and shuts the exporter down. What is left is delivered by
   * another process, or by the next one that begins. Idempotent; to be called before the store is closed.
   *
   * @param options - `timeoutMs`: default 5,000
   */
  shutdown(options?: { readonly timeoutMs?: number }): Promise<void>;

  /** As {@link DurableExport.shutdown}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What {@link DurableExport.stats} tells. Spans are counted since this process began. */
export interface DurableExportStats {
  readonly name: string;
  /** Spans that the exporter took over from this process. */
  readonly exported: number;
  /** Spans that the back end refused for good, and that are not sent again. */
  readonly rejected: number;
  /** Bytes of the log that are still to be delivered, by whichever process. */
  readonly lagBytes: number;
  /** Bytes of the log that were compacted before they were delivered. */
  readonly missedBytes: number;
  /** The last error, if the last attempt failed. */
  readonly lastError?: unknown;
}

/**
 * Delivers what a store holds to a batch exporter: the log is the queue. Spans are delivered at least once,
 * through outages of the back end, restarts and kills of this process; of all processes that have the directory
 * open one delivers what all of them stored, and another takes over when it dies.
 *
 * The bytes in the log are the bytes that are sent. Errors are treated as `BatchExporter` asks: what may pass is
 * tried again, for ever, with growing pauses or when the back end says; what is refused for good is counted.
 *
 * Records to a store with `storeExporter` and exports from there with this one: then recording never waits for
 * the network, and memory holds no queue.
 *
 * @throws `TracewellError` (`TW_LOG_READ_ONLY`) if the store was opened to only read
 * @throws TypeError, RangeError naming an argument that is none, or a name that runs in this store already
 *
 * @example
 * ```ts
 * import { durableExporter, openStore } from '@tracewell/store';
 *
 * const store = await openStore('.tracewell');
 * const delivery = durableExporter(store, {
 *   name: 'print',
 *   async export({ spanCount }) {
 *     console.log(`${spanCount} spans`);
 *   },
 * });
 * await delivery.flush();
 * await delivery.shutdown();
 * await store.close();
 * ```
 */
export function durableExporter(
  store: Pick<TraceStore, 'follow'>,
  exporter: BatchExporter,
  options: DurableExporterOptions = {},
): DurableExport {
  checkFields(CALLER, 'options', options, FIELDS);
  if (typeof exporter !== 'object' || exporter === null || typeof exporter.export !== 'function') {
    throw wrongType(CALLER, 'exporter', 'a batch exporter', exporter);
  }
  return new Delivery(store, exporter, options);
}

const CALLER = 'durableExporter';
const SHUTDOWN_TIMEOUT_MS = 5000;

const FIELDS: ReadonlySet<string> = new Set<keyof DurableExporterOptions>([
  'name',
  'from',
  'retainBytes',
  'batchBytes',
  'gatherMs',
  'exportTimeoutMs',
  'initialDelayMs',
  'maxDelayMs',
  'onError',
]);

class Delivery implements DurableExport {
  readonly name: string;
  readonly #exporter: BatchExporter;
  readonly #tail: LogTail;
  readonly #batchBytes: number;
  readonly #exportTimeoutMs: number;
  readonly #onError: (error: unknown) => void;
  /** The step that is being delivered, and what of it is still to be. */
  #step: { readonly frames: readonly LogFrame[]; readonly batches: SpanBatch[] } | undefined;
  #exported = 0;
  #rejected = 0;
  #lastError: unknown;
  #shutdown: Promise<void> | undefined;

  constructor(
    store: Pick<TraceStore, 'follow'>,
    exporter: BatchExporter,
    {
      name,
      batchBytes,
      exportTimeoutMs,
      gatherMs = 200,
      onError = () => {},
      ...rest
    }: DurableExporterOptions,
  ) {
    this.name = name ?? tailNameOf(exporter.name);
    this.#exporter = exporter;
    this.#batchBytes = wholeNumber('batchBytes', batchBytes, 1024 ** 2, 64 * 1024 ** 2);
    this.#exportTimeoutMs = wholeNumber('exportTimeoutMs', exportTimeoutMs, 30_000, 3_600_000);
    this.#onError = onError;
    const follow: FollowOptions = { ...rest, gatherMs, onError, stepBytes: this.#batchBytes };
    this.#tail = store.follow(this.name, (frames, signal) => this.#deliver(frames, signal), follow);
  }

  async flush(): Promise<void> {
    await this.#tail.flush();
    await this.#exporter.flush?.();
  }

  stats(): DurableExportStats {
    const { lagBytes = 0, missedBytes = 0, lastError } = this.#tail.health() ?? {};
    const error = this.#lastError ?? lastError;
    return {
      name: this.name,
      exported: this.#exported,
      rejected: this.#rejected,
      lagBytes,
      missedBytes,
      ...(error !== undefined && { lastError: error }),
    };
  }

  shutdown({ timeoutMs = SHUTDOWN_TIMEOUT_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#shutdown ??= this.#shutDown(timeoutMs);
    return this.#shutdown;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #shutDown(timeoutMs: number): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    try {
      // What cannot be delivered now stays in the log, and `stats` says why.
      if (this.#tail.health()?.state === 'running') await Promise.race([this.flush().catch(() => {}), late]);
      await this.#tail.stop();
      const closing = this.#exporter.shutdown?.();
      closing?.catch(() => {});
      await Promise.race([closing, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #deliver(frames: readonly LogFrame[], signal: AbortSignal): Promise<void> {
    // After a failure the same frames come again; what of them was delivered is not sent again.
    if (this.#step?.frames !== frames) {
      this.#step = { frames, batches: batchesOf(frames, this.#batchBytes) };
    }
    const { batches } = this.#step;
    while (batches.length > 0) {
      await this.#export(batches[0]!, signal);
      batches.shift();
    }
    this.#step = undefined;
  }

  /** Resolves when a batch need not be sent again. */
  async #export(batch: SpanBatch, stopped: AbortSignal): Promise<void> {
    try {
      await this.#attempt(batch, stopped);
      this.#exported += batch.spanCount;
      this.#lastError = undefined;
    } catch (error) {
      if (stopped.aborted || !(error instanceof ExportError)) throw error;
      const { retryable, rejectedSpans = retryable ? undefined : batch.spanCount } = error;
      if (rejectedSpans === undefined) throw error;
      this.#rejected += rejectedSpans;
      this.#exported += batch.spanCount - rejectedSpans;
      this.#lastError = error;
      this.#onError(error);
    }
  }

  /** One attempt, which ends at the timeout or when the delivery is stopped, whatever the exporter does. */
  async #attempt(batch: SpanBatch, stopped: AbortSignal): Promise<void> {
    const gaveUp = new AbortController();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const giveUp = (error: unknown): void => {
      gaveUp.abort(error);
      reject(error);
    };
    const stop = (): void => giveUp(stopped.reason);
    stopped.addEventListener('abort', stop, { once: true });
    const timer = setTimeout(
      () => giveUp(timeoutError(this.#exporter.name, this.#exportTimeoutMs)),
      this.#exportTimeoutMs,
    );
    try {
      const exporting = (async () => this.#exporter.export(batch, { signal: gaveUp.signal }))();
      await Promise.race([exporting, late]);
    } finally {
      clearTimeout(timer);
      stopped.removeEventListener('abort', stop);
    }
  }
}

/**
 * The spans of frames as batches: small ones joined up to a size. Two OTLP requests one after the other are one
 * request with the content of both, since their only field is a repeated one.
 *
 * @see https://protobuf.dev/programming-guides/encoding/#last-one-wins
 */
function batchesOf(frames: readonly LogFrame[], maxBytes: number): SpanBatch[] {
  const batches: SpanBatch[] = [];
  let pieces: Uint8Array[] = [];
  let length = 0;
  let spanCount = 0;
  const finish = (): void => {
    if (pieces.length === 0) return;
    batches.push({ bytes: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, length), spanCount });
    pieces = [];
    length = spanCount = 0;
  };
  for (const { content, payload } of frames) {
    const spans = content === 'traces' ? spansIn(payload) : 0;
    if (spans === 0) continue;
    if (length + payload.length > maxBytes) finish();
    pieces.push(payload);
    length += payload.length;
    spanCount += spans;
  }
  finish();
  return batches;
}

/** The number of spans; 0 if the bytes are no request, as the store's index passes them over too. */
function spansIn(bytes: Uint8Array): number {
  try {
    return countSpans(bytes);
  } catch (error) {
    if (error instanceof TracewellError) return 0;
    throw error;
  }
}

function timeoutError(exporter: string, milliseconds: number): ExportError {
  return new ExportError(`${exporter}: no answer within ${milliseconds} ms; the spans are sent again`, {
    retryable: true,
    code: 'TW_EXPORT_TIMEOUT',
  });
}

function tailNameOf(exporter: string): string {
  const name = `export-${String(exporter).toLowerCase()}`.replace(/[^a-z0-9_-]+/g, '-');
  return name.slice(0, 63);
}

function wholeNumber(field: string, value: number | undefined, fallback: number, max: number): number {
  const number = value ?? fallback;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= max) return number;
  throw new RangeError(`${CALLER}: ${field} must be a whole number from 1 to ${max}, got ${shown(number)}`);
}
