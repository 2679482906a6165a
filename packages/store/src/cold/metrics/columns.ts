import { POINT_TIME } from '@tracewell/otlp/wire';
import type { ColumnSchema } from '../../parquet/schema.ts';

/**
 * The columns of a metric file: a row for each data point. Those that SQL has are named as there; the others hold
 * what they leave out, so that a point comes back as it was, with its metric:
 *
 * - `series`: the id of the series (hot/metrics/series-id.ts)
 * - `value`: of a gauge or sum, as a double; `value_int`: the same of one that is an integer, exactly
 * - `count`, `sum`, `min`, `max`: of a distribution; `bucket_counts`, `explicit_bounds`: of a histogram; `quantiles`,
 *   `quantile_values`: of a summary
 * - `attribute_types`, `request`, `request_index`, `resource`, `scope`: as in a log file
 * - `metadata`: the fields of the `Metric` message that are its metadata
 * - `otlp`: the fields of the point's message that no column says: exemplars, the buckets of exponential histograms,
 *   attributes of type `o`, and times that had to be cut
 *
 * Times are signed; what lies beyond is cut to their largest value. Rows are in the order of `name`, `series`, `time`,
 * `request`, `request_index`.
 */
export const METRIC_COLUMNS: readonly ColumnSchema[] = [
  { name: 'name', type: 'string' },
  { name: 'series', type: 'uint64' },
  { name: 'service_name', type: 'string' },
  { name: 'type', type: 'string' },
  { name: 'unit', type: 'string' },
  { name: 'description', type: 'string', nullable: true },
  { name: 'temporality', type: 'string', nullable: true },
  { name: 'is_monotonic', type: 'boolean', nullable: true },
  { name: 'time', type: 'timestamp', encoding: 'delta' },
  { name: 'start_time', type: 'timestamp', encoding: 'delta', nullable: true },
  { name: 'value', type: 'double', nullable: true },
  { name: 'value_int', type: 'int64', encoding: 'delta', nullable: true },
  { name: 'count', type: 'uint64', encoding: 'delta', nullable: true },
  { name: 'sum', type: 'double', nullable: true },
  { name: 'min', type: 'double', nullable: true },
  { name: 'max', type: 'double', nullable: true },
  { name: 'bucket_counts', shape: 'list', type: 'uint64', encoding: 'delta', nullable: true },
  { name: 'explicit_bounds', shape: 'list', type: 'double', nullable: true },
  { name: 'quantiles', shape: 'list', type: 'double', nullable: true },
  { name: 'quantile_values', shape: 'list', type: 'double', nullable: true },
  { name: 'attributes', shape: 'map', type: 'string' },
  { name: 'attribute_types', type: 'string' },
  { name: 'resource_attributes', shape: 'map', type: 'string' },
  { name: 'scope_name', type: 'string', nullable: true },
  { name: 'scope_version', type: 'string', nullable: true },
  { name: 'flags', type: 'uint32', encoding: 'delta' },
  { name: 'request', type: 'uint64' },
  { name: 'request_index', type: 'uint32', encoding: 'delta' },
  { name: 'resource', type: 'bytes' },
  { name: 'scope', type: 'bytes' },
  { name: 'metadata', type: 'bytes', nullable: true },
  { name: 'otlp', type: 'bytes', nullable: true },
];

/** The columns by which rows are sorted. */
export const METRIC_ORDER: readonly string[] = ['name', 'series', 'time', 'request', 'request_index'];

/** The texts of temporalities, by OTLP's numbers. */
export const TEMPORALITIES = ['UNSPECIFIED', 'DELTA', 'CUMULATIVE'] as const;

/** Where `otlp` has the time of a point that the column had to cut. */
export const POINT_TIME_KEYS: readonly number[] = [POINT_TIME];
