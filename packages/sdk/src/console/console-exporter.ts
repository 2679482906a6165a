import { decodeTraces } from '@tracewell/otlp';
import { type BatchExporter, ExportError, type SpanBatch, type SpanData } from '@tracewell/plugin';
import { checkMethods, checkObject, milliseconds } from '../options.ts';
import { checkFormat, type FormatTraceOptions, formatOneTrace, traceStyle } from './format-trace.ts';
import { ansiPalette, type Palette, plainPalette } from './palette.ts';
import { columnsOf, type TextStream, wantsColors } from './terminal.ts';

/** What {@link consoleExporter} writes to: a `Writable`, such as `process.stderr`. */
export interface ConsoleStream extends TextStream {
  /** The error that has put an end to the stream. */
  readonly errored?: Error | null;
  readonly destroyed?: boolean;
  /** Writes a text and calls back when it is out, with an error if it could not be written. */
  write(text: string, callback: (error?: Error | null) => void): unknown;
  /** Adds a listener for errors. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** Removes such a listener. */
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

/** Settings of {@link consoleExporter}. Everything has a default. */
export interface ConsoleExporterOptions extends FormatTraceOptions {
  /** Where to write. Default `process.stderr`, so that what the program itself prints stays as it is. */
  readonly stream?: ConsoleStream;
  /**
   * How long spans wait for others of their trace when the span that began it here has not ended, in
   * milliseconds since the last one came. Default 5,000. A trace whose beginning has ended is printed at once.
   */
  readonly waitMs?: number;
}

/** Spans that wait for their traces; beyond it the trace that began to wait first is printed as it is. */
const MAX_WAITING = 10_000;

/**
 * Prints traces as trees, as `formatTrace` draws them: for development, and to look at a program once.
 *
 * A trace is printed when the span that began it in this process has ended. Spans that come later make a tree
 * of their own.
 *
 * @param options - see {@link ConsoleExporterOptions}
 * @throws TypeError or RangeError if an option is invalid
 *
 * @example
 * ```ts
 * import { consoleExporter, startTracing } from '@tracewell/sdk';
 *
 * const tracing = startTracing({ exporters: consoleExporter({ width: 80 }) });
 * const checkout = tracing.plugin.startSpan({ name: 'checkout' });
 * tracing.plugin.endSpan(tracing.plugin.startSpan({ name: 'charge card', parent: checkout }));
 * tracing.plugin.endSpan(checkout);
 * await tracing.shutdown();
 * ```
 */
export function consoleExporter(options: ConsoleExporterOptions = {}): BatchExporter {
  return new ConsoleExporter(options);
}

const WHERE = 'consoleExporter';

/** A trace whose beginning has not ended yet. */
interface Waiting {
  readonly spans: SpanData[];
  timer: NodeJS.Timeout;
}

class ConsoleExporter implements BatchExporter {
  readonly name = 'console';
  readonly #options: FormatTraceOptions;
  readonly #stream: ConsoleStream;
  readonly #palette: Palette;
  readonly #waitMs: number;
  readonly #waiting = new Map<string, Waiting>();
  #waitingSpans = 0;
  /** Writes under way, during which errors of the stream are ours. */
  #writing = 0;

  constructor(options: ConsoleExporterOptions) {
    checkObject(WHERE, 'options', options);
    checkFormat(WHERE, options);
    checkMethods(WHERE, 'stream', options.stream, ['write', 'on', 'removeListener']);
    this.#options = options;
    this.#stream = options.stream ?? process.stderr;
    this.#palette = (options.colors ?? wantsColors(this.#stream)) ? ansiPalette() : plainPalette;
    this.#waitMs = milliseconds(WHERE, 'waitMs', options.waitMs, 5000);
  }

  async export(batch: SpanBatch): Promise<void> {
    await this.#write(this.#take(batch));
  }

  exportSync(batch: SpanBatch): void {
    // Terminals and files, and pipes but on Windows, have written when `write` returns.
    let failure: unknown;
    this.#print([...this.#take(batch), ...this.#takeAll()], (error) => {
      failure = error;
    });
    failure ??= this.#stream.errored;
    if (failure instanceof Error) throw exportError(failure);
  }

  async shutdown(): Promise<void> {
    await this.#write(this.#takeAll());
  }

  /** Adds the spans of a batch to their traces, and takes out the traces that are complete. */
  #take(batch: SpanBatch): SpanData[][] {
    const complete: SpanData[][] = [];
    const arrived = Map.groupBy(decoded(batch), (span) => span.traceId);
    for (const [traceId, spans] of arrived) {
      const waiting = this.#remove(traceId);
      const all = waiting === undefined ? spans : waiting.concat(spans);
      if (all.some(beginsHere)) complete.push(all);
      else this.#wait(traceId, all);
    }
    while (this.#waitingSpans > MAX_WAITING) {
      complete.push(this.#remove(this.#waiting.keys().next().value!)!);
    }
    return complete;
  }

  #takeAll(): SpanData[][] {
    return Array.from(this.#waiting.keys(), (traceId) => this.#remove(traceId)!);
  }

  #wait(traceId: string, spans: SpanData[]): void {
    const timer = setTimeout(() => {
      const late = this.#remove(traceId);
      if (late !== undefined) this.#write([late]).catch(() => {});
    }, this.#waitMs).unref();
    this.#waiting.set(traceId, { spans, timer });
    this.#waitingSpans += spans.length;
  }

  #remove(traceId: string): SpanData[] | undefined {
    const waiting = this.#waiting.get(traceId);
    if (waiting === undefined) return undefined;
    clearTimeout(waiting.timer);
    this.#waiting.delete(traceId);
    this.#waitingSpans -= waiting.spans.length;
    return waiting.spans;
  }

  #write(traces: readonly SpanData[][]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#print(traces, (error) => (error ? reject(exportError(error)) : resolve()));
    return promise;
  }

  #print(traces: readonly SpanData[][], done: (error?: Error | null) => void): void {
    if (traces.length === 0) {
      done();
      return;
    }
    const { errored, destroyed } = this.#stream;
    // Such a stream may never call back.
    if (errored || destroyed) {
      done(errored ?? new Error('the stream is closed'));
      return;
    }
    // The width is read each time: people resize their windows.
    const style = traceStyle(this.#options, this.#palette, this.#options.width ?? columnsOf(this.#stream));
    const text = traces.map((spans) => `${formatOneTrace(spans, style)}\n\n`).join('');
    // Whoever reads may be gone; without a listener that would end the application.
    if (this.#writing === 0) this.#stream.on('error', ignore);
    this.#writing += 1;
    this.#stream.write(text, (error) => {
      // The stream tells its listeners after its callback.
      setImmediate(() => {
        this.#writing -= 1;
        if (this.#writing === 0) this.#stream.removeListener('error', ignore);
      });
      done(error);
    });
  }
}

function decoded(batch: SpanBatch): SpanData[] {
  try {
    return decodeTraces(batch.bytes);
  } catch (error) {
    throw exportError(error as Error);
  }
}

function ignore(): void {}

function exportError(cause: Error): ExportError {
  return new ExportError(`console: ${cause.message}`, { retryable: false, cause });
}

// OTLP's flags: bit 8 says that bit 9 is known, and bit 9 that the parent is in another process.
const REMOTE_PARENT = 0x300;

/** Whether a span began its trace in this process. */
function beginsHere(span: SpanData): boolean {
  return span.parentSpanId === '' || (span.flags & REMOTE_PARENT) === REMOTE_PARENT;
}
