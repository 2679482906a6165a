import type { ColumnSchema } from '../../parquet/schema.ts';

// Random digits get no smaller by trying harder. Pages hold some thousand of them.
const DIGITS = { level: 1, pageBytes: 128 * 1024 };

/**
 * The columns of a span file. Those that SQL has are named as there; `resource`, `scope` and `otlp` hold what they
 * leave out, so that a span comes back as it was:
 *
 * - `attribute_types`: one letter for each attribute, in their order: `s` string, `i` integer, `d` double, `b`
 *   boolean, `o` for what `attributes` has as JSON only
 * - `resource`: a `ResourceSpans` message without its scopes
 * - `scope`: a `ScopeSpans` message without its spans
 * - `otlp`: the fields of the `Span` message that no column says: events, links, counts of what was dropped,
 *   attributes of type `o`, and times where they are not what `start_time` and `duration_ns` say
 *
 * `start_time` and `duration_ns` are signed; what lies beyond is cut to their largest value. A span that ended before
 * it started has a `duration_ns` of 0. Rows are in the order of `trace_id`, `start_time`, `span_id`.
 */
export const SPAN_COLUMNS: readonly ColumnSchema[] = [
  { name: 'trace_id', type: 'string', encoding: 'delta-bytes', bloomFilter: true, ...DIGITS },
  { name: 'span_id', type: 'string', encoding: 'delta-length', statistics: false, ...DIGITS },
  { name: 'parent_span_id', type: 'string', encoding: 'delta-bytes', nullable: true, ...DIGITS },
  { name: 'service_name', type: 'string' },
  { name: 'name', type: 'string' },
  { name: 'kind', type: 'string' },
  { name: 'status_code', type: 'string' },
  { name: 'status_message', type: 'string', nullable: true },
  { name: 'start_time', type: 'timestamp', encoding: 'delta' },
  { name: 'duration_ns', type: 'int64', encoding: 'delta' },
  { name: 'attributes', shape: 'map', type: 'string', pageBytes: 512 * 1024 },
  { name: 'attribute_types', type: 'string' },
  { name: 'resource_attributes', shape: 'map', type: 'string' },
  { name: 'scope_name', type: 'string', nullable: true },
  { name: 'scope_version', type: 'string', nullable: true },
  { name: 'exception_type', type: 'string', nullable: true },
  { name: 'exception_message', type: 'string', nullable: true },
  { name: 'event_count', type: 'int32', encoding: 'delta' },
  { name: 'link_count', type: 'int32', encoding: 'delta' },
  { name: 'trace_state', type: 'string', nullable: true },
  { name: 'flags', type: 'uint32', encoding: 'delta' },
  { name: 'resource', type: 'bytes' },
  { name: 'scope', type: 'bytes' },
  { name: 'otlp', type: 'bytes', nullable: true },
];

/** The texts of kinds, by OTLP's numbers. */
export const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const;

/** The texts of status codes, by OTLP's numbers. */
export const STATUS_CODES = ['UNSET', 'OK', 'ERROR'] as const;
