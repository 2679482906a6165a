import { METRIC_TYPES, type MetricType } from '@tracewell/otlp';
import { shown } from '../../shown.ts';
import { type WantedAttributes, wantedAttributes } from '../attributes.ts';
import { checkFields, checkLimit, checkStrings, planWindow, startOfLast, type TimeWindow } from '../check.ts';
import type { MetricListQuery, MetricQuery } from './metric-query.ts';
import { decodePointCursor, type PointKey } from './series-order.ts';

const CALLER = 'queryMetrics';
/** The most that one page holds. */
const MAX_LIMIT = 10_000;
const DEFAULT_LIMIT = 1000;

/** A checked query with everything filled in. `undefined` filters nothing. */
export interface MetricPlan extends TimeWindow {
  readonly service: string | undefined;
  readonly name: string | undefined;
  readonly type: MetricType | undefined;
  readonly labels: WantedAttributes;
  readonly limit: number;
  /** Only points behind this one. */
  readonly after: PointKey | undefined;
}

/** A checked query for a list of metrics. */
export interface MetricListPlan {
  readonly service: string | undefined;
  /** The first time that counts. */
  readonly minTime: bigint;
}

/**
 * Checks a query and fills in what it leaves out.
 *
 * @param nowUnixNanos - what `lastSeconds` counts back from
 * @throws TypeError, RangeError naming the field
 */
export function planMetrics(query: MetricQuery, nowUnixNanos: bigint): MetricPlan {
  checkFields(CALLER, 'query', query, FIELDS);
  const { service, name, type, limit = DEFAULT_LIMIT, cursor } = query;
  checkStrings(CALLER, { service, name, cursor });
  if (type !== undefined && !METRIC_TYPES.includes(type)) {
    const choice = METRIC_TYPES.map(shown).join(', ');
    throw new RangeError(`${CALLER}: type must be one of ${choice}, got ${shown(type)}`);
  }
  checkLimit(CALLER, limit, MAX_LIMIT);
  return {
    service,
    name,
    type,
    labels: wantedAttributes(CALLER, 'labels', query.labels),
    ...planWindow(CALLER, query, nowUnixNanos),
    limit,
    after: cursor === undefined ? undefined : decodePointCursor(cursor),
  };
}

/** Checks a query for a list of metrics. @throws TypeError, RangeError naming the field */
export function planMetricList(query: MetricListQuery, nowUnixNanos: bigint): MetricListPlan {
  checkFields('listMetrics', 'options', query, LIST_FIELDS);
  const { service, lastSeconds } = query;
  checkStrings('listMetrics', { service });
  return {
    service,
    minTime: lastSeconds === undefined ? 0n : startOfLast('listMetrics', lastSeconds, nowUnixNanos),
  };
}

const FIELDS: ReadonlySet<string> = new Set<keyof MetricQuery>([
  'service',
  'name',
  'type',
  'labels',
  'startTime',
  'endTime',
  'lastSeconds',
  'limit',
  'cursor',
]);

const LIST_FIELDS: ReadonlySet<string> = new Set<keyof MetricListQuery>(['service', 'lastSeconds']);
