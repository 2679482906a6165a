import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { type Registration, registerOpenTelemetry } from '@tracewell/opentelemetry';
import { startTracing, type Tracing } from '@tracewell/sdk';
import type { TraceStore } from '@tracewell/store';
import { guarded } from '../guard.ts';
import type { Started, TracewellNode } from '../tracewell-node.ts';
import type { TracewellOptions } from '../tracewell-options.ts';
import { readConfiguration } from './configuration.ts';
import { createDestinations } from './exporters.ts';
import { instrument } from './instrument.ts';
import { OFF } from './off.ts';

/**
 * Builds everything that `tracewell()` returns, in the order in which the parts need each other: exporters, the
 * host around them, the OpenTelemetry API on the host, instrumentations on the API.
 *
 * @param onStopped - called once, when it is shut down
 */
export function launch(options: TracewellOptions, onStopped: () => void): Started {
  const env = options.env ?? process.env;
  const configuration = readConfiguration(env);
  const warnings: string[] = [];
  const warn = (message: string): void => {
    warnings.push(message);
    guarded(
      () => {},
      () => options.onWarning?.(message),
    );
  };
  for (const message of configuration.warnings) warn(message);

  if (configuration.isDisabled) {
    const tracing = startTracing({ plugin: OFF, saveAtProcessEnd: false, env });
    return started(tracing, undefined, [], warnings, () => {}, onStopped);
  }

  const names = new Set(
    options.exporters === undefined && options.plugin === undefined ? configuration.exporters : [],
  );
  if (options.directory !== undefined) names.add('store');
  const directory = options.directory ?? configuration.directory;
  const { exporters, opening } = createDestinations(
    [...names],
    { directory, options: options.store ?? {} },
    options.exporters ?? [],
    env,
    warn,
  );
  const host = { ...options.tracing, env, ...(options.onError && { onError: options.onError }) };
  let tracing: Tracing | undefined;
  let registration: Registration | undefined;
  try {
    tracing = startTracing(
      options.plugin === undefined ? { ...host, exporters } : { ...host, plugin: options.plugin },
    );
    registration = registerOpenTelemetry({ plugin: tracing.plugin, env, onWarning: warn });
    const { instrumented, disable } = instrument(tracing.plugin, {
      http: options.http,
      fetch: options.fetch,
      published: options.instrumentations ?? 'installed',
      choice: configuration.http,
      wants: configuration.wants,
      named: configuration.named,
      folders: options.applicationFolder === undefined ? applicationFolders() : [options.applicationFolder],
      onWarning: warn,
    });
    const stop = (): void => {
      disable();
      registration?.unregister();
    };
    return started(tracing, opening, instrumented, warnings, stop, onStopped);
  } catch (error) {
    // Nobody else could.
    registration?.unregister();
    void close(tracing, opening).catch(() => {}); // the error is told
    throw error;
  }
}

/** Delivers what is recorded, and closes the store, whether or not everything could be delivered. */
async function close(tracing: Tracing | undefined, opening: Promise<TraceStore> | undefined): Promise<void> {
  try {
    await tracing?.shutdown();
  } finally {
    const store = await opening?.catch(() => undefined);
    await store?.close();
  }
}

function started(
  tracing: Tracing,
  opening: Promise<TraceStore> | undefined,
  instrumented: readonly string[],
  warnings: readonly string[],
  stop: () => void,
  onStopped: () => void,
): Started {
  let store: TraceStore | undefined;
  let stopping: Promise<void> | undefined;
  const opened = (async () => {
    store = await opening;
  })();
  opened.catch(() => {}); // who cares waits for it

  const shutdown = async (): Promise<void> => {
    stop();
    try {
      await close(tracing, opening);
    } finally {
      onStopped();
    }
  };
  const node: TracewellNode = {
    tracing,
    get store() {
      return store;
    },
    instrumented,
    warnings,
    shutdown() {
      stopping ??= shutdown();
      return stopping;
    },
    [Symbol.asyncDispose]: () => node.shutdown(),
  };
  return { node, opened };
}

/** Where the application may have installed instrumentations. */
function applicationFolders(): string[] {
  const [, main] = process.argv;
  const folders = [process.cwd()];
  if (main !== undefined) folders.unshift(dirname(mainFile(main)));
  return folders;
}

/** The file that Node runs: it may have been given a link to it, or the folder of its package, or no extension. */
function mainFile(main: string): string {
  const path = resolve(main);
  try {
    return createRequire(path).resolve(path);
  } catch {
    return path;
  }
}
