import { type AttributeValue, SpanKind, StatusCode } from '@tracewell/plugin';
import { shown } from '../shown.ts';
import type { ServiceQuery, TraceQuery } from '../store.ts';
import { decodeCursor, type SpanKey } from './span-order.ts';

/** The most that one page holds. */
const MAX_LIMIT = 10_000;
const DEFAULT_LIMIT = 100;
const MAX_NANOS = 0xffff_ffff_ffff_ffffn;
const NANOS_PER_MS = 1_000_000n;

/** A checked query with everything filled in. `undefined` filters nothing. */
export interface QueryPlan {
  readonly service: string | undefined;
  readonly operation: string | undefined;
  readonly status: StatusCode | undefined;
  readonly kind: SpanKind | undefined;
  readonly minDurationNanos: bigint | undefined;
  readonly maxDurationNanos: bigint | undefined;
  readonly attributes: readonly (readonly [key: string, value: AttributeValue])[];
  /** The first start that matches. */
  readonly minStart: bigint;
  /** The last start that matches; less than `minStart` if none does. */
  readonly maxStart: bigint;
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
  checkFields('queryTraces', 'query', query, FIELDS);
  const { service, operation, status, kind, limit = DEFAULT_LIMIT, attributes = {}, cursor } = query;
  for (const [field, value] of Object.entries({ service, operation, cursor })) {
    if (value !== undefined && typeof value !== 'string') throw wrongType(field, 'a string', value);
  }
  if (status !== undefined && !Object.values(StatusCode).includes(status)) {
    throw new RangeError(`queryTraces: status must be a number of StatusCode, got ${shown(status)}`);
  }
  if (kind !== undefined && !Object.values(SpanKind).includes(kind)) {
    throw new RangeError(`queryTraces: kind must be a number of SpanKind, got ${shown(kind)}`);
  }
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new RangeError(
      `queryTraces: limit must be a whole number from 1 to ${MAX_LIMIT}, got ${shown(limit)}`,
    );
  }
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
    throw wrongType('attributes', 'an object', attributes);
  }
  if (query.lastSeconds !== undefined && query.startTime !== undefined) {
    throw new TypeError('queryTraces: lastSeconds and startTime both say where to start; give one of them');
  }
  const endTime = toNanos('endTime', query.endTime);
  return {
    service,
    operation,
    status,
    kind,
    minDurationNanos: durationNanos('minDurationMs', query.minDurationMs, Math.ceil),
    maxDurationNanos: durationNanos('maxDurationMs', query.maxDurationMs, Math.floor),
    attributes: Object.entries(attributes).filter(
      (entry): entry is [string, AttributeValue] => entry[1] !== undefined,
    ),
    minStart:
      query.lastSeconds === undefined
        ? (toNanos('startTime', query.startTime) ?? 0n)
        : startOfLast('queryTraces', query.lastSeconds, nowUnixNanos),
    maxStart: endTime === undefined ? MAX_NANOS : endTime - 1n,
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
  'cursor',
]);

const SERVICE_FIELDS: ReadonlySet<string> = new Set<keyof ServiceQuery>(['lastSeconds']);

function checkFields(caller: string, name: string, given: object, allowed: ReadonlySet<string>): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError(`${caller}: ${name} must be an object, got ${shown(given)}`);
  }
  for (const field of Object.keys(given)) {
    if (allowed.has(field)) continue;
    throw new TypeError(`${caller}: ${field} is no field of ${name}; there are ${[...allowed].join(', ')}`);
  }
}

function startOfLast(caller: string, lastSeconds: number, nowUnixNanos: bigint): bigint {
  if (typeof lastSeconds !== 'number' || !(lastSeconds > 0) || !Number.isFinite(lastSeconds)) {
    throw new RangeError(`${caller}: lastSeconds must be a number above 0, got ${shown(lastSeconds)}`);
  }
  const start = nowUnixNanos - BigInt(Math.round(lastSeconds * 1e3)) * NANOS_PER_MS;
  return start < 0n ? 0n : start;
}

function durationNanos(
  field: string,
  milliseconds: number | undefined,
  round: (value: number) => number,
): bigint | undefined {
  if (milliseconds === undefined) return undefined;
  if (typeof milliseconds !== 'number') throw wrongType(field, 'a number', milliseconds);
  if (!(milliseconds >= 0) || !Number.isFinite(milliseconds)) {
    throw new RangeError(`queryTraces: ${field} must be 0 or more milliseconds, got ${shown(milliseconds)}`);
  }
  // A thousandth of a nanosecond is given, since 0.3 ms times a million is not quite 300,000 in binary.
  const nanos = milliseconds * 1e6;
  const nearest = Math.round(nanos);
  return BigInt(Math.abs(nanos - nearest) < 1e-3 ? nearest : round(nanos));
}

function toNanos(field: string, time: bigint | Date | undefined): bigint | undefined {
  if (time === undefined) return undefined;
  if (time instanceof Date) {
    const milliseconds = time.getTime();
    if (!(milliseconds >= 0))
      throw new RangeError(`queryTraces: ${field} must be a date from 1970 on, got ${shown(time)}`);
    return BigInt(milliseconds) * NANOS_PER_MS;
  }
  if (typeof time !== 'bigint') throw wrongType(field, 'a bigint of nanoseconds or a Date', time);
  if (time < 0n || time > MAX_NANOS) {
    throw new RangeError(`queryTraces: ${field} must be 0 to 2^64 - 1 nanoseconds, got ${shown(time)}`);
  }
  return time;
}

function wrongType(field: string, wanted: string, value: unknown): TypeError {
  return new TypeError(`queryTraces: ${field} must be ${wanted}, got ${shown(value)}`);
}
