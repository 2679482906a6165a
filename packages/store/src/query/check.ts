import { shown } from '../shown.ts';

// The checks that all queries share. Each throws TypeError or RangeError naming the caller and the field, what
// came and what is allowed.

const MAX_NANOS = 0xffff_ffff_ffff_ffffn;
const NANOS_PER_MS = 1_000_000n;

/** From when to when. Both ends belong to it. */
export interface TimeWindow {
  /** The first nanosecond that matches. */
  readonly minStart: bigint;
  /** The last one; less than `minStart` if none does. */
  readonly maxStart: bigint;
}

/** The fields of a query that choose its window. */
export interface WindowQuery {
  readonly startTime?: bigint | Date | undefined;
  readonly endTime?: bigint | Date | undefined;
  readonly lastSeconds?: number | undefined;
}

/** The window of a query: all time where it says nothing. `endTime` itself does not belong to it. */
export function planWindow(caller: string, query: WindowQuery, nowUnixNanos: bigint): TimeWindow {
  const { startTime, endTime, lastSeconds } = query;
  if (lastSeconds !== undefined && startTime !== undefined) {
    throw new TypeError(`${caller}: lastSeconds and startTime both say where to start; give one of them`);
  }
  const end = toNanos(caller, 'endTime', endTime);
  return {
    minStart:
      lastSeconds === undefined
        ? (toNanos(caller, 'startTime', startTime) ?? 0n)
        : startOfLast(caller, lastSeconds, nowUnixNanos),
    maxStart: end === undefined ? MAX_NANOS : end - 1n,
  };
}

/** When the last so many seconds began. */
export function startOfLast(caller: string, lastSeconds: number, nowUnixNanos: bigint): bigint {
  if (typeof lastSeconds !== 'number' || !(lastSeconds > 0) || !Number.isFinite(lastSeconds)) {
    throw new RangeError(`${caller}: lastSeconds must be a number above 0, got ${shown(lastSeconds)}`);
  }
  const start = nowUnixNanos - BigInt(Math.round(lastSeconds * 1e3)) * NANOS_PER_MS;
  return start < 0n ? 0n : start;
}

/** A time as nanoseconds since the Unix epoch. */
export function toNanos(caller: string, field: string, time: bigint | Date | undefined): bigint | undefined {
  if (time === undefined) return undefined;
  if (time instanceof Date) {
    const milliseconds = time.getTime();
    if (!(milliseconds >= 0)) {
      throw new RangeError(`${caller}: ${field} must be a date from 1970 on, got ${shown(time)}`);
    }
    return BigInt(milliseconds) * NANOS_PER_MS;
  }
  if (typeof time !== 'bigint') throw wrongType(caller, field, 'a bigint of nanoseconds or a Date', time);
  if (time < 0n || time > MAX_NANOS) {
    throw new RangeError(`${caller}: ${field} must be 0 to 2^64 - 1 nanoseconds, got ${shown(time)}`);
  }
  return time;
}

/** That an argument is an object, and has only fields that mean something. */
export function checkFields(caller: string, name: string, given: object, allowed: ReadonlySet<string>): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError(`${caller}: ${name} must be an object, got ${shown(given)}`);
  }
  for (const field of Object.keys(given)) {
    if (allowed.has(field)) continue;
    throw new TypeError(`${caller}: ${field} is no field of ${name}; there are ${[...allowed].join(', ')}`);
  }
}

/** That fields are strings, where they are given. */
export function checkStrings(caller: string, fields: { readonly [field: string]: unknown }): void {
  for (const [field, value] of Object.entries(fields)) {
    if (value !== undefined && typeof value !== 'string') throw wrongType(caller, field, 'a string', value);
  }
}

/** That a limit is a whole number from 1 to `max`. */
export function checkLimit(caller: string, limit: number, max: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= max) return;
  throw new RangeError(`${caller}: limit must be a whole number from 1 to ${max}, got ${shown(limit)}`);
}

/** The error for an argument of the wrong type. */
export function wrongType(caller: string, field: string, wanted: string, value: unknown): TypeError {
  return new TypeError(`${caller}: ${field} must be ${wanted}, got ${shown(value)}`);
}
