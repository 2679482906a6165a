import type { SpanContext, SpanStart } from '@tracewell/plugin';
import { randomSpanId, randomTraceId } from '../recorder/ids.ts';

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;
const SAMPLED = 1;

/** Whether something is a context with ids that W3C Trace Context allows. */
export function isValidContext(context: SpanContext | undefined): context is SpanContext {
  return context != null && TRACE_ID.test(context.traceId) && SPAN_ID.test(context.spanId);
}

/** A context of somebody else as it is now, field by field: they may be accessors, which spreading leaves behind. */
export function copyContext(context: SpanContext): SpanContext {
  const { traceId, spanId, traceFlags, traceState, isRemote } = context;
  return {
    traceId,
    spanId,
    ...(traceFlags === undefined ? {} : { traceFlags }),
    ...(traceState === undefined ? {} : { traceState }),
    ...(isRemote === undefined ? {} : { isRemote }),
  };
}

/**
 * Fixes the identity of a span before it is started, by the rules of `SpanStart`: the context that is given, or
 * else a new span id in the trace of the parent, or in a new trace. Returns a copy that nobody else changes.
 *
 * @param start - what the span is started with
 * @param parent - the identity of its live local parent, if it has one
 */
export function identify(start: SpanStart, parent: SpanContext | undefined): SpanContext {
  const given = start.context;
  if (isValidContext(given)) {
    const { traceId, spanId, traceFlags = SAMPLED, traceState = '' } = given;
    return { traceId, spanId, traceFlags, traceState };
  }
  // A local parent that is unknown makes the span a root, whatever remote parent stands beside it.
  const remote =
    start.parent === undefined && isValidContext(start.remoteParent) ? start.remoteParent : undefined;
  const origin = parent ?? remote;
  return {
    traceId: origin?.traceId ?? randomTraceId(),
    spanId: randomSpanId(),
    traceFlags: (origin?.traceFlags ?? 0) | SAMPLED,
    traceState: origin?.traceState ?? '',
  };
}
