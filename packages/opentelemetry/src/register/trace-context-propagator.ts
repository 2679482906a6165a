import {
  type Context,
  createTraceState,
  isSpanContextValid,
  type SpanContext,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '../api/context.ts';

/** Version, trace id, parent id, flags; later versions may add fields behind these. */
const TRACEPARENT = /^\s*([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?\s*$/;

/**
 * Carries the active span between processes in the headers `traceparent` and `tracestate`.
 *
 * @see https://www.w3.org/TR/trace-context/
 */
export class TraceContextPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpanContext(context);
    if (span === undefined || isTracingSuppressed(context) || !isSpanContextValid(span)) return;
    const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0');
    setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-${flags}`);
    const traceState = span.traceState?.serialize();
    if (traceState) setter.set(carrier, 'tracestate', traceState);
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const header = getter.get(carrier, 'traceparent');
    const match = TRACEPARENT.exec((Array.isArray(header) ? header[0] : header) ?? '');
    if (match === null) return context;
    const [, version, traceId, spanId, flags, rest] = match as unknown as [
      string,
      string,
      string,
      string,
      string,
      string?,
    ];
    if (version === 'ff' || (version === '00' && rest !== undefined)) return context;
    const span: SpanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
    if (!isSpanContextValid(span)) return context;
    const states = getter.get(carrier, 'tracestate');
    // A header that was sent several times is one list.
    const state = Array.isArray(states) ? states.join(',') : states;
    if (state) span.traceState = createTraceState(state);
    return trace.setSpanContext(context, span);
  }

  fields(): string[] {
    return ['traceparent', 'tracestate'];
  }
}
