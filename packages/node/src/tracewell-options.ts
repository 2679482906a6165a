import type { BatchExporter, TracerPlugin } from '@tracewell/plugin';
import type { ErrorCallback, ExporterTracingOptions } from '@tracewell/sdk';
import type { StoreOptions } from '@tracewell/store';
import type { FetchOptions } from './fetch/options.ts';
import type { HttpOptions } from './http/options.ts';
import type { PublishedInstrumentation } from './instrumentations/load.ts';

/** Options of `tracewell()`. What is not given is read from the environment. */
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
  /** Is told what could not be set up, in a sentence each. Default: nobody; see `TracewellNode.warnings`. */
  readonly onWarning?: (message: string) => void;
  /** Where variables are read. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}
