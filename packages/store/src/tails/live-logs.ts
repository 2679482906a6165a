import { countLogs, decodeLogs, type LogData } from '@tracewell/otlp';
import { checkFields } from '../query/check.ts';
import type { LogQuery } from '../query/logs/log-query.ts';
import { matchesLog } from '../query/logs/match.ts';
import { planLogs } from '../query/logs/plan.ts';
import type { FrameItems } from './live-tail.ts';
import { ignoringInvalid } from './live-traces.ts';

/** Which log records a live tail gives: those that match every field that is given, as in a query. */
export type LiveLogFilter = Pick<
  LogQuery,
  'service' | 'minSeverity' | 'contains' | 'traceId' | 'spanId' | 'attributes'
>;

const FILTER_FIELDS: ReadonlySet<string> = new Set<keyof LiveLogFilter>([
  'service',
  'minSeverity',
  'contains',
  'traceId',
  'spanId',
  'attributes',
]);

/**
 * The log records of frames that match a filter.
 *
 * @throws TypeError, RangeError naming the field
 */
export function liveLogs(filter: LiveLogFilter): FrameItems<LogData> {
  checkFields('tailLogs', 'filter', filter, FILTER_FIELDS);
  const plan = planLogs(filter, 0n);
  return {
    items: ({ content, payload }) =>
      content === 'logs'
        ? ignoringInvalid(() => decodeLogs(payload), []).filter((log) => matchesLog(log, plan))
        : [],
    count: ({ content, payload }) => (content === 'logs' ? ignoringInvalid(() => countLogs(payload), 0) : 0),
  };
}
