import type { ColumnSchema } from '../../parquet/schema.ts';

/**
 * The columns of a rollup file, the table `metrics_5m`: a row for each series and five minutes in which it has points.
 *
 * - `time`: when the five minutes begin, in UTC
 * - `count`: of gauges and sums, how many points there are; of distributions, how many measurements they count
 * - `sum`, `min`, `max`: of gauges and sums, of the values of the points; of distributions, of the measurements
 * - `last`: the value of the last point; none for distributions
 * - `last_time`: when the last point was taken
 * - `is_total`: whether `count` and `sum` are not those of the five minutes but those that the last point tells, since the
 *   start of the series: so it is with distributions that are cumulative, and with summaries
 *
 * Points without a value count for nothing. The other columns are those of a metric file. Rows are in the order of
 * `name`, `series`, `time`.
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
  { name: 'count', type: 'uint64', encoding: 'delta' },
  { name: 'sum', type: 'double', nullable: true },
  { name: 'min', type: 'double', nullable: true },
  { name: 'max', type: 'double', nullable: true },
  { name: 'last', type: 'double', nullable: true },
  { name: 'last_time', type: 'timestamp', encoding: 'delta' },
  { name: 'is_total', type: 'boolean' },
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
