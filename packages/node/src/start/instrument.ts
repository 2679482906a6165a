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
  /** The short names of those that were asked for one by one, which should be there. */
  readonly named: readonly string[];
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

/**
 * Instruments this process. What is installed and fails is told, and the rest goes on without it.
 *
 * @throws whatever enabling an instrumentation that is given throws; nothing is instrumented then
 */
export function instrument(plugin: TracerPlugin, plan: InstrumentPlan): Instrumented {
  const instrumented: string[] = [];
  const undo: Undo[] = [];
  const disable = (): void => {
    for (const one of undo.splice(0).reverse()) {
      try {
        one.disable();
      } catch (error) {
        plan.onWarning(`${one.name} could not be disabled: ${firstLine(error)}`);
      }
    }
  };
  try {
    instrumentAll(plugin, plan, instrumented, undo);
  } catch (error) {
    disable();
    throw error;
  }
  return { instrumented, disable };
}

/** What takes an instrumentation back, and whose name that is told by if it fails. */
interface Undo {
  readonly name: string;
  disable(): void;
}

/** Says in `instrumented` and in `undo` how far it came. */
function instrumentAll(
  plugin: TracerPlugin,
  plan: InstrumentPlan,
  instrumented: string[],
  undo: Undo[],
): void {
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
    undo.push(
      name === 'http' ? instrumentHttp(plugin, plan.http || {}) : instrumentFetch(plugin, plan.fetch || {}),
    );
    instrumented.push(name);
  }

  if (plan.published === 'installed') tellOfMissing(plan, found);
  const wanted = found.filter(({ shortName }) => !replaced.has(shortName) && plan.wants(shortName));
  for (const { shortName, loaded } of loadAll(wanted, plan.onWarning)) {
    undo.push(...loaded.map(undoOf));
    instrumented.push(shortName);
  }
  for (const instrumentation of typeof plan.published === 'object' ? plan.published : []) {
    // Before: one that fails may have come half way.
    undo.push(undoOf(instrumentation));
    instrumentation.enable();
    instrumented.push(instrumentation.instrumentationName.replace('@opentelemetry/instrumentation-', ''));
  }
}

function tellOfMissing(plan: InstrumentPlan, found: readonly InstalledInstrumentation[]): void {
  const known: ReadonlySet<string> = new Set([
    ...OURS.map(({ published }) => published),
    ...found.map(({ shortName }) => shortName),
  ]);
  for (const name of plan.named.filter((one) => !known.has(one))) {
    plan.onWarning(
      `OTEL_NODE_ENABLED_INSTRUMENTATIONS: "${name}" was left out; install @opentelemetry/instrumentation-${name}, or name another.`,
    );
  }
}

function undoOf(instrumentation: PublishedInstrumentation): Undo {
  return { name: instrumentation.instrumentationName, disable: () => instrumentation.disable() };
}

function discoverAll(folders: readonly string[]): InstalledInstrumentation[] {
  const byName = new Map<string, InstalledInstrumentation>();
  for (const one of folders.flatMap(discoverInstrumentations)) {
    if (!byName.has(one.packageName)) byName.set(one.packageName, one);
  }
  return [...byName.values()];
}

/** Loads what can be loaded, and tells of the rest. */
function* loadAll(
  wanted: readonly InstalledInstrumentation[],
  onWarning: (message: string) => void,
): Generator<{ shortName: string; loaded: PublishedInstrumentation[] }> {
  for (const installed of wanted) {
    let loaded: PublishedInstrumentation[];
    try {
      // First: what is loaded is enabled, and one that is left out must not be.
      registerImportHooks(installed);
      loaded = loadInstrumentation(installed);
    } catch (error) {
      onWarning(`${installed.packageName} could not be loaded and was left out: ${firstLine(error)}`);
      continue;
    }
    yield { shortName: installed.shortName, loaded };
  }
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]!;
}
