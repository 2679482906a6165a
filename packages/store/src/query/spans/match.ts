import { type AttributeValue, Double, type SpanData } from '@tracewell/plugin';
import { UNKNOWN_SERVICE } from '../../hot/spans/operations.ts';
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
  for (const [key, value] of plan.attributes) {
    const own = span.attributes[key];
    const found = own === undefined ? span.resource.attributes[key] : own;
    if (found === undefined || !sameValue(found, value)) return false;
  }
  return true;
}

/** The service that recorded a span. */
export function serviceOf(span: SpanData): string {
  const name = span.resource.attributes['service.name'];
  return typeof name === 'string' ? name : UNKNOWN_SERVICE;
}

/** How long a span took in nanoseconds; 0 if it ended before it started. */
export function durationOf(span: SpanData): bigint {
  const duration = span.endTimeUnixNanos - span.startTimeUnixNanos;
  return duration > 0n ? duration : 0n;
}

function sameValue(a: AttributeValue, b: AttributeValue): boolean {
  if (a instanceof Double) return sameValue(a.value, b);
  if (b instanceof Double) return sameValue(a, b.value);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1 is what is wanted, between numbers only
    if (isNumber(a) && isNumber(b)) return a == b || (Number.isNaN(a) && Number.isNaN(b));
    return a === b;
  }
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((value, index) => sameValue(value, b[index]));
  }
  const inA = a as { readonly [key: string]: AttributeValue };
  const inB = b as { readonly [key: string]: AttributeValue };
  const keys = Object.keys(inA);
  if (keys.length !== Object.keys(inB).length) return false;
  return keys.every((key) => Object.hasOwn(inB, key) && sameValue(inA[key]!, inB[key]!));
}

function isNumber(value: AttributeValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
