import { type Context, createContextKey, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';

/**
 * The key under which a context holds its active span, for implementations of `Context`. The API does not
 * export it, so it is asked of the API itself.
 */
export const SPAN_KEY: symbol = keyAskedFor((context) => trace.getSpan(context));

/**
 * The key that stands for "record nothing in here". The API knows nothing of it; every release of
 * `@opentelemetry/core` uses this description, and keys of one description are the same key.
 */
const SUPPRESS_TRACING_KEY = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/**
 * A context in which `span` is the active one: `trace.setSpan`, only without copying the map of all other
 * values for every span.
 *
 * @example
 * ```ts
 * import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
 * import { contextWithSpan } from '@tracewell/opentelemetry';
 *
 * const span = trace.getTracer('example').startSpan('work');
 * context.with(contextWithSpan(ROOT_CONTEXT, span), () => {
 *   // Spans started here are children of `span`.
 * });
 * ```
 */
export function contextWithSpan(context: Context, span: Span): Context {
  return new ActiveSpanContext(context instanceof ActiveSpanContext ? context.base : context, span);
}

/**
 * A context in which tracers record nothing, ours and those of the OpenTelemetry SDK alike. Exporters use it
 * for their own requests.
 */
export function suppressTracing(context: Context): Context {
  return context.setValue(SUPPRESS_TRACING_KEY, true);
}

/** Whether {@link suppressTracing}, or the function of that name in `@opentelemetry/core`, made this context. */
export function isTracingSuppressed(context: Context): boolean {
  return context.getValue(SUPPRESS_TRACING_KEY) === true;
}

/**
 * The active span beside everything else. `base` never is another of its kind, so a chain of nested spans
 * keeps only the innermost alive, and a look-up takes one step.
 */
class ActiveSpanContext implements Context {
  readonly base: Context;
  readonly span: Span;

  constructor(base: Context, span: Span) {
    this.base = base;
    this.span = span;
  }

  getValue(key: symbol): unknown {
    return key === SPAN_KEY ? this.span : this.base.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return key === SPAN_KEY
      ? new ActiveSpanContext(this.base, value as Span)
      : new ActiveSpanContext(this.base.setValue(key, value), this.span);
  }

  deleteValue(key: symbol): Context {
    return key === SPAN_KEY
      ? this.base.deleteValue(key)
      : new ActiveSpanContext(this.base.deleteValue(key), this.span);
  }
}

function keyAskedFor(ask: (context: Context) => void): symbol {
  let asked: symbol | undefined;
  ask({
    getValue: (key) => {
      asked = key;
      return undefined;
    },
    setValue: () => ROOT_CONTEXT,
    deleteValue: () => ROOT_CONTEXT,
  });
  if (asked === undefined) throw new TypeError('@opentelemetry/api: trace.getSpan did not read its context');
  return asked;
}
