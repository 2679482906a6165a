import { context, diag, TraceFlags } from '@opentelemetry/api';
import { encodeTraces } from '@tracewell/otlp';
import { type BatchExporter, ExportError, type SpanBatch } from '@tracewell/plugin';
import { suppressTracing } from '../api/context.ts';
import type { ReadableResource, ReadableSpan } from '../exporter-bridge/readable-span.ts';
import { toSpanDatas } from './span-data.ts';

/** Options of {@link tracewellSpanProcessor}. */
export interface SpanProcessorOptions {
  /** How long an ended span waits for others before it is handed on, in milliseconds. Default 1,000. */
  readonly delayMs?: number;
  /** The most spans in one batch; so many waiting are handed on at once. Default 512. */
  readonly batchMaxSpans?: number;
  /** Ended spans that may wait; further ones are dropped and counted. Default 8,192. */
  readonly queueMaxSpans?: number;
  /** How long one export may take, in milliseconds; then it counts as failed. Default 30,000. */
  readonly exportTimeoutMs?: number;
  /**
   * Is told why spans could not be delivered when nobody waits for it. Default: OpenTelemetry's `diag`
   * logger, as its own processors do.
   */
  readonly onError?: (error: unknown) => void;
}

/** What became of the spans that a {@link TracewellSpanProcessor} was given. */
export interface SpanProcessorStats {
  /** Spans that the batch exporter took over. */
  readonly exported: number;
  /** Spans waiting or in flight. */
  readonly retained: number;
  /** Spans lost: refused by the exporter, or ended while the queue was full. */
  readonly dropped: number;
}

/** What {@link tracewellSpanProcessor} returns: a span processor of OpenTelemetry's SDK, of any of its lines. */
export interface TracewellSpanProcessor {
  /** Nothing: a span counts when it has ended. */
  onStart(): void;
  /** Takes over a span that has ended, if it is sampled and the queue has room. */
  onEnd(span: ReadableSpan): void;
  /** Delivers what has ended so far. Rejects with what the exporter failed with. */
  forceFlush(): Promise<void>;
  /** Delivers what has ended so far and shuts the batch exporter down. Idempotent. */
  shutdown(): Promise<void>;
  /**
   * Delivers what has ended before it returns, for a listener of the process's `exit` event; does nothing
   * if the batch exporter has no `exportSync`.
   */
  flushSync(): void;
  /** What became of the spans so far. */
  stats(): SpanProcessorStats;
}

/**
 * Makes a span processor for OpenTelemetry's SDK that hands batches of its spans to a batch exporter: one
 * line puts the store beside whatever the SDK does already.
 *
 * Other than the SDK's own processor it keeps a batch that failed and may be retried, and counts what it
 * loses.
 *
 * @param batchExporter - where the spans go: `storeExporter(store)`, or any other
 * @throws TypeError or RangeError if the exporter is none or an option is invalid
 *
 * @example
 * ```ts
 * import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
 * import { tracewellSpanProcessor } from '@tracewell/opentelemetry';
 *
 * const exporter = { name: 'count', export: async (batch: { spanCount: number }) => console.log(batch.spanCount) };
 * const provider = new BasicTracerProvider({ spanProcessors: [tracewellSpanProcessor(exporter)] });
 * provider.getTracer('example').startSpan('work').end();
 * await provider.forceFlush(); // 1
 * ```
 */
export function tracewellSpanProcessor(
  batchExporter: BatchExporter,
  options: SpanProcessorOptions = {},
): TracewellSpanProcessor {
  if (typeof batchExporter?.export !== 'function') {
    throw new TypeError(
      `tracewellSpanProcessor: batchExporter must be a BatchExporter, got ${typeof batchExporter}`,
    );
  }
  const {
    delayMs = 1000,
    batchMaxSpans = 512,
    queueMaxSpans = 8192,
    exportTimeoutMs = 30_000,
    onError = (error: unknown) => diag.error('tracewell: spans could not be delivered', error),
  } = options;
  for (const [field, value] of Object.entries({ delayMs, batchMaxSpans, queueMaxSpans, exportTimeoutMs })) {
    if (!(Number.isInteger(value) && value >= 1 && value <= 2 ** 31 - 1)) {
      throw new RangeError(
        `tracewellSpanProcessor: ${field} must be a whole number from 1 to 2147483647, got ${value}`,
      );
    }
  }
  return new BatchingProcessor(batchExporter, {
    delayMs,
    batchMaxSpans,
    queueMaxSpans,
    exportTimeoutMs,
    onError,
  });
}

class BatchingProcessor implements TracewellSpanProcessor {
  readonly #exporter: BatchExporter;
  readonly #options: Required<SpanProcessorOptions>;
  /** Ended spans that are not encoded yet. */
  #queue: ReadableSpan[] = [];
  /** The batch in flight, or one that failed and is to be tried again. */
  #batch: SpanBatch | undefined;
  #draining: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #exported = 0;
  #dropped = 0;
  #shutdown: Promise<void> | undefined;

  constructor(exporter: BatchExporter, options: Required<SpanProcessorOptions>) {
    this.#exporter = exporter;
    this.#options = options;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.#shutdown !== undefined || (span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    if (this.#queue.length >= this.#options.queueMaxSpans) {
      this.#dropped++;
      return;
    }
    this.#queue.push(span);
    // A batch that failed keeps its own time.
    if (this.#queue.length === this.#options.batchMaxSpans && this.#batch === undefined) this.#wakeAfter(0);
    else this.#timer ??= this.#wakeAfter(this.#options.delayMs);
  }

  async forceFlush(): Promise<void> {
    if (this.#shutdown !== undefined) return this.#shutdown;
    await this.#drainAll();
    await this.#exporter.flush?.();
  }

  shutdown(): Promise<void> {
    this.#shutdown ??= (async () => {
      clearTimeout(this.#timer);
      try {
        await this.#drainAll();
      } finally {
        await (this.#exporter.shutdown ?? this.#exporter.flush)?.call(this.#exporter);
      }
    })();
    return this.#shutdown;
  }

  flushSync(): void {
    if (this.#exporter.exportSync === undefined) return;
    // A batch in flight is given again: twice is better than not at all.
    for (let batch = this.#batch ?? this.#nextBatch(); batch !== undefined; batch = this.#nextBatch()) {
      this.#exporter.exportSync(batch);
      this.#exported += batch.spanCount;
      this.#batch = undefined;
    }
  }

  stats(): SpanProcessorStats {
    return {
      exported: this.#exported,
      retained: this.#queue.length + (this.#batch?.spanCount ?? 0),
      dropped: this.#dropped,
    };
  }

  /** Drains what is there now, also what came while an earlier drain was under way. */
  async #drainAll(): Promise<void> {
    await this.#draining?.catch(() => {
      // Its own starter was told; what it kept is tried again now.
    });
    await this.#drain();
  }

  #drain(): Promise<void> {
    this.#draining ??= this.#deliver().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  /** Delivers batch by batch; stops at one that may be delivered later, and throws the first failure. */
  async #deliver(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const failures: unknown[] = [];
    for (;;) {
      await this.#resourcesKnown();
      this.#batch ??= this.#nextBatch();
      const batch = this.#batch;
      if (batch === undefined) break;
      try {
        await this.#export(batch);
        this.#settle(batch, 0);
      } catch (error) {
        failures.push(error);
        const { retryable = true, retryAfterMs = 0, rejectedSpans } = asExportError(error);
        if (retryable) {
          this.#timer ??= this.#wakeAfter(Math.max(this.#options.delayMs, retryAfterMs));
          break;
        }
        this.#settle(batch, rejectedSpans ?? batch.spanCount);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #settle(batch: SpanBatch, rejected: number): void {
    // flushSync may have delivered it in between.
    if (this.#batch !== batch) return;
    this.#batch = undefined;
    this.#dropped += rejected;
    this.#exported += batch.spanCount - rejected;
  }

  async #export(batch: SpanBatch): Promise<void> {
    const { exportTimeoutMs } = this.#options;
    const signal = AbortSignal.timeout(exportTimeoutMs);
    const { promise, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => {
      const message = `${this.#exporter.name}: the export did not settle within ${exportTimeoutMs} ms`;
      reject(new ExportError(message, { retryable: true, code: 'TW_EXPORT_TIMEOUT' }));
    };
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      // What the exporter does is not to be traced, or it would never come to an end.
      await context.with(suppressTracing(context.active()), () =>
        Promise.race([this.#exporter.export(batch, { signal }), promise]),
      );
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Resource detectors may still be at work when the first spans end. */
  async #resourcesKnown(): Promise<void> {
    const pending = new Set<ReadableResource>();
    for (const { resource } of this.#queue)
      if (resource.asyncAttributesPending === true) pending.add(resource);
    for (const resource of pending) await resource.waitForAsyncAttributes?.();
  }

  #nextBatch(): SpanBatch | undefined {
    const { batchMaxSpans } = this.#options;
    if (this.#queue.length === 0) return undefined;
    const spans = this.#queue.slice(0, batchMaxSpans);
    this.#queue = this.#queue.slice(batchMaxSpans);
    return { bytes: encodeTraces(toSpanDatas(spans)), spanCount: spans.length };
  }

  #wakeAfter(delayMs: number): NodeJS.Timeout {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#drain().catch(this.#options.onError);
    }, delayMs).unref();
    return this.#timer;
  }
}

/** An `ExportError` of whichever copy of the package, or anything else: then it says nothing. */
function asExportError(error: unknown): Partial<ExportError> {
  return typeof error === 'object' && error !== null ? error : {};
}
