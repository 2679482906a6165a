import {
  type Attributes as ApiAttributes,
  type Context,
  context as contextApi,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  type Span,
  type SpanContext,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import {
  type Attributes,
  INVALID_SPAN,
  type InstrumentationScope,
  type SpanContext as PluginSpanContext,
  type SpanHandle,
  SpanKind,
  type SpanStart,
  type TracerPlugin,
} from '@tracewell/plugin';
import { contextWithSpan, isTracingSuppressed, SPAN_KEY } from './context.ts';
import { DrawnIdentity } from './drawn-identity.ts';
import type { IdGenerator } from './id-generator.ts';
import { PluginSpan, toPluginLinks } from './plugin-span.ts';
import { toPluginContext } from './span-context.ts';
import { toUnixNanos } from './time.ts';

/** The API counts its kinds from 0, OTLP from 1. */
const KINDS = [SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER];

/**
 * A tracer of one instrumentation scope.
 *
 * It draws the ids itself rather than let the plugin do it: then the plugin's sampler decides on the very
 * trace id that an unsampled span passes on, spans know who they are after their end, and a plugin need not
 * implement `spanContext`.
 */
export class PluginTracer implements Tracer {
  readonly #plugin: TracerPlugin;
  readonly #scope: InstrumentationScope;
  readonly #ids: IdGenerator | undefined;

  constructor(plugin: TracerPlugin, scope: InstrumentationScope, ids: IdGenerator | undefined) {
    this.#plugin = plugin;
    this.#scope = scope;
    this.#ids = ids;
  }

  startSpan(name: string, options?: SpanOptions, context: Context = contextApi.active()): Span {
    if (isTracingSuppressed(context)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

    let parent: SpanHandle | undefined;
    let remoteParent: PluginSpanContext | undefined;
    // What the span takes from its parent: numbers if ours drew them, digits from anybody else.
    let drawn: DrawnIdentity | undefined;
    let inherited: SpanContext | undefined;
    const active = options?.root === true ? undefined : (context.getValue(SPAN_KEY) as Span | undefined);
    if (active instanceof PluginSpan && active.plugin === this.#plugin) {
      drawn = active.drawnIdentity;
      if (drawn === undefined) inherited = active.spanContext();
      // The plugin has forgotten the handle of a span that ended.
      if (active.isLive) parent = active.handle;
      else remoteParent = toPluginContext(active.spanContext());
    } else if (active !== undefined && active !== null) {
      const foreign = active.spanContext();
      if (isSpanContextValid(foreign)) {
        inherited = foreign;
        remoteParent = toPluginContext(foreign);
      }
    }

    const own = this.#draw(drawn, inherited);
    const handle = this.#plugin.startSpan({
      name,
      kind: KINDS[options?.kind ?? 0] ?? SpanKind.INTERNAL,
      parent,
      remoteParent,
      context: own === undefined || own instanceof DrawnIdentity ? own : toPluginContext(own),
      attributes: options?.attributes === undefined ? undefined : withoutNull(options.attributes),
      links: options?.links === undefined ? undefined : toPluginLinks(options.links),
      startTimeUnixNanos: options?.startTime === undefined ? undefined : toUnixNanos(options.startTime),
      scope: this.#scope,
      // One shape for every span keeps the plugin's reads of it monomorphic; an absent field reads the same.
    } as SpanStart);
    if (own !== undefined && handle === INVALID_SPAN) own.traceFlags = TraceFlags.NONE;
    return new PluginSpan(this.#plugin, handle, own);
  }

  /** The identity of a new span; `undefined` if only the plugin knows what trace it belongs to. */
  #draw(
    drawn: DrawnIdentity | undefined,
    inherited: SpanContext | undefined,
  ): DrawnIdentity | SpanContext | undefined {
    // A wrapped handle of a plugin that tells nobody its ids.
    if (inherited === INVALID_SPAN_CONTEXT) return undefined;
    const ids = this.#ids;
    if (ids === undefined && inherited === undefined) return new DrawnIdentity(drawn);
    const traceFlags = TraceFlags.SAMPLED;
    const spanId = ids === undefined ? new DrawnIdentity().spanId : ids.generateSpanId();
    if (inherited === undefined) {
      return { traceId: drawn?.traceId ?? ids!.generateTraceId(), spanId, traceFlags };
    }
    const { traceId, traceState } = inherited;
    return traceState === undefined
      ? { traceId, spanId, traceFlags }
      : { traceId, spanId, traceFlags, traceState };
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, fn: F): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    fn: F,
  ): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    context: Context,
    fn: F,
  ): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    second: SpanOptions | F,
    third?: Context | F,
    fourth?: F,
  ): ReturnType<F> {
    const fn = (fourth ?? third ?? second) as F;
    const options = fn === second ? undefined : (second as SpanOptions);
    const parent =
      fourth === undefined ? contextApi.active() : ((third as Context | undefined) ?? contextApi.active());
    const span = this.startSpan(name, options, parent);
    return contextApi.with(
      contextWithSpan(parent, span),
      fn as (span: Span) => ReturnType<F>,
      undefined,
      span,
    );
  }
}

/**
 * The API ignores attributes that are null, where a plugin would record an empty value. They are rare:
 * without one, nothing is copied. A plugin can cope with a getter that throws, so it is given that.
 */
function withoutNull(attributes: ApiAttributes): Attributes {
  try {
    for (const key in attributes) {
      if ((attributes[key] as unknown) !== null) continue;
      return Object.fromEntries(
        Object.entries(attributes).filter(([, value]) => (value as unknown) !== null),
      ) as Attributes;
    }
  } catch {
    return attributes as Attributes;
  }
  return attributes as Attributes;
}
