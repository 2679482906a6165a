import { SpanKind, StatusCode } from '@tracewell/plugin';
import { orderOf } from '../../search/order.ts';
import { parseTextQuery, type TextQuery } from '../../search/text-query.ts';
import { shown } from '../../shown.ts';
import type { ServiceQuery, TraceQuery } from '../../store.ts';
import { type WantedAttributes, wantedAttributes } from '../attributes.ts';
import {
  checkFields,
  checkLimit,
  checkStrings,
  planWindow,
  startOfLast,
  type TimeWindow,
  wrongType,
} from '../check.ts';
import { decodeCursor, type SpanKey } from './span-order.ts';

const CALLER = 'queryTraces';
/** The most that one page holds. */
const MAX_LIMIT = 10_000;
const DEFAULT_LIMIT = 100;

/** A checked query with everything filled in. `undefined` filters nothing. */
export interface QueryPlan extends TimeWindow {
  readonly service: string | undefined;
  readonly operation: string | undefined;
  readonly status: StatusCode | undefined;
  readonly kind: SpanKind | undefined;
  readonly minDurationNanos: bigint | undefined;
  readonly maxDurationNanos: bigint | undefined;
  readonly attributes: WantedAttributes;
  readonly text: TextQuery | undefined;
  readonly order: 'newest' | 'relevance';
  readonly limit: number;
  /** Only spans behind this one. */
  readonly after: SpanKey | undefined;
}

/**
 * Checks a query and fills in what it leaves out.
 *
 * @param nowUnixNanos - what `lastSeconds` counts back from
 * @throws TypeError, RangeError naming the field
 */
export function planQuery(query: TraceQuery, nowUnixNanos: bigint): QueryPlan {
  checkFields(CALLER, 'query', query, FIELDS);
  const { service, operation, status, kind, limit = DEFAULT_LIMIT, cursor, text } = query;
  checkStrings(CALLER, { service, operation, cursor, text });
  if (status !== undefined && !Object.values(StatusCode).includes(status)) {
    throw new RangeError(`${CALLER}: status must be a number of StatusCode, got ${shown(status)}`);
  }
  if (kind !== undefined && !Object.values(SpanKind).includes(kind)) {
    throw new RangeError(`${CALLER}: kind must be a number of SpanKind, got ${shown(kind)}`);
  }
  checkLimit(CALLER, limit, MAX_LIMIT);
  return {
    service,
    operation,
    status,
    kind,
    minDurationNanos: durationNanos('minDurationMs', query.minDurationMs, Math.ceil),
    maxDurationNanos: durationNanos('maxDurationMs', query.maxDurationMs, Math.floor),
    attributes: wantedAttributes(CALLER, 'attributes', query.attributes),
    ...planWindow(CALLER, query, nowUnixNanos),
    text: text === undefined ? undefined : parseTextQuery(text),
    order: orderOf(CALLER, query),
    limit,
    after: cursor === undefined ? undefined : decodeCursor(cursor),
  };
}

/** The first start that a service query counts. @throws TypeError, RangeError naming the field */
export function planServices(query: ServiceQuery, nowUnixNanos: bigint): bigint {
  checkFields('listServices', 'options', query, SERVICE_FIELDS);
  return query.lastSeconds === undefined ? 0n : startOfLast('listServices', query.lastSeconds, nowUnixNanos);
}

const FIELDS: ReadonlySet<string> = new Set<keyof TraceQuery>([
  'service',
  'operation',
  'status',
  'kind',
  'minDurationMs',
  'maxDurationMs',
  'attributes',
  'startTime',
  'endTime',
  'lastSeconds',
  'limit',
  'text',
  'order',
  'cursor',
]);

const SERVICE_FIELDS: ReadonlySet<string> = new Set<keyof ServiceQuery>(['lastSeconds']);

function durationNanos(
  field: string,
  milliseconds: number | undefined,
  round: (value: number) => number,
): bigint | undefined {
  if (milliseconds === undefined) return undefined;
  if (typeof milliseconds !== 'number') throw wrongType(CALLER, field, 'a number', milliseconds);
  if (!(milliseconds >= 0) || !Number.isFinite(milliseconds)) {
    throw new RangeError(`${CALLER}: ${field} must be 0 or more milliseconds, got ${shown(milliseconds)}`);
  }
  // A thousandth of a nanosecond is given, since 0.3 ms times a million is not quite 300,000 in binary.
  const nanos = milliseconds * 1e6;
  const nearest = Math.round(nanos);
  return BigInt(Math.abs(nanos - nearest) < 1e-3 ? nearest : round(nanos));
}
