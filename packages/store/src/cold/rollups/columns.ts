import type { ColumnSchema } from '../../parquet/schema.ts';

/**
 * The columns of a rollup file: a row for each series and five minutes in which it had points. They are what the table
 * `metrics_5m` of SQL is made of, once the points themselves are gone, and are worked out in the same way:
 *
 * - `time`: when the five minutes begin, in UTC
 * - `points`: how many points there were
 * - `count`: of gauges and sums, how many points; of distributions, how many measurements they counted
 * - `sum`, `min`, `max`: of the values; of distributions, of what they say
 * - `last`: the last value; of distributions, the last sum; `last_time`: when that point was taken
 *
 * The other columns are those of a metric file. Rows are in the order of `name`, `series`, `time`.
 */
export const ROLLUP_COLUMNS: readonly ColumnSchema[] = [
  { name: 'name', type: 'string' },
  { name: 'series', type: 'uint64' },
  { name: 'time', type: 'timestamp', encoding: 'delta' },
  { name: 'service_name', type: 'string' },
  { name: 'type', type: 'string' },
  { name: 'unit', type: 'string' },
  { name: 'temporality', type: 'string', nullable: true },
  { name: 'is_monotonic', type: 'boolean', nullable: true },
  { name: 'points', type: 'int64', encoding: 'delta' },
  { name: 'count', type: 'uint64', encoding: 'delta' },
  { name: 'sum', type: 'double', nullable: true },
  { name: 'min', type: 'double', nullable: true },
  { name: 'max', type: 'double', nullable: true },
  { name: 'last', type: 'double', nullable: true },
  { name: 'last_time', type: 'timestamp', encoding: 'delta' },
  { name: 'attributes', shape: 'map', type: 'string' },
  { name: 'attribute_types', type: 'string' },
  { name: 'resource_attributes', shape: 'map', type: 'string' },
  { name: 'scope_name', type: 'string', nullable: true },
  { name: 'scope_version', type: 'string', nullable: true },
  { name: 'resource', type: 'bytes' },
  { name: 'scope', type: 'bytes' },
  { name: 'otlp', type: 'bytes', nullable: true },
];

/** The columns by which rows are sorted. */
export const ROLLUP_ORDER: readonly string[] = ['name', 'series', 'time'];

/** How long the time of a row is, in nanoseconds. */
export const ROLLUP_NANOS = 300_000_000_000n;
