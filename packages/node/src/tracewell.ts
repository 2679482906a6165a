import type { BatchExporter, TracerPlugin } from '@tracewell/plugin';
import { TracewellError } from '@tracewell/plugin';
import type { ErrorCallback, ExporterTracingOptions, Tracing } from '@tracewell/sdk';
import type { StoreOptions, TraceStore } from '@tracewell/store';
import type { FetchOptions } from './fetch/options.ts';
import type { HttpOptions } from './http/options.ts';
import type { PublishedInstrumentation } from './instrumentations/load.ts';
import { checkTracewellOptions } from './start/check-options.ts';
import { launch } from './start/launch.ts';

/** Options of {@link tracewell}. What is not given is read from the environment. */
export interface TracewellOptions {
  /**
   * The directory of the store. Given, spans are kept there beside whatever else is configured. Default:
   * `TRACEWELL_DIRECTORY`; without that, `.tracewell` in the working directory if nothing else is configured.
   */
  readonly directory?: string;
  /** Options of the store. */
  readonly store?: StoreOptions;
  /**
   * Where spans go, in place of what `OTEL_TRACES_EXPORTER` and `OTEL_EXPORTER_OTLP_ENDPOINT` say. With
   * `directory` the store comes beside them.
   */
  readonly exporters?: readonly BatchExporter[];
  /**
   * What records the spans, in place of a plugin around the exporters: tail sampling or a fan-out, say. It decides
   * where spans go, so `directory`, `store` and `exporters` are not taken beside it.
   */
  readonly plugin?: TracerPlugin;
  /** Sampler, limits, resource, queue and intervals of the host and its plugin. */
  readonly tracing?: Omit<ExporterTracingOptions, 'exporters' | 'plugin' | 'env' | 'onError'>;
  /** Options of the HTTP spans, or `false` for none. */
  readonly http?: HttpOptions | false;
  /** Options of the fetch spans, or `false` for none. */
  readonly fetch?: FetchOptions | false;
  /**
   * Published OpenTelemetry instrumentations: `'installed'` for all that the application has installed, or
   * instances of your own, or `false` for none. Default `'installed'`.
   */
  readonly instrumentations?: 'installed' | readonly PublishedInstrumentation[] | false;
  /** Where installed instrumentations are looked for, upwards. Default: the folder of the main file, and the working directory. */
  readonly applicationFolder?: string;
  /** Takes the errors of exporters, each cause at most once a second. Default: nobody. */
  readonly onError?: ErrorCallback;
  /** Is told what could not be set up, in a sentence each. Default: nobody; see {@link TracewellNode.warnings}. */
  readonly onWarning?: (message: string) => void;
  /** Where variables are read. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A process that is being traced. */
export interface TracewellNode extends AsyncDisposable {
  /** The host: flush, statistics, and the plugin to record spans of your own on. */
  readonly tracing: Tracing;
  /** The store, if spans are kept in one and it is open. */
  readonly store: TraceStore | undefined;
  /** What is instrumented: `http`, `fetch`, and the short names of published instrumentations (`pg`). */
  readonly instrumented: readonly string[];
  /** What could not be set up, in a sentence each. */
  readonly warnings: readonly string[];
  /**
   * Stops instrumenting, delivers what is recorded, and closes the store. Idempotent.
   *
   * @throws `FlushError` (`TW_FLUSH_FAILED`) or `TracewellError` (`TW_SHUTDOWN_TIMEOUT`), as a
   * rejection, if not everything could be delivered; the store is closed all the same
   */
  shutdown(): Promise<void>;
  /** {@link TracewellNode.shutdown}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Instruments this process, as `node --import @tracewell/node/register` does: HTTP and fetch, whatever published
 * OpenTelemetry instrumentations are installed, exporters chosen by configuration.
 *
 * Modules that were loaded before are out of reach of the published instrumentations, so call it first, or use
 * the register hook; HTTP and fetch are instrumented at any time. A process is instrumented once: without
 * options, a second call returns what the first, or the register hook, set up.
 *
 * @throws `TracewellError`, as a rejection: `TW_ALREADY_STARTED` if options are given and the process is being
 * traced; those of `openStore` if the store cannot be opened
 * @throws TypeError, RangeError, as a rejection, naming an option that is none
 *
 * @example
 * ```ts
 * import { trace } from '@opentelemetry/api';
 * import { tracewell } from '@tracewell/node';
 *
 * await using tracing = await tracewell({ directory: '.tracewell' });
 * trace.getTracer('example').startActiveSpan('work', (span) => span.end());
 * await tracing.tracing.flush();
 * const { spans } = (await tracing.store?.queryTraces({ limit: 1 })) ?? { spans: [] };
 * console.log(spans[0]?.name); // work
 * ```
 */
export async function tracewell(options?: TracewellOptions): Promise<TracewellNode> {
  const { [RUNNING]: running } = globalThis as Registry;
  if (running !== undefined) {
    if (options === undefined) return running;
    throw new TracewellError(
      'TW_ALREADY_STARTED',
      'tracewell: this process is being traced, by an earlier call or the register hook; call tracewell() without options, or shut down first',
    );
  }
  const { node, opened } = startOnce(options);
  try {
    await opened;
  } catch (error) {
    await node.shutdown().catch(() => {});
    throw error;
  }
  return node;
}

/** What traces this process, whichever copy of this package started it. */
const RUNNING = Symbol.for('tracewell.node');

interface Registry {
  [RUNNING]?: TracewellNode | undefined;
}

/** A process that is being traced, and when its store is open. */
export interface Started {
  readonly node: TracewellNode;
  /** Rejects if the store cannot be opened; spans then go to the other exporters only. */
  readonly opened: Promise<void>;
}

/** Starts without waiting for the store; spans recorded meanwhile are kept for it. */
export function startOnce(options: TracewellOptions = {}): Started {
  checkTracewellOptions(options);
  const registry = globalThis as Registry;
  const started = launch(options, () => {
    registry[RUNNING] = undefined;
  });
  registry[RUNNING] = started.node;
  return started;
}
