import type { SpanData } from '@tracewell/plugin';
import { hasAttributes } from '../attributes.ts';
import { serviceOf } from '../service-of.ts';
import type { QueryPlan } from './plan.ts';

/** Whether a span matches a query: the meaning of a query, which the index only makes fast. */
export function matches(span: SpanData, plan: QueryPlan): boolean {
  if (plan.status !== undefined && span.status.code !== plan.status) return false;
  if (plan.kind !== undefined && span.kind !== plan.kind) return false;
  if (plan.operation !== undefined && span.name !== plan.operation) return false;
  if (plan.service !== undefined && serviceOf(span) !== plan.service) return false;
  const start = span.startTimeUnixNanos;
  if (start < plan.minStart || start > plan.maxStart) return false;
  if (plan.minDurationNanos !== undefined && durationOf(span) < plan.minDurationNanos) return false;
  if (plan.maxDurationNanos !== undefined && durationOf(span) > plan.maxDurationNanos) return false;
  return hasAttributes(span, plan.attributes);
}

/** How long a span took in nanoseconds; 0 if it ended before it started. */
export function durationOf(span: SpanData): bigint {
  const duration = span.endTimeUnixNanos - span.startTimeUnixNanos;
  return duration > 0n ? duration : 0n;
}
