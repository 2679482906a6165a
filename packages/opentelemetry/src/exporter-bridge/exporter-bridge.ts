import { context } from '@opentelemetry/api';
import { decodeTraces } from '@tracewell/otlp';
import { type BatchExporter, ExportError, type ExportOptions, type SpanBatch } from '@tracewell/plugin';
import { suppressTracing } from '../api/context.ts';
import { type ReadableSpan, toReadableSpans } from './readable-span.ts';

/** How an export of OpenTelemetry's ended: `code` 0 is success. */
export interface ExportResult {
  readonly code: number;
  readonly error?: Error;
}

/** An exporter of OpenTelemetry's SDK, of any of its lines. */
export interface SpanExporter {
  /** Delivers spans and calls back once with what became of them. */
  export(spans: ReadableSpan[], resultCallback: (result: ExportResult) => void): void;
  /** Delivers what it buffers and releases what it holds. */
  shutdown(): Promise<void>;
  /** Delivers what it buffers. */
  forceFlush?(): Promise<void>;
}

/** Options of {@link exporterBridge}. */
export interface ExporterBridgeOptions {
  /** Names the exporter in errors and statistics. Default: the name of its class. */
  readonly name?: string;
  /** After how long an exporter that calls nobody back has failed, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /**
   * Whether a batch that the exporter failed to deliver is tried again. Default `false`: OpenTelemetry's
   * specification leaves retries to the exporter and has a failed batch dropped; those that retry by
   * themselves would retry twice.
   */
  readonly retry?: boolean;
}

const SUCCESS = 0;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Makes a batch exporter of any OpenTelemetry span exporter: Zipkin's, Jaeger's, a vendor's, of the lines
 * 1.x, 2.x or 3.x alike. Batches are decoded for it; to post OTLP, `otlpExporter` is the cheaper way.
 *
 * An exporter that throws, calls back twice or never, or rejects with anything at all hurts nobody. What it
 * does itself is not traced.
 *
 * @throws TypeError or RangeError if the exporter is none or an option is invalid
 *
 * @example
 * ```ts
 * import { ConsoleSpanExporter } from '@opentelemetry/sdk-trace-base';
 * import { exporterBridge } from '@tracewell/opentelemetry';
 * import { bufferedPlugin } from '@tracewell/sdk';
 *
 * const plugin = bufferedPlugin(exporterBridge(new ConsoleSpanExporter()));
 * plugin.endSpan(plugin.startSpan({ name: 'work' }));
 * await plugin.flush(); // the console shows the span as OpenTelemetry does
 * ```
 */
export function exporterBridge(
  spanExporter: SpanExporter,
  options: ExporterBridgeOptions = {},
): BatchExporter {
  if (typeof spanExporter?.export !== 'function') {
    throw new TypeError(
      `exporterBridge: spanExporter must have an export method, got ${typeof spanExporter}`,
    );
  }
  const { timeoutMs = 30_000, retry = false } = options;
  if (!(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) {
    throw new RangeError(
      `exporterBridge: timeoutMs must be above 0 and at most ${MAX_TIMEOUT_MS}, got ${timeoutMs}`,
    );
  }
  return new ExporterBridge(spanExporter, options.name ?? className(spanExporter), timeoutMs, retry);
}

class ExporterBridge implements BatchExporter {
  readonly name: string;
  readonly #exporter: SpanExporter;
  readonly #timeoutMs: number;
  readonly #retry: boolean;
  #shutdown: Promise<void> | undefined;

  constructor(exporter: SpanExporter, name: string, timeoutMs: number, retry: boolean) {
    this.name = name;
    this.#exporter = exporter;
    this.#timeoutMs = timeoutMs;
    this.#retry = retry;
  }

  async export(batch: SpanBatch, options?: ExportOptions): Promise<void> {
    const signal = options?.signal;
    if (signal?.aborted) throw this.#gaveUp('the export was given up before it began');
    const spans = toReadableSpans(decodeTraces(batch.bytes));
    const { promise, resolve, reject } = Promise.withResolvers<ExportResult>();
    const timer = setTimeout(
      () => reject(this.#gaveUp(`the exporter did not call back within ${this.#timeoutMs} ms`)),
      this.#timeoutMs,
    );
    const abort = (): void =>
      reject(this.#gaveUp('the exporter did not call back before the export was given up'));
    signal?.addEventListener('abort', abort, { once: true });
    try {
      context.with(suppressTracing(context.active()), () => {
        // Whatever settles the promise first counts, so a second call changes nothing. Some exporters are
        // async functions against their interface; what those reject with is theirs to report.
        const returned: unknown = this.#exporter.export(spans, resolve);
        if (returned instanceof Promise) returned.catch(reject);
      });
      const result = await promise;
      if (result?.code !== SUCCESS) throw this.#failed(result?.error);
    } catch (error) {
      throw error instanceof ExportError ? error : this.#failed(error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  async flush(): Promise<void> {
    await this.#exporter.forceFlush?.();
  }

  shutdown(): Promise<void> {
    this.#shutdown ??= (async () => this.#exporter.shutdown())();
    return this.#shutdown;
  }

  #failed(cause: unknown): ExportError {
    return new ExportError(`${this.name}: the exporter failed: ${messageOf(cause)}`, {
      retryable: this.#retry,
      cause,
    });
  }

  /** Not to be retried, whatever the options say: the exporter may still be at it. */
  #gaveUp(why: string): ExportError {
    return new ExportError(`${this.name}: ${why}`, { retryable: false, code: 'TW_EXPORT_TIMEOUT' });
  }
}

function className(exporter: SpanExporter): string {
  const name = exporter.constructor?.name;
  return name === undefined || name === '' || name === 'Object' ? 'span-exporter' : name;
}

function messageOf(cause: unknown): string {
  if (cause === undefined) return 'it does not say why';
  try {
    return cause instanceof Error ? cause.message : String(cause);
  } catch {
    return 'with a value that cannot be shown';
  }
}
