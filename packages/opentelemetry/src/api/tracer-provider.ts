import type { SpanContext, Tracer, TracerOptions, TracerProvider } from '@opentelemetry/api';
import type { SpanHandle, TracerPlugin } from '@tracewell/plugin';
import type { IdGenerator } from './id-generator.ts';
import { PluginSpan } from './plugin-span.ts';
import { PluginTracer } from './plugin-tracer.ts';

/** Options of {@link createTracerProvider}. */
export interface TracerProviderOptions {
  /** Draws the ids of spans. Default: random ones from a cryptographic source. */
  readonly idGenerator?: IdGenerator;
}

/** A provider of OpenTelemetry tracers whose spans a plugin records. */
export interface PluginTracerProvider extends TracerProvider {
  /** The plugin that it drives. */
  readonly plugin: TracerPlugin;

  /**
   * Makes an OpenTelemetry span of a handle that came from `plugin.startSpan`, so that whatever is
   * instrumented nests under it: `context.with(contextWithSpan(context.active(), provider.wrap(handle)), fn)`.
   *
   * The handle stays usable for everything but the end: end the span through the wrapper, so that it can
   * tell its identity to children that start later.
   *
   * @param handle - `INVALID_SPAN` makes a span that records nothing
   * @param context - the span's identity, where the caller knows it; needed for `INVALID_SPAN` and for a
   * plugin without `spanContext`. Default: what the plugin says, asked when somebody wants to know
   */
  wrap(handle: SpanHandle, context?: SpanContext): PluginSpan;

  /**
   * The tracer of an instrumentation scope.
   *
   * @param name - the scope's name: a library, a module
   * @param version - the scope's version
   * @param options - the scope's schema
   */
  getTracer(name: string, version?: string, options?: TracerOptions): Tracer;

  /** Delivers what the plugin has buffered; the OpenTelemetry SDK's name for it, which instrumentations look for. */
  forceFlush(): Promise<void>;

  /** Shuts the plugin down; the OpenTelemetry SDK's name for it. */
  shutdown(): Promise<void>;
}

/**
 * Makes a tracer provider of `@opentelemetry/api` that drives a plugin. It registers nothing; see
 * `registerOpenTelemetry` for that.
 *
 * @param plugin - what records the spans
 * @throws TypeError if `plugin` is none
 *
 * @example
 * ```ts
 * import { createTracerProvider } from '@tracewell/opentelemetry';
 * import { bufferedPlugin } from '@tracewell/sdk';
 *
 * const plugin = bufferedPlugin({ name: 'count', export: async (batch) => console.log(batch.spanCount) });
 * const tracer = createTracerProvider(plugin).getTracer('example');
 * const span = tracer.startSpan('work', { attributes: { answer: 42 } });
 * span.end();
 * await plugin.flush(); // 1
 * ```
 */
export function createTracerProvider(
  plugin: TracerPlugin,
  { idGenerator }: TracerProviderOptions = {},
): PluginTracerProvider {
  if (typeof plugin?.startSpan !== 'function') {
    throw new TypeError(`createTracerProvider: plugin must be a TracerPlugin, got ${typeof plugin}`);
  }
  // Instrumentations ask for their tracer again and again, and plugins compare scopes by identity first.
  const tracers = new Map<string, Tracer>();

  return {
    plugin,
    getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
      const scope = {
        name: text(name),
        ...(version && { version: text(version) }),
        ...(options?.schemaUrl && { schemaUrl: text(options.schemaUrl) }),
      };
      const key = JSON.stringify(scope);
      let tracer = tracers.get(key);
      if (tracer === undefined) {
        tracer = new PluginTracer(plugin, scope, idGenerator);
        tracers.set(key, tracer);
      }
      return tracer;
    },
    wrap: (handle, context) => new PluginSpan(plugin, handle, context),
    forceFlush: () => plugin.flush(),
    shutdown: async () => (plugin.shutdown === undefined ? plugin.flush() : plugin.shutdown()),
  };
}

/** JavaScript callers name their tracers after anything, and after nothing. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : String(value);
}
