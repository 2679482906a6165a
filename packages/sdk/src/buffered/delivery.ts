import {
  type BatchExporter,
  type ErrorCode,
  ExportError,
  type ExporterStats,
  type SpanBatch,
  TracewellError,
} from '@tracewell/plugin';
import { messageOf } from '../message-of.ts';
import { Fifo } from './fifo.ts';
import type { Timers } from './timers.ts';

/** What every {@link Delivery} of a plugin is told, with nothing left out. */
export interface DeliverySettings {
  readonly queueMaxBytes: number;
  readonly queueDropPolicy: 'oldest' | 'newest';
  readonly exportTimeoutMs: number;
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly maxElapsedMs: number;
  readonly breakerFailures: number;
  readonly breakerOpenMs: number;
  readonly timers: Timers;
  readonly onError: (error: unknown, exporter: string) => void;
}

/** A batch on its way to one exporter. */
interface Parcel {
  readonly batch: SpanBatch;
  /** Its place in the order in which the batches came, from 1. */
  readonly number: number;
  /** When it was tried first; NaN before. */
  firstTriedAt: number;
  attempts: number;
  /** No longer ours: delivered or dropped. What an attempt says of it afterwards does not count. */
  settled: boolean;
}

/** Somebody who waits until everything up to a number has left the queue, or an attempt failed. */
interface Waiter {
  readonly upTo: number;
  readonly resolve: (failure: Failure | undefined) => void;
}

/** Why a delivery stopped. */
export interface Failure {
  /** Whatever it is, its message begins with the exporter's name. */
  readonly error: unknown;
}

/**
 * Delivers batches to one exporter: a bounded queue, one export in flight, retries, a circuit breaker and the
 * books. Each exporter of a plugin has one of its own, so that none can hurt another.
 *
 * A batch is in the queue, in flight, or settled (delivered or dropped). Its spans are `retained` until then,
 * and move to `exported` and `dropped` at one stroke, so that the three always add up to what was given.
 *
 * After a failure that may pass, the next attempt waits: for a random part of a delay that doubles each time
 * ("full jitter"), for as long as the back end asked for, or, after several failures in a row, for the time
 * that the circuit breaker stays open. {@link Delivery.drain} skips the first kind of wait, since a flush is
 * a request to try now, but not the others: it then fails at once.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export class Delivery {
  readonly exporter: BatchExporter;
  readonly #settings: DeliverySettings;
  readonly #queue = new Fifo<Parcel>();
  #inFlight: Parcel | undefined;
  #waiters: Waiter[] = [];
  #running = false;
  #scheduled = false;
  #closed = false;
  #lastNumber = 0;
  #exported = 0;
  #retained = 0;
  #dropped = 0;
  #retainedBytes = 0;
  #failuresInARow = 0;
  /** Before this time nothing is tried, not even by a flush. */
  #blockedUntil = Number.NEGATIVE_INFINITY;
  #cancelRetry: (() => void) | undefined;
  #lastError: unknown;

  constructor(exporter: BatchExporter, settings: DeliverySettings) {
    this.exporter = exporter;
    this.#settings = settings;
  }

  get stats(): ExporterStats {
    const stats = {
      name: this.exporter.name,
      exported: this.#exported,
      retained: this.#retained,
      dropped: this.#dropped,
      retainedBytes: this.#retainedBytes,
    };
    return this.#lastError === undefined ? stats : { ...stats, lastError: this.#lastError };
  }

  /** Takes over a batch; never throws, and leaves the exporting to a later turn of the event loop. */
  give(batch: SpanBatch): void {
    const parcel: Parcel = {
      batch,
      number: ++this.#lastNumber,
      firstTriedAt: Number.NaN,
      attempts: 0,
      settled: false,
    };
    this.#retained += batch.spanCount;
    this.#retainedBytes += batch.bytes.length;
    this.#queue.push(parcel);
    if (this.#closed) this.#dropQueued();
    else this.#makeRoom();
    this.#runSoon();
  }

  /**
   * Waits until everything given so far is settled.
   *
   * @param force - try once, even while the back end or the circuit breaker asks to wait
   * @returns why not everything was delivered, or `undefined`
   */
  drain(force = false): Promise<Failure | undefined> {
    if (this.#queue.size === 0 && this.#inFlight === undefined) return Promise.resolve(undefined);
    if (force) this.#blockedUntil = Number.NEGATIVE_INFINITY;
    if (this.#settings.timers.now() < this.#blockedUntil) return Promise.resolve(this.#failure());
    const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
    this.#waiters.push({ upTo: this.#lastNumber, resolve });
    this.#stopRetrying();
    void this.#run();
    return promise;
  }

  /**
   * Delivers everything before it returns, what is in flight included, if the exporter can do that.
   *
   * @returns why not everything was delivered, or `undefined`
   */
  drainSync(): Failure | undefined {
    const { exporter } = this;
    if (this.#retained === 0) return undefined;
    if (exporter.exportSync === undefined) {
      // Not through `onError` too: nothing was tried, and who flushes is told.
      this.#lastError = new Error(
        `${exporter.name}: it has no exportSync, so its ${this.#retained} spans need an asynchronous flush: await shutdown() before the process ends`,
      );
      return this.#failure();
    }
    // What is in flight may or may not have arrived. It goes first, so that the order stays.
    const inFlight = this.#inFlight;
    if (inFlight !== undefined && !inFlight.settled && !this.#exportSync(inFlight)) return this.#failure();
    for (let parcel = this.#queue.first; parcel !== undefined; parcel = this.#queue.first) {
      if (!this.#exportSync(parcel)) return this.#failure();
      this.#queue.shift();
    }
    this.#wake();
    return undefined;
  }

  /** Lets the exporter deliver what it buffers itself. */
  flushExporter(): Promise<Failure | undefined> {
    return this.#call('flush');
  }

  /** Tries once more to deliver everything, drops the rest and shuts the exporter down. */
  async shutdown(): Promise<Failure | undefined> {
    const failure = await this.drain(true);
    this.#closed = true;
    this.#stopRetrying();
    this.#dropQueued();
    const shutdownFailure = await this.#call('shutdown');
    return failure ?? shutdownFailure;
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (let parcel = this.#queue.shift(); parcel !== undefined; parcel = this.#queue.shift()) {
      this.#inFlight = parcel;
      if (parcel.attempts++ === 0) parcel.firstTriedAt = this.#settings.timers.now();
      const outcome = await this.#attempt(parcel.batch);
      this.#inFlight = undefined;
      if (outcome.delivered) {
        this.#failuresInARow = 0;
        this.#lastError = undefined;
        this.#settle(parcel, 0);
      } else if (!parcel.settled && !this.#isFinal(parcel, outcome.error)) {
        this.#queue.unshift(parcel);
        this.#retryLater(parcel, readExportError(outcome.error).retryAfterMs);
        break;
      }
      this.#wake();
    }
    this.#running = false;
  }

  /** One export, raced against the timeout; settles exactly once, whatever the exporter does. */
  #attempt(batch: SpanBatch): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const { exportTimeoutMs, timers } = this.#settings;
    const { exporter } = this;
    const abort = new AbortController();
    const cancelTimeout = timers.after(exportTimeoutMs, () => {
      const error = new ExportError(
        `${exporter.name}: the export did not settle within ${exportTimeoutMs} ms`,
        {
          retryable: true,
          code: 'TW_EXPORT_TIMEOUT',
        },
      );
      resolve({ delivered: false, error });
      abort.abort(error);
    });
    const settle = (outcome: Outcome): void => {
      cancelTimeout();
      resolve(outcome);
    };
    callAsync(() => exporter.export(batch, { signal: abort.signal })).then(
      () => settle({ delivered: true }),
      (error: unknown) => settle({ delivered: false, error }),
    );
    return promise;
  }

  #exportSync(parcel: Parcel): boolean {
    try {
      const returned: unknown = this.exporter.exportSync!(parcel.batch);
      if (returned instanceof Promise) {
        returned.catch(() => {});
        const { name } = this.exporter;
        throw new TypeError(`${name}: exportSync returned a promise; it must deliver before it returns`);
      }
    } catch (error) {
      return this.#isFinal(parcel, error);
    }
    this.#settle(parcel, 0);
    return true;
  }

  /** Books a failed attempt; whether the batch is settled with it. */
  #isFinal(parcel: Parcel, error: unknown): boolean {
    const { retryable, rejectedSpans } = readExportError(error);
    this.#fail(error);
    if (rejectedSpans !== undefined) {
      // The back end answered and took the rest: a partial success.
      this.#failuresInARow = 0;
      this.#settle(parcel, Math.min(rejectedSpans, parcel.batch.spanCount));
      return true;
    }
    const { timers, maxElapsedMs } = this.#settings;
    if (retryable && !(timers.now() - parcel.firstTriedAt >= maxElapsedMs)) return false;
    this.#settle(parcel, parcel.batch.spanCount);
    return true;
  }

  #settle(parcel: Parcel, droppedSpans: number): void {
    if (parcel.settled) return;
    parcel.settled = true;
    const { bytes, spanCount } = parcel.batch;
    this.#retained -= spanCount;
    this.#retainedBytes -= bytes.length;
    this.#dropped += droppedSpans;
    this.#exported += spanCount - droppedSpans;
  }

  #retryLater(parcel: Parcel, retryAfterMs: number | undefined): void {
    const { timers, initialDelayMs, maxDelayMs, maxElapsedMs, breakerFailures, breakerOpenMs } =
      this.#settings;
    this.#failuresInARow++;
    const now = timers.now();
    let delay = timers.random() * Math.min(maxDelayMs, initialDelayMs * 2 ** (parcel.attempts - 1));
    let blocked = 0;
    // A back end that asks for a year does not get it.
    if (retryAfterMs !== undefined) blocked = Math.min(retryAfterMs, maxElapsedMs);
    if (this.#failuresInARow >= breakerFailures) blocked = Math.max(blocked, breakerOpenMs);
    if (blocked > 0) this.#blockedUntil = now + blocked;
    delay = Math.max(delay, blocked);
    this.#cancelRetry = timers.after(delay, () => {
      this.#cancelRetry = undefined;
      void this.#run();
    });
    const failure = this.#failure();
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(failure);
  }

  #stopRetrying(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
  }

  #runSoon(): void {
    if (this.#running || this.#scheduled || this.#cancelRetry !== undefined) return;
    this.#scheduled = true;
    this.#settings.timers.soon(() => {
      this.#scheduled = false;
      if (this.#cancelRetry === undefined) void this.#run();
    });
  }

  #makeRoom(): void {
    const { queueMaxBytes, queueDropPolicy } = this.#settings;
    if (this.#retainedBytes <= queueMaxBytes) return;
    let dropped = 0;
    while (this.#retainedBytes > queueMaxBytes) {
      const parcel = queueDropPolicy === 'newest' ? this.#queue.pop() : this.#queue.shift();
      if (parcel === undefined) break;
      dropped += parcel.batch.spanCount;
      this.#settle(parcel, parcel.batch.spanCount);
    }
    this.#reportDrop(dropped, `its queue of ${queueMaxBytes} bytes is full`);
  }

  #dropQueued(): void {
    let dropped = 0;
    for (let parcel = this.#queue.shift(); parcel !== undefined; parcel = this.#queue.shift()) {
      dropped += parcel.batch.spanCount;
      this.#settle(parcel, parcel.batch.spanCount);
    }
    if (dropped > 0) this.#reportDrop(dropped, 'it is shut down');
  }

  /** Resolves who waits for nothing any more. */
  #wake(): void {
    const first = this.#inFlight ?? this.#queue.first;
    const settledUpTo = first === undefined ? this.#lastNumber : first.number - 1;
    const waiters = this.#waiters;
    this.#waiters = waiters.filter((waiter) => waiter.upTo > settledUpTo);
    for (const waiter of waiters) if (waiter.upTo <= settledUpTo) waiter.resolve(undefined);
  }

  /** Calls an optional method of the exporter, within the export timeout. */
  async #call(method: 'flush' | 'shutdown'): Promise<Failure | undefined> {
    const { exporter } = this;
    if (exporter[method] === undefined) return undefined;
    const { exportTimeoutMs, timers } = this.#settings;
    const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
    const cancelTimeout = timers.after(exportTimeoutMs, () => {
      const message = `${exporter.name}: ${method} did not settle within ${exportTimeoutMs} ms`;
      resolve(this.#fail(new ExportError(message, { retryable: true, code: 'TW_EXPORT_TIMEOUT' })));
    });
    callAsync(() => exporter[method]?.()).then(
      () => resolve(undefined),
      (error: unknown) => resolve(this.#fail(error)),
    );
    const failure = await promise;
    cancelTimeout();
    return failure;
  }

  #fail(error: unknown): Failure {
    // `undefined` is what "no error" looks like; a rejection with it is one all the same.
    const { name } = this.exporter;
    this.#lastError = named(name, error ?? `failed with ${String(error)}`);
    this.#settings.onError(this.#lastError, name);
    return this.#failure();
  }

  #failure(): Failure {
    return { error: this.#lastError };
  }

  #reportDrop(spans: number, why: string): void {
    const { name } = this.exporter;
    this.#settings.onError(
      new ExportError(`${name}: ${spans} spans dropped: ${why}`, { retryable: false }),
      name,
    );
  }
}

type Outcome = { readonly delivered: true } | { readonly delivered: false; readonly error: unknown };

/** A promise of what a function does, also if it throws at once or returns no promise. */
async function callAsync(call: () => unknown): Promise<void> {
  await call();
}

/**
 * The error with the name of its exporter in front, since several may fail at once. One that begins with the name
 * stays as it is; another becomes the `cause` of one that says the same of a retry.
 */
function named(exporter: string, error: unknown): unknown {
  const message = messageOf(error);
  if (message.startsWith(`${exporter}: `)) return error;
  const text = `${exporter}: ${message}`;
  const code = codeOf(error) ?? 'TW_EXPORT_FAILED';
  if (code !== 'TW_EXPORT_FAILED' && code !== 'TW_EXPORT_TIMEOUT') {
    return new TracewellError(code, text, { cause: error });
  }
  const { retryable, retryAfterMs, rejectedSpans } = readExportError(error);
  return new ExportError(text, {
    retryable,
    code,
    cause: error,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(rejectedSpans !== undefined && { rejectedSpans }),
  });
}

function codeOf(error: unknown): ErrorCode | undefined {
  try {
    return error instanceof TracewellError ? error.code : undefined;
  } catch {
    // A proxy may refuse even that question.
    return undefined;
  }
}

/** What an error says about a retry: an `ExportError` of whichever copy of the package, or anything else. */
function readExportError(error: unknown): {
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly rejectedSpans: number | undefined;
} {
  try {
    const { retryable, retryAfterMs, rejectedSpans } = Object(error) as Partial<ExportError>;
    return {
      retryable: retryable !== false,
      retryAfterMs: typeof retryAfterMs === 'number' && retryAfterMs > 0 ? retryAfterMs : undefined,
      rejectedSpans: Number.isInteger(rejectedSpans) && rejectedSpans! >= 0 ? rejectedSpans : undefined,
    };
  } catch {
    // A proxy or a getter that throws: an error that says nothing.
    return { retryable: true, retryAfterMs: undefined, rejectedSpans: undefined };
  }
}
