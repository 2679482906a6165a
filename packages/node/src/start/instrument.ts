import type { TracerPlugin } from '@tracewell/plugin';
import { instrumentFetch } from '../fetch/instrument.ts';
import type { FetchOptions } from '../fetch/options.ts';
import { instrumentHttp } from '../http/instrument.ts';
import type { HttpOptions } from '../http/options.ts';
import { discoverInstrumentations, type InstalledInstrumentation } from '../instrumentations/discover.ts';
import { registerImportHooks } from '../instrumentations/import-hooks.ts';
import { loadInstrumentation, type PublishedInstrumentation } from '../instrumentations/load.ts';
import type { HttpChoice } from './configuration.ts';

/** What is to be instrumented, and by whom. */
export interface InstrumentPlan {
  readonly http: HttpOptions | false | undefined;
  readonly fetch: FetchOptions | false | undefined;
  readonly published: 'installed' | readonly PublishedInstrumentation[] | false;
  /** Whose spans HTTP and fetch get. */
  readonly choice: HttpChoice;
  /** Whether an instrumentation is wanted, by its short name. */
  readonly wants: (name: string) => boolean;
  /** Where installed instrumentations are looked for. */
  readonly folders: readonly string[];
  readonly onWarning: (message: string) => void;
}

/** What became of an {@link InstrumentPlan}. */
export interface Instrumented {
  readonly instrumented: readonly string[];
  disable(): void;
}

/** Ours, and the published ones that take their place: OpenTelemetry's name for fetch is that of its library. */
const OURS = [
  { name: 'http', published: 'http' },
  { name: 'fetch', published: 'undici' },
] as const;

/** Instruments this process. What fails is told, and the rest goes on without it. */
export function instrument(plugin: TracerPlugin, plan: InstrumentPlan): Instrumented {
  const instrumented: string[] = [];
  const undo: (() => void)[] = [];
  const found = plan.published === 'installed' ? discoverAll(plan.folders) : [];
  const replaced = new Set<string>();

  for (const { name, published } of OURS) {
    const options = plan[name];
    const wanted = plan.wants(published) && options !== false;
    if (wanted && plan.choice === 'opentelemetry') {
      if (found.some(({ shortName }) => shortName === published)) continue;
      plan.onWarning(
        `TRACEWELL_HTTP: @opentelemetry/instrumentation-${published} is not installed; using Tracewell's own.`,
      );
    }
    replaced.add(published);
    if (!wanted) continue;
    const own =
      name === 'http' ? instrumentHttp(plugin, plan.http || {}) : instrumentFetch(plugin, plan.fetch || {});
    instrumented.push(name);
    undo.push(() => own.disable());
  }

  const wanted = found.filter(({ shortName }) => !replaced.has(shortName) && plan.wants(shortName));
  const { loaded, ready } = loadAll(wanted, plan.onWarning);
  instrumented.push(...loaded);
  const given = typeof plan.published === 'object' ? plan.published : [];
  for (const instrumentation of given) {
    instrumentation.enable();
    instrumented.push(instrumentation.instrumentationName.replace('@opentelemetry/instrumentation-', ''));
  }
  undo.push(...[...ready, ...given].map((instrumentation) => () => instrumentation.disable()));
  return {
    instrumented,
    disable() {
      for (const one of undo.splice(0)) one();
    },
  };
}

function discoverAll(folders: readonly string[]): InstalledInstrumentation[] {
  const byName = new Map<string, InstalledInstrumentation>();
  for (const one of folders.flatMap(discoverInstrumentations)) {
    if (!byName.has(one.packageName)) byName.set(one.packageName, one);
  }
  return [...byName.values()];
}

function loadAll(
  wanted: readonly InstalledInstrumentation[],
  onWarning: (message: string) => void,
): { loaded: string[]; ready: PublishedInstrumentation[] } {
  const loaded: string[] = [];
  const ready: PublishedInstrumentation[] = [];
  for (const installed of wanted) {
    try {
      ready.push(...loadInstrumentation(installed));
      registerImportHooks(installed);
      loaded.push(installed.shortName);
    } catch (error) {
      onWarning(`${installed.packageName} could not be loaded and was left out: ${firstLine(error)}`);
    }
  }
  return { loaded, ready };
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]!;
}
