import { createTraceState, INVALID_SPAN_CONTEXT, type SpanContext, TraceFlags } from '@opentelemetry/api';
import type { SpanContext as PluginSpanContext } from '@tracewell/plugin';

/** A span's identity as the API holds it, from what a plugin says of it. */
export function fromPluginContext(context: PluginSpanContext | undefined): SpanContext {
  if (context === undefined) return INVALID_SPAN_CONTEXT;
  const { traceId, spanId, traceFlags = TraceFlags.SAMPLED, traceState } = context;
  return traceState
    ? { traceId, spanId, traceFlags, traceState: createTraceState(traceState) }
    : { traceId, spanId, traceFlags };
}

/** A span's identity as a plugin takes it, from what the API holds. */
export function toPluginContext(context: SpanContext): PluginSpanContext {
  const { traceId, spanId, traceFlags, traceState } = context;
  const isRemote = context.isRemote === true;
  return traceState === undefined
    ? { traceId, spanId, traceFlags, isRemote }
    : { traceId, spanId, traceFlags, traceState: traceState.serialize(), isRemote };
}
