import { LOG_RECORD_OBSERVED_TIME, LOG_RECORD_TIME } from '@tracewell/otlp/wire';
import type { ColumnSchema } from '../../parquet/schema.ts';

/**
 * The columns of a log file. Those that SQL has are named as there; the others hold what they leave out, so that a
 * record comes back as it was:
 *
 * - `time`: when it happened; of a record that does not say, when it was observed
 * - `body`: a text as it is, numbers and booleans as JavaScript writes them, everything else as JSON
 * - `body_type`: what that was, with the letters of `attribute_types`
 * - `attribute_types`: one letter for each attribute, in their order: `s` string, `i` integer, `d` double, `b`
 *   boolean, `o` for what `attributes` has as JSON only
 * - `request`, `request_index`: what the record is known by (hot/request-id.ts)
 * - `resource`, `scope`: as in a span file
 * - `otlp`: the fields of the `LogRecord` message that no column says: the count of dropped attributes, attributes
 *   and bodies of type `o`, and times where they are not what `time` and `observed_time` say
 *
 * Times are signed; what lies beyond is cut to their largest value. Rows are in the order of `service_name`, `time`,
 * `request`, `request_index`.
 */
export const LOG_COLUMNS: readonly ColumnSchema[] = [
  { name: 'service_name', type: 'string' },
  { name: 'time', type: 'timestamp', encoding: 'delta' },
  { name: 'observed_time', type: 'timestamp', encoding: 'delta', nullable: true },
  { name: 'severity_number', type: 'int32', encoding: 'delta' },
  { name: 'severity_text', type: 'string', nullable: true },
  { name: 'body', type: 'string', encoding: 'delta-length', nullable: true },
  { name: 'body_type', type: 'string', nullable: true },
  { name: 'trace_id', type: 'string', nullable: true, bloomFilter: true },
  { name: 'span_id', type: 'string', nullable: true },
  { name: 'event_name', type: 'string', nullable: true },
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
  { name: 'otlp', type: 'bytes', nullable: true },
];

/** The columns by which rows are sorted. */
export const LOG_ORDER: readonly string[] = ['service_name', 'time', 'request', 'request_index'];

/** Where `otlp` has the time of a record that the column had to cut. */
export const LOG_TIME_KEYS: readonly number[] = [LOG_RECORD_TIME, LOG_RECORD_OBSERVED_TIME];
