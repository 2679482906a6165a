import type { LogData } from '@tracewell/otlp';
import { checkFields } from '../query/check.ts';
import type { MetricSeries } from '../query/metrics/metric-query.ts';
import { shown } from '../shown.ts';
import type { Store, Trace } from '../store.ts';

/** What {@link Store.queryCorrelate} takes beside the trace's id. */
export interface CorrelateQuery {
  /**
   * Seconds before the trace's start and after its end from which metrics are taken: they are measured now and then,
   * not within each trace. 0 to 86,400. Default 60.
   */
  readonly marginSeconds?: number | undefined;
}

/** A trace and what else was recorded about it. */
export interface Correlation {
  readonly trace: Trace;
  /** The log records that name the trace, oldest first; the newest 1,000 of them. */
  readonly logs: readonly LogData[];
  /** The metrics of the services that took part, around its time: at most 10,000 points of each service. */
  readonly metrics: readonly MetricSeries[];
  /** Whether there are more log records or points. */
  readonly truncated: boolean;
  /** Why something may be missing, each reason once; absent if all could be looked into. */
  readonly partial?: readonly string[];
}

const CALLER = 'queryCorrelate';
const FIELDS: ReadonlySet<string> = new Set<keyof CorrelateQuery>(['marginSeconds']);
const MAX_MARGIN_SECONDS = 86_400;
const MAX_LOGS = 1000;
const MAX_POINTS = 10_000;

/** Checks a query; returns the margin in nanoseconds. @throws TypeError, RangeError naming the field */
export function planCorrelate(query: CorrelateQuery): bigint {
  checkFields(CALLER, 'query', query, FIELDS);
  const { marginSeconds = 60 } = query;
  if (typeof marginSeconds !== 'number' || !(marginSeconds >= 0) || marginSeconds > MAX_MARGIN_SECONDS) {
    throw new RangeError(
      `${CALLER}: marginSeconds must be a number from 0 to ${MAX_MARGIN_SECONDS}, got ${shown(marginSeconds)}`,
    );
  }
  return BigInt(Math.round(marginSeconds * 1e9));
}

/** Gathers what belongs to a trace. */
export async function correlate(
  store: Pick<Store, 'queryLogs' | 'queryMetrics'>,
  trace: Trace,
  marginNanos: bigint,
): Promise<Correlation> {
  const reasons = new Set<string>(trace.partial);
  const found = await store.queryLogs({ traceId: trace.traceId, limit: MAX_LOGS });
  for (const reason of found.partial ?? []) reasons.add(reason);
  let truncated = found.cursor !== undefined;

  const start = trace.startTimeUnixNanos - marginNanos;
  const end = trace.endTimeUnixNanos + marginNanos + 1n;
  const window = { startTime: start < 0n ? 0n : start, endTime: end < 2n ** 64n ? end : 2n ** 64n - 1n };
  const metrics: MetricSeries[] = [];
  for (const service of trace.services) {
    const page = await store.queryMetrics({ service, ...window, limit: MAX_POINTS });
    for (const reason of page.partial ?? []) reasons.add(reason);
    metrics.push(...page.series);
    truncated ||= page.cursor !== undefined;
  }
  return {
    trace,
    logs: found.logs.reverse(),
    metrics,
    truncated,
    ...(reasons.size > 0 && { partial: [...reasons] }),
  };
}
