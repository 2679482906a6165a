import { otlpExporter } from '@tracewell/opentelemetry';
import type { BatchExporter } from '@tracewell/plugin';
import type { StoreOptions, TraceStore } from '@tracewell/store';
import type { Environment, ExporterName } from './configuration.ts';
import { lateExporter } from './late-exporter.ts';

/** Where spans go, and the store if that is one of the places. */
export interface Destinations {
  readonly exporters: readonly BatchExporter[];
  /** Rejects if the store cannot be opened; absent if there is none. */
  readonly opening: Promise<TraceStore> | undefined;
}

/** Makes what spans go to. The store opens meanwhile: its exporter takes batches at once. */
export function createDestinations(
  names: readonly ExporterName[],
  store: { readonly directory: string; readonly options: StoreOptions },
  given: readonly BatchExporter[],
  env: Environment,
  onWarning: (message: string) => void,
): Destinations {
  const exporters = [...given];
  let opening: Promise<TraceStore> | undefined;
  if (names.includes('store')) {
    // Loaded only by those who want it: starting is waited for, every time.
    const loading = import('@tracewell/store');
    const opened = loading.then(({ openStore }) => openStore(store.directory, store.options));
    opening = opened;
    exporters.push(lateExporter('store', async () => (await loading).storeExporter(await opened)));
  }
  if (names.includes('otlp')) {
    exporters.push(otlpExporter({ env, onWarning }));
  }
  if (names.includes('console')) {
    exporters.push(lateExporter('console', async () => (await import('@tracewell/sdk')).consoleExporter()));
  }
  return { exporters: exporters.length > 0 ? exporters : [NOWHERE], opening };
}

/** Spans that nobody wants are still recorded: the services behind this one may keep theirs of the same trace. */
const NOWHERE: BatchExporter = {
  name: 'none',
  async export() {},
  exportSync() {},
};
