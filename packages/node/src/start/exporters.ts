import { otlpExporter } from '@tracewell/opentelemetry';
import type { BatchExporter } from '@tracewell/plugin';
import { consoleExporter } from '@tracewell/sdk';
import type { StoreOptions, TraceStore } from '@tracewell/store';
import type { ExporterName } from './configuration.ts';
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
  onWarning: (message: string) => void,
): Destinations {
  const exporters = [...given];
  let opening: Promise<TraceStore> | undefined;
  if (names.includes('store')) {
    // Loaded only by those who keep a store: it is a third of what starting takes.
    const loading = import('@tracewell/store');
    opening = loading.then(({ openStore }) => openStore(store.directory, store.options));
    const exporter = Promise.all([loading, opening]).then(([{ storeExporter }, opened]) =>
      storeExporter(opened),
    );
    exporters.push(lateExporter('store', exporter));
  }
  if (names.includes('otlp')) exporters.push(otlpExporter({ onWarning }));
  if (names.includes('console')) exporters.push(consoleExporter());
  return { exporters: exporters.length > 0 ? exporters : [NOWHERE], opening };
}

/** Spans that nobody wants are still recorded: the services behind this one may keep theirs of the same trace. */
const NOWHERE: BatchExporter = {
  name: 'none',
  async export() {},
  exportSync() {},
};
