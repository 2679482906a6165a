import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, parse, resolve } from 'node:path';

/** A published OpenTelemetry instrumentation that is installed where the application finds it. */
export interface InstalledInstrumentation {
  /** The name of its package. */
  readonly packageName: string;
  /** What OpenTelemetry's variables call it: `pg` for `@opentelemetry/instrumentation-pg`. */
  readonly shortName: string;
  /** Its folder. */
  readonly folder: string;
}

const SCOPE = '@opentelemetry';
const PREFIX = 'instrumentation-';
const COLLECTION = 'auto-instrumentations-node';

/**
 * Finds the published instrumentations (`@opentelemetry/instrumentation-*`) that an application can load: those
 * in the `node_modules` of its folder and of every folder above, nearest first, and those that
 * `@opentelemetry/auto-instrumentations-node` brings along.
 *
 * @param folder - where the application's main file lies
 */
export function discoverInstrumentations(folder: string): InstalledInstrumentation[] {
  const found = new Map<string, InstalledInstrumentation>();
  const add = (packageName: string, at: string): void => {
    const shortName = packageName.slice(SCOPE.length + 1 + PREFIX.length);
    if (!found.has(packageName)) found.set(packageName, { packageName, shortName, folder: at });
  };

  for (const scope of scopeFolders(folder)) {
    for (const name of entries(scope)) {
      if (name.startsWith(PREFIX)) add(`${SCOPE}/${name}`, join(scope, name));
      if (name === COLLECTION) addDependencies(join(scope, name), add);
    }
  }
  return [...found.values()].sort((a, b) => (a.packageName < b.packageName ? -1 : 1));
}

/** `node_modules/@opentelemetry` here and above. */
function* scopeFolders(folder: string): Generator<string> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    yield join(at, 'node_modules', SCOPE);
    if (at === parse(at).root) return;
  }
}

/** Strict package managers put what a package depends on where only that package finds it. */
function addDependencies(folder: string, add: (packageName: string, folder: string) => void): void {
  const manifest = join(folder, 'package.json');
  const require = createRequire(manifest);
  try {
    const { dependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8'));
    for (const name of Object.keys(dependencies)) {
      if (name.startsWith(`${SCOPE}/${PREFIX}`)) add(name, dirname(require.resolve(`${name}/package.json`)));
    }
  } catch {
    // A broken installation has nothing to offer.
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
