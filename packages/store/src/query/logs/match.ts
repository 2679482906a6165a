import type { LogData } from '@tracewell/otlp';
import type { AttributeValue } from '@tracewell/plugin';
import { hasAttributes } from '../attributes.ts';
import { serviceOf } from '../service-of.ts';
import type { LogPlan } from './plan.ts';

/** Whether a record matches a query: the meaning of a query, which the index only makes fast. */
export function matchesLog(log: LogData, plan: LogPlan): boolean {
  const time = timeOf(log);
  return (
    time >= plan.minStart &&
    time <= plan.maxStart &&
    log.severityNumber >= plan.minSeverity &&
    (plan.traceId === undefined || log.traceId === plan.traceId) &&
    (plan.spanId === undefined || log.spanId === plan.spanId) &&
    (plan.service === undefined || serviceOf(log) === plan.service) &&
    (plan.contains === undefined || contains(log.body, plan.contains)) &&
    hasAttributes(log, plan.attributes)
  );
}

/** When a record happened, or else when it was observed. */
export function timeOf(log: LogData): bigint {
  return log.timeUnixNanos === 0n ? log.observedTimeUnixNanos : log.timeUnixNanos;
}

function contains(value: AttributeValue | undefined, text: string): boolean {
  if (typeof value === 'string') return value.includes(text);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  return Object.values(value).some((part: AttributeValue) => contains(part, text));
}
