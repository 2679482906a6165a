import type { TimeInput } from '@opentelemetry/api';

const MAX_UNIX_NANOS = (1n << 64n) - 1n;

/** How far the two clocks may disagree before the wall clock is taken to have been set, or the machine to have slept. */
const CLOCK_TOLERANCE_MS = 50;

/**
 * Converts a time of the OpenTelemetry API to nanoseconds since the Unix epoch: an `HrTime`
 * (`[seconds, nanoseconds]`), a `Date`, epoch milliseconds, or a reading of `performance.now()`.
 *
 * @returns `undefined` for what is no time or does not fit unsigned 64 bits, so that the plugin takes its own clock
 */
export function toUnixNanos(time: TimeInput | undefined): bigint | undefined {
  if (time === undefined || time === null) return undefined;
  if (typeof time === 'number') return fromMilliseconds(isPerformanceReading(time) ? toEpoch(time) : time);
  if (time instanceof Date) return fromMilliseconds(time.getTime());
  if (!isHrTime(time)) return undefined;
  if (!Number.isFinite(time[0]) || !Number.isFinite(time[1])) return undefined;
  return inRange(BigInt(Math.trunc(time[0])) * 1_000_000_000n + BigInt(Math.trunc(time[1])));
}

/** Whether a value is one of the times that the API takes, rather than attributes. */
export function isTimeInput(value: unknown): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || isHrTime(value);
}

function isHrTime(value: unknown): value is [number, number] {
  return (
    Array.isArray(value) && value.length === 2 && typeof value[0] === 'number' && typeof value[1] === 'number'
  );
}

/**
 * A reading of `performance.now()` is bounded by the uptime of the process; no process has run for half of
 * the time since 1970, and no span of today started in the first half of it.
 */
function isPerformanceReading(milliseconds: number): boolean {
  return milliseconds < performance.timeOrigin / 2;
}

function toEpoch(reading: number): number {
  const now = performance.now();
  const wall = Date.now();
  const anchored = performance.timeOrigin + now;
  // Date.now() counts whole milliseconds, so the finer sum serves as long as the two agree.
  return (Math.abs(wall - anchored) > CLOCK_TOLERANCE_MS ? wall - now : performance.timeOrigin) + reading;
}

function fromMilliseconds(milliseconds: number): bigint | undefined {
  if (!Number.isFinite(milliseconds)) return undefined;
  // In two steps: epoch nanoseconds do not fit the 53 bits of a number.
  const whole = Math.floor(milliseconds);
  return inRange(BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * 1e6)));
}

function inRange(nanos: bigint): bigint | undefined {
  return nanos >= 0n && nanos <= MAX_UNIX_NANOS ? nanos : undefined;
}
