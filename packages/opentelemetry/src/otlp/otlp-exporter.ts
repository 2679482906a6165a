import { splitTraces } from '@tracewell/otlp';
import { type BatchExporter, ExportError, type ExportOptions, type SpanBatch } from '@tracewell/plugin';
import { errorMessage, partialSuccess, withoutSecrets } from './answer.ts';
import { type OtlpConfiguration, type OtlpExporterOptions, readConfiguration } from './configuration.ts';
import { type OtlpAnswer, OtlpTransport } from './transport.ts';

/** The statuses after which OTLP allows the same request again. */
const RETRYABLE = new Set([429, 502, 503, 504]);
const TOO_LARGE = 413;

/**
 * Sends batches to an OTLP receiver over HTTP: an OpenTelemetry Collector, Jaeger, Tempo, any vendor. The
 * bytes that the recorder made are the body of the request; nothing is decoded or encoded again.
 *
 * All options and variables of OpenTelemetry's exporter work (see {@link OtlpExporterOptions}). Retrying is
 * left to `bufferedPlugin`: one export is one attempt, and a failure says whether another makes sense and,
 * with `Retry-After`, when. A batch that the receiver finds too large (413) is cut in halves, down to single
 * spans; what it took stays taken when a later part fails and the batch is exported again.
 *
 * When the process ends with spans that no request has delivered yet, by `process.exit()`, an uncaught exception
 * or a signal, a child process posts them while this one waits: some 50 ms, if spans are waiting, and at most
 * `exitTimeoutMillis`, whatever the receiver does. Where the program has time, the host flushes instead.
 * A process that may not start another, as under `--permission` without `--allow-child-process`, or cannot, as a
 * single executable application, delivers nothing then, and the error says so.
 *
 * @throws RangeError if an option is invalid
 *
 * @example
 * ```ts
 * import { otlpExporter } from '@tracewell/opentelemetry';
 * import { bufferedPlugin } from '@tracewell/sdk';
 *
 * const plugin = bufferedPlugin(
 *   otlpExporter({ url: 'http://localhost:4318/v1/traces', compression: 'gzip' }),
 * );
 * await plugin.shutdown?.();
 * ```
 */
export function otlpExporter(options: OtlpExporterOptions = {}): BatchExporter {
  return new OtlpExporter(options.name ?? 'otlp', readConfiguration(options), options.onWarning);
}

/** What is left to send of a batch: all of it, or parts, once the receiver has found it too large. */
interface Split {
  left: readonly SpanBatch[];
  rejectedSpans: number;
  /** Why the first of the rejected spans was rejected. */
  why: string | undefined;
}

/**
 * What calls of `exportSync` have in common between which the event loop did not turn, which are all of them
 * while a process exits: they share one deadline, and after a failure that does not pass at once the others
 * need not wait for the same.
 */
interface SyncTurn {
  readonly deadline: number;
  failure: ExportError | undefined;
}

class OtlpExporter implements BatchExporter {
  readonly name: string;
  /** It takes a process. */
  readonly exportSyncIsSlow = true;
  readonly #url: string;
  readonly #limit: number;
  readonly #exitTimeoutMs: number;
  readonly #transport: OtlpTransport;
  readonly #onWarning: ((message: string) => void) | undefined;
  readonly #inFlight = new Set<Promise<void>>();
  /** By the batch's bytes, so that a retry goes on where the last attempt ended. */
  readonly #splits = new WeakMap<Uint8Array, Split>();
  #syncTurn: SyncTurn | undefined;
  #isShutDown = false;

  constructor(
    name: string,
    configuration: OtlpConfiguration,
    onWarning: ((message: string) => void) | undefined,
  ) {
    this.name = name;
    this.#url = `${configuration.url.origin}${configuration.url.pathname}`;
    this.#limit = configuration.concurrencyLimit;
    this.#exitTimeoutMs = configuration.exitTimeoutMs;
    this.#transport = new OtlpTransport(name, configuration);
    this.#onWarning = onWarning;
  }

  async export(batch: SpanBatch, options?: ExportOptions): Promise<void> {
    this.#checkOpen();
    if (this.#inFlight.size >= this.#limit) {
      throw new ExportError(`${this.name}: ${this.#limit} requests are in flight`, { retryable: true });
    }
    const delivery = this.#deliver(batch, options?.signal);
    this.#inFlight.add(delivery);
    try {
      await delivery;
    } finally {
      this.#inFlight.delete(delivery);
    }
  }

  exportSync(batch: SpanBatch): void {
    this.#checkOpen();
    if (this.#exitTimeoutMs === 0) {
      throw new ExportError(`${this.name}: nothing is sent while the process exits: exitTimeoutMillis is 0`, {
        retryable: true,
      });
    }
    const turn = this.#syncTurn ?? this.#beginSyncTurn();
    if (turn.failure !== undefined) throw turn.failure;
    const steps = this.#steps(batch);
    try {
      for (let step = steps.next(); !step.done; ) {
        step = steps.next(this.#transport.postSync(step.value, turn.deadline - performance.now()));
      }
    } catch (error) {
      if (error instanceof ExportError && error.retryable) turn.failure = error;
      throw error;
    }
  }

  async flush(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
  }

  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    await this.flush();
    await this.#transport.close();
  }

  #checkOpen(): void {
    if (!this.#isShutDown) return;
    throw new ExportError(`${this.name}: the exporter is shut down; make a new exporter`, {
      retryable: false,
    });
  }

  #beginSyncTurn(): SyncTurn {
    const turn = { deadline: performance.now() + this.#exitTimeoutMs, failure: undefined };
    this.#syncTurn = turn;
    setImmediate(() => {
      this.#syncTurn = undefined;
    }).unref();
    return turn;
  }

  async #deliver(batch: SpanBatch, signal: AbortSignal | undefined): Promise<void> {
    const steps = this.#steps(batch);
    for (let step = steps.next(); !step.done; ) {
      step = steps.next(await this.#transport.post(step.value, signal));
    }
  }

  /**
   * Yields what is to be posted next and is given the answer, which is all that waiting for it or not waiting
   * changes. A failure that may pass leaves what is left of the batch for the next attempt, or for one that
   * goes on beside this.
   *
   * @throws ExportError unless the receiver took everything
   */
  *#steps(batch: SpanBatch): Generator<Uint8Array, void, OtlpAnswer> {
    const split = this.#splits.get(batch.bytes) ?? { left: [batch], rejectedSpans: 0, why: undefined };
    this.#splits.set(batch.bytes, split);
    for (let part = split.left[0]; part !== undefined; part = split.left[0]) {
      const answer = yield part.bytes;
      try {
        if (answer.status !== TOO_LARGE) this.#judge(answer);
      } catch (error) {
        // The batch as a whole: then that is all there is to say.
        if (part.bytes === batch.bytes) throw error;
        if (!(error instanceof ExportError) || error.retryable) throw error;
        split.rejectedSpans += error.rejectedSpans ?? part.spanCount;
        split.why ??= error.message.slice(`${this.name}: `.length);
      }
      // Not the first any more if two attempts go on beside each other.
      split.left = split.left.filter((other) => other !== part);
      if (answer.status === TOO_LARGE) this.#divide(part, split, answer);
    }
    this.#splits.delete(batch.bytes);
    if (split.rejectedSpans > 0) {
      throw new ExportError(
        `${this.name}: ${this.#url} refused ${split.rejectedSpans} of ${batch.spanCount} spans: ${split.why}`,
        { retryable: false, rejectedSpans: split.rejectedSpans },
      );
    }
  }

  #divide(batch: SpanBatch, split: Split, answer: OtlpAnswer): void {
    if (batch.spanCount > 1) {
      const halves = splitTraces(batch.bytes, Math.ceil(batch.spanCount / 2));
      split.left = [...halves, ...split.left];
      return;
    }
    split.rejectedSpans += batch.spanCount;
    split.why ??= this.#describe(
      answer,
      `a span of ${batch.bytes.length} bytes is too large for the receiver`,
    );
  }

  /** @throws ExportError unless the receiver took everything */
  #judge(answer: OtlpAnswer): void {
    const { status } = answer;
    if (status >= 200 && status <= 299) {
      const partial = partialSuccess(answer);
      if (partial === undefined) return;
      const message = withoutSecrets(partial.message, answer.sentHeaders);
      if (partial.rejectedSpans === 0) {
        this.#onWarning?.(`${this.name}: ${this.#url} warns: ${message}`);
        return;
      }
      throw new ExportError(
        `${this.name}: ${this.#url} refused ${partial.rejectedSpans} spans: ${message || 'it does not say why'}`,
        { retryable: false, rejectedSpans: partial.rejectedSpans },
      );
    }
    const retryable = RETRYABLE.has(status);
    const retryAfterMs = retryable ? parseRetryAfter(answer.retryAfter, Date.now()) : undefined;
    throw new ExportError(`${this.name}: ${this.#describe(answer, adviceFor(status))}`, {
      retryable,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }

  #describe(answer: OtlpAnswer, advice: string): string {
    const said = errorMessage(answer);
    return `${this.#url} answered ${answer.status}${said && ` (${said})`}: ${advice}`;
  }
}

function adviceFor(status: number): string {
  if (RETRYABLE.has(status)) return 'it is busy or down, try again later';
  if (status === 401 || status === 403) return 'check the credentials in the headers';
  if (status === 404) return 'check the URL; OTLP is usually served at /v1/traces';
  if (status === 415) return 'it does not take OTLP as protobuf';
  if (status >= 300 && status <= 399) return 'it redirects, give the final URL';
  return 'it refuses the request';
}

/**
 * The milliseconds that a `Retry-After` header asks to wait: given in seconds, or as a date.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  // A date begins with its weekday; Date.parse takes much else for one.
  const date = /^\s*[A-Z]/i.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
