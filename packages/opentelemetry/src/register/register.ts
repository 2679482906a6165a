import {
  type ContextManager,
  context as contextApi,
  propagation,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api';
import type { TracerPlugin } from '@tracewell/plugin';
import type { IdGenerator } from '../api/id-generator.ts';
import { createTracerProvider, type PluginTracerProvider } from '../api/tracer-provider.ts';
import { AsyncContextManager } from './context-manager.ts';
import { createPropagator, type PropagatorName, propagatorNamesFromEnvironment } from './propagators.ts';

/** Options of {@link registerOpenTelemetry}. */
export interface RegisterOptions {
  /** What records the spans. */
  readonly plugin: TracerPlugin;
  /**
   * How context travels between processes. Default: `OTEL_PROPAGATORS`, and without that W3C trace context
   * and baggage.
   */
  readonly propagators?: readonly (PropagatorName | TextMapPropagator)[];
  /** Where `OTEL_PROPAGATORS` is read. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What carries the context within the process. Default: a new {@link AsyncContextManager}. */
  readonly contextManager?: ContextManager;
  /** Draws the ids of spans. Default: random ones from a cryptographic source. */
  readonly idGenerator?: IdGenerator;
  /**
   * Is told, in a sentence each, what could not be set up: a propagator that is not installed, a global that
   * somebody else has registered already. Default: nobody is told.
   */
  readonly onWarning?: (message: string) => void;
}

/** What {@link registerOpenTelemetry} set up. */
export interface Registration {
  readonly provider: PluginTracerProvider;
  readonly contextManager: ContextManager;
  readonly propagator: TextMapPropagator;
  /**
   * Takes back what was registered, and only that. Tracers that were handed out go on recording to the
   * plugin; shut the plugin down to end that. Idempotent.
   */
  unregister(): void;
}

/**
 * Makes a plugin the tracer of this process: sets the global tracer provider, context manager and
 * propagator of `@opentelemetry/api`, which every OpenTelemetry instrumentation uses.
 *
 * A global that somebody else has registered stays theirs; `onWarning` tells.
 *
 * @throws TypeError if `plugin` is no plugin
 *
 * @example
 * ```ts
 * import { trace } from '@opentelemetry/api';
 * import { registerOpenTelemetry } from '@tracewell/opentelemetry';
 * import { bufferedPlugin } from '@tracewell/sdk';
 *
 * const plugin = bufferedPlugin({ name: 'count', export: async (batch) => console.log(batch.spanCount) });
 * const registration = registerOpenTelemetry({ plugin });
 * trace.getTracer('example').startActiveSpan('work', (span) => span.end());
 * await plugin.flush(); // 1
 * registration.unregister();
 * ```
 */
export function registerOpenTelemetry(options: RegisterOptions): Registration {
  const { plugin, onWarning = () => {}, contextManager = new AsyncContextManager(), idGenerator } = options;
  const provider = createTracerProvider(plugin, idGenerator === undefined ? {} : { idGenerator });
  const propagator = createPropagator(
    options.propagators ?? propagatorNamesFromEnvironment(options.env ?? process.env),
    onWarning,
  );

  const undo: (() => void)[] = [];
  const register = (what: string, registered: boolean, disable: () => void): void => {
    if (registered) undo.push(disable);
    else
      onWarning(`Another ${what} is registered with @opentelemetry/api and stays; register ours before it.`);
  };
  register('context manager', contextApi.setGlobalContextManager(contextManager.enable()), () =>
    contextApi.disable(),
  );
  register('propagator', propagation.setGlobalPropagator(propagator), () => propagation.disable());
  const isOurs = trace.setGlobalTracerProvider(provider);
  register('tracer provider', isOurs, () => trace.disable());
  if (isOurs) undo.unshift(watchRefused(onWarning));

  return {
    provider,
    contextManager,
    propagator,
    unregister() {
      for (const disable of undo.splice(0)) disable();
    },
  };
}

const REFUSED =
  'Another OpenTelemetry SDK was started in this process and refused, because Tracewell is registered with @opentelemetry/api already: its exporters get no spans. Remove it, or start without Tracewell and add tracewellSpanProcessor() to it.';

/**
 * Tells when somebody else registers a tracer provider. The API refuses that in silence, but for its `diag`, to
 * which nobody listens by default. It is the method of this one object that every SDK calls.
 *
 * @returns what takes it back
 */
function watchRefused(onWarning: (message: string) => void): () => void {
  const { setGlobalTracerProvider } = trace;
  let told = false;
  const watched: typeof setGlobalTracerProvider = function (this: unknown, provider) {
    const accepted = setGlobalTracerProvider.call(trace, provider);
    if (!accepted && !told) {
      told = true;
      onWarning(REFUSED);
    }
    return accepted;
  };
  trace.setGlobalTracerProvider = watched;
  return () => {
    // If somebody has wrapped it since, theirs calls ours, which goes on to do what the API does.
    told = true;
    if (trace.setGlobalTracerProvider === watched) trace.setGlobalTracerProvider = setGlobalTracerProvider;
  };
}
