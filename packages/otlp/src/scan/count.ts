import { REQUEST_RESOURCE_GROUPS, RESOURCE_GROUP_SCOPE_GROUPS, SCOPE_GROUP_ENTRIES } from '../wire/fields.ts';
import {
  DATA_POINTS,
  METRIC_EXPONENTIAL_HISTOGRAM,
  METRIC_GAUGE,
  METRIC_HISTOGRAM,
  METRIC_SUM,
  METRIC_SUMMARY,
} from '../wire/metric-fields.ts';
import { forEachElement } from './repeated-field.ts';

/** The way from a request to what is counted: for each level of messages, the keys under which it goes on. */
export type Path = readonly (readonly number[])[];

/** The way to spans and log records. */
export const ENTRIES: Path = [
  [REQUEST_RESOURCE_GROUPS],
  [RESOURCE_GROUP_SCOPE_GROUPS],
  [SCOPE_GROUP_ENTRIES],
];

/** The way to data points. */
export const POINTS: Path = [
  ...ENTRIES,
  [METRIC_GAUGE, METRIC_SUM, METRIC_HISTOGRAM, METRIC_EXPONENTIAL_HISTOGRAM, METRIC_SUMMARY],
  [DATA_POINTS],
];

/**
 * Counts the spans of an OTLP trace request without decoding them, invalid ones included.
 *
 * @throws `TracewellError` (`TW_DECODE_INVALID`) with the offset where the frame of the messages is broken
 *
 * @example
 * ```ts
 * import { countSpans } from '@tracewell/otlp';
 *
 * console.log(countSpans(new Uint8Array())); // 0
 * ```
 */
export function countSpans(bytes: Uint8Array): number {
  return countElements(bytes, ENTRIES);
}

/**
 * Counts the records of an OTLP logs request without decoding them.
 *
 * @throws `TracewellError` (`TW_DECODE_INVALID`) with the offset where the frame of the messages is broken
 *
 * @example
 * ```ts
 * import { countLogs } from '@tracewell/otlp';
 *
 * console.log(countLogs(new Uint8Array())); // 0
 * ```
 */
export function countLogs(bytes: Uint8Array): number {
  return countElements(bytes, ENTRIES);
}

/**
 * Counts the data points of an OTLP metrics request without decoding them.
 *
 * @throws `TracewellError` (`TW_DECODE_INVALID`) with the offset where the frame of the messages is broken
 *
 * @example
 * ```ts
 * import { countDataPoints } from '@tracewell/otlp';
 *
 * console.log(countDataPoints(new Uint8Array())); // 0
 * ```
 */
export function countDataPoints(bytes: Uint8Array): number {
  return countElements(bytes, POINTS);
}

/** Counts what stands at the end of a path. */
export function countElements(bytes: Uint8Array, path: Path): number {
  let count = 0;
  const last = path.length - 1;
  const walk = (level: number, start: number, end: number): void =>
    forEachElement(bytes, start, end, path[level]!, (elementStart, elementEnd) => {
      if (level === last) count++;
      else walk(level + 1, elementStart, elementEnd);
    });
  walk(0, 0, bytes.length);
  return count;
}
