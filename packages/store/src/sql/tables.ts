/** The tables of SQL and their columns, as docs/sql.md documents them. */
import { ROLLUP_NANOS } from '../cold/rollups/columns.ts';
import { REFERENCE_PATTERN } from '../payloads/reference.ts';
import type { FrameContent } from '../tails/follower.ts';

/** A column of a table. */
export interface TableColumn {
  readonly name: string;
  /** Its type in SQL. */
  readonly type: string;
  /** What it is, in terms of the columns of the files; the column of the same name by default. */
  readonly from?: string;
}

/** What tells a row from others, so that one that was inserted again counts once. */
export interface Identity {
  /** Columns of the files, one of which is a time, if the rows are many, so that few have to be compared. */
  readonly key: readonly { readonly name: string; readonly type: string }[];
  /** The order of copies; the first one counts. */
  readonly first: string;
}

/** A table. */
export interface Table {
  readonly name: TableName;
  readonly columns: readonly TableColumn[];
  readonly rows: RowFiles;
  /** What else its rows come from: groups of what is in both, by all columns that are no aggregates. */
  readonly rolledUp?: RolledUp;
}

/** Rows that stand for others which are gone. */
export interface RolledUp {
  /** Files of the cold tier only. */
  readonly signal: 'metrics_5m';
  /** The rows of a source that are not rolled up, as those that are. */
  readonly rollUp: (source: string) => string;
}

/** Files that have rows of one kind. */
export interface RowFiles {
  readonly signal: 'spans' | 'logs' | 'metrics' | 'comments';
  readonly identity: Identity;
  /** Which frames of the log hold the rows while they are hot. */
  readonly content: FrameContent;
}

/** The name of a table. */
export type TableName = 'spans' | 'logs' | 'metrics' | 'metrics_5m' | 'comments';

const TEXT_MAP = 'MAP(VARCHAR, VARCHAR)';

/** The names of the blobs that a row names, out of the references in what the columns do not say. */
const PAYLOADS: TableColumn = {
  name: 'payloads',
  type: 'VARCHAR[]',
  from: `coalesce(regexp_extract_all(lower(hex(otlp)), '${REFERENCE_PATTERN}', 1), [])`,
};

const SPANS: Table = {
  name: 'spans',
  columns: [
    { name: 'trace_id', type: 'VARCHAR' },
    { name: 'span_id', type: 'VARCHAR' },
    { name: 'parent_span_id', type: 'VARCHAR' },
    { name: 'service_name', type: 'VARCHAR' },
    { name: 'name', type: 'VARCHAR' },
    { name: 'kind', type: 'VARCHAR' },
    { name: 'status_code', type: 'VARCHAR' },
    { name: 'status_message', type: 'VARCHAR' },
    { name: 'start_time', type: 'TIMESTAMP_NS' },
    {
      name: 'end_time',
      type: 'TIMESTAMP_NS',
      from: 'TRY(make_timestamp_ns(epoch_ns(start_time) + duration_ns))',
    },
    { name: 'duration_ns', type: 'BIGINT' },
    { name: 'duration_ms', type: 'DOUBLE', from: 'duration_ns / 1e6' },
    { name: 'attributes', type: TEXT_MAP },
    { name: 'resource_attributes', type: TEXT_MAP },
    { name: 'scope_name', type: 'VARCHAR' },
    { name: 'scope_version', type: 'VARCHAR' },
    { name: 'exception_type', type: 'VARCHAR' },
    { name: 'exception_message', type: 'VARCHAR' },
    { name: 'event_count', type: 'INTEGER' },
    { name: 'link_count', type: 'INTEGER' },
    { name: 'trace_state', type: 'VARCHAR' },
    { name: 'flags', type: 'UINTEGER' },
    // As the typed part of a span has them (genai/gen-ai.ts). Worked out of the attributes, they cost nothing where
    // nobody asks for them.
    { name: 'gen_ai_operation', type: 'VARCHAR', from: attribute('gen_ai.operation.name') },
    { name: 'gen_ai_provider', type: 'VARCHAR', from: attribute('gen_ai.provider.name', 'gen_ai.system') },
    {
      name: 'gen_ai_model',
      type: 'VARCHAR',
      from: attribute('gen_ai.response.model', 'gen_ai.request.model'),
    },
    {
      name: 'gen_ai_input_tokens',
      type: 'BIGINT',
      from: count('gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens'),
    },
    {
      name: 'gen_ai_output_tokens',
      type: 'BIGINT',
      from: count('gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens'),
    },
    PAYLOADS,
  ],
  rows: {
    signal: 'spans',
    identity: {
      key: [
        { name: 'start_time', type: 'TIMESTAMP_NS' },
        { name: 'trace_id', type: 'VARCHAR' },
        { name: 'span_id', type: 'VARCHAR' },
      ],
      // As the index chooses (same-span.ts): one that is finished, else the one that ended later.
      first: `coalesce(attributes['tracewell.unfinished'] = 'true', false), duration_ns DESC`,
    },
    content: 'traces',
  },
};

const LOGS: Table = {
  name: 'logs',
  columns: [
    { name: 'time', type: 'TIMESTAMP_NS' },
    { name: 'observed_time', type: 'TIMESTAMP_NS' },
    { name: 'service_name', type: 'VARCHAR' },
    { name: 'severity', type: 'VARCHAR', from: severity() },
    { name: 'severity_number', type: 'INTEGER' },
    { name: 'severity_text', type: 'VARCHAR' },
    { name: 'body', type: 'VARCHAR' },
    { name: 'trace_id', type: 'VARCHAR' },
    { name: 'span_id', type: 'VARCHAR' },
    { name: 'event_name', type: 'VARCHAR' },
    { name: 'attributes', type: TEXT_MAP },
    { name: 'resource_attributes', type: TEXT_MAP },
    { name: 'scope_name', type: 'VARCHAR' },
    { name: 'scope_version', type: 'VARCHAR' },
    { name: 'flags', type: 'UINTEGER' },
    PAYLOADS,
  ],
  rows: {
    signal: 'logs',
    identity: {
      key: [
        { name: 'time', type: 'TIMESTAMP_NS' },
        { name: 'request', type: 'UBIGINT' },
        { name: 'request_index', type: 'UINTEGER' },
      ],
      first: 'observed_time',
    },
    content: 'logs',
  },
};

const METRICS: Table = {
  name: 'metrics',
  columns: [
    { name: 'time', type: 'TIMESTAMP_NS' },
    { name: 'start_time', type: 'TIMESTAMP_NS' },
    { name: 'service_name', type: 'VARCHAR' },
    { name: 'name', type: 'VARCHAR' },
    { name: 'type', type: 'VARCHAR' },
    { name: 'unit', type: 'VARCHAR' },
    { name: 'description', type: 'VARCHAR' },
    { name: 'temporality', type: 'VARCHAR' },
    { name: 'is_monotonic', type: 'BOOLEAN' },
    { name: 'series', type: 'UBIGINT' },
    { name: 'value', type: 'DOUBLE' },
    { name: 'value_int', type: 'BIGINT' },
    { name: 'count', type: 'UBIGINT' },
    { name: 'sum', type: 'DOUBLE' },
    { name: 'min', type: 'DOUBLE' },
    { name: 'max', type: 'DOUBLE' },
    { name: 'bucket_counts', type: 'UBIGINT[]' },
    { name: 'explicit_bounds', type: 'DOUBLE[]' },
    { name: 'quantiles', type: 'DOUBLE[]' },
    { name: 'quantile_values', type: 'DOUBLE[]' },
    { name: 'attributes', type: TEXT_MAP },
    { name: 'resource_attributes', type: TEXT_MAP },
    { name: 'scope_name', type: 'VARCHAR' },
    { name: 'scope_version', type: 'VARCHAR' },
    { name: 'flags', type: 'UINTEGER' },
  ],
  rows: {
    signal: 'metrics',
    identity: {
      key: [
        { name: 'time', type: 'TIMESTAMP_NS' },
        { name: 'request', type: 'UBIGINT' },
        { name: 'request_index', type: 'UINTEGER' },
      ],
      first: 'series',
    },
    content: 'metrics',
  },
};

/** Worked out of the points, and of the rollups that stand for points which are gone (cold/rollups/columns.ts). */
const METRICS_5M: Table = {
  name: 'metrics_5m',
  columns: [
    { name: 'time', type: 'TIMESTAMP_NS' },
    { name: 'series', type: 'UBIGINT' },
    { name: 'service_name', type: 'VARCHAR', from: 'any_value(service_name)' },
    { name: 'name', type: 'VARCHAR', from: 'any_value(name)' },
    { name: 'type', type: 'VARCHAR', from: 'any_value(type)' },
    { name: 'unit', type: 'VARCHAR', from: 'any_value(unit)' },
    { name: 'temporality', type: 'VARCHAR', from: 'any_value(temporality)' },
    { name: 'is_monotonic', type: 'BOOLEAN', from: 'any_value(is_monotonic)' },
    { name: 'points', type: 'BIGINT', from: 'sum(points)::BIGINT' },
    { name: 'min', type: 'DOUBLE', from: 'min("min")' },
    { name: 'max', type: 'DOUBLE', from: 'max("max")' },
    { name: 'sum', type: 'DOUBLE', from: 'sum("sum")' },
    { name: 'count', type: 'HUGEINT', from: 'sum("count")' },
    { name: 'last', type: 'DOUBLE', from: 'arg_max("last", last_time)' },
    { name: 'attributes', type: TEXT_MAP, from: 'any_value(attributes)' },
    { name: 'resource_attributes', type: TEXT_MAP, from: 'any_value(resource_attributes)' },
  ],
  rows: METRICS.rows,
  rolledUp: {
    signal: 'metrics_5m',
    rollUp: (source) => `(
      SELECT make_timestamp_ns(epoch_ns(time) // ${ROLLUP_NANOS} * ${ROLLUP_NANOS}) AS time, series, service_name, name, type, unit,
             temporality, is_monotonic, 1 AS points, coalesce(value, "min") AS "min", coalesce(value, "max") AS "max",
             coalesce(value, "sum") AS "sum", coalesce("count", 1) AS "count", coalesce(value, "sum") AS "last",
             time AS last_time, attributes, resource_attributes
        FROM ${source}
    )`,
  },
};

const COMMENTS: Table = {
  name: 'comments',
  columns: [
    { name: 'id', type: 'VARCHAR' },
    { name: 'trace_id', type: 'VARCHAR' },
    { name: 'span_id', type: 'VARCHAR' },
    { name: 'author', type: 'VARCHAR' },
    { name: 'text', type: 'VARCHAR' },
    { name: 'time', type: 'TIMESTAMP_NS' },
  ],
  rows: {
    signal: 'comments',
    identity: { key: [{ name: 'id', type: 'VARCHAR' }], first: 'time' },
    content: 'comment',
  },
};

/** All tables, in the order in which messages list them. */
export const TABLES: readonly Table[] = [SPANS, LOGS, METRICS, METRICS_5M, COMMENTS];

/** All kinds of files. */
export const ROW_FILES: ReadonlySet<RowFiles> = new Set(TABLES.map(({ rows }) => rows));

/** The names of all tables. */
export const TABLE_NAMES: ReadonlySet<string> = new Set(TABLES.map((table) => table.name));

/**
 * The view of a table.
 *
 * Columns are named one by one: `read_parquet` has more of its own, `filename` among them, which would tell
 * where the store lies.
 *
 * @param source - what stands behind `FROM`; `undefined` makes a table without rows
 * @param rolledUp - as `source`, for what is rolled up already
 */
export function viewOf(table: Table, source: string | undefined, rolledUp?: string): string {
  const from = sourceOf(table, source, rolledUp);
  const columns = table.columns.map(({ name, type, from: expression = identifier(name) }) =>
    from === undefined ? `NULL::${type} AS ${identifier(name)}` : `${expression} AS ${identifier(name)}`,
  );
  const rest = from === undefined ? 'WHERE false' : `FROM ${from} ${table.rolledUp ? 'GROUP BY ALL' : ''}`;
  return `CREATE TEMP VIEW ${identifier(table.name)} AS SELECT ${columns.join(', ')} ${rest}`;
}

function sourceOf(table: Table, source: string | undefined, rolledUp?: string): string | undefined {
  if (table.rolledUp === undefined) return source;
  const points = source && table.rolledUp.rollUp(source);
  if (points === undefined || rolledUp === undefined) return points ?? rolledUp;
  return `(SELECT * FROM ${points} UNION ALL BY NAME SELECT * FROM ${rolledUp})`;
}

/** The rows of some files, at least one: what stands behind `FROM`. */
export function readParquet(files: readonly string[]): string {
  return `read_parquet([${files.map(text).join(', ')}])`;
}

/** A text as a literal. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The first of some attributes that is there and not empty. */
function attribute(...keys: readonly string[]): string {
  return `coalesce(${keys.map((key) => `nullif(attributes[${text(key)}], '')`).join(', ')})`;
}

/** The first of some attributes that is a whole number from 0 on. */
function count(...keys: readonly string[]): string {
  const numbers = keys.map((key) => `TRY_CAST(attributes[${text(key)}] AS UBIGINT)`);
  return `TRY_CAST(coalesce(${numbers.join(', ')}) AS BIGINT)`;
}

/** The name of a severity, from OTLP's numbers: four to each, 0 for one that was not said. */
function severity(): string {
  const names = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
  return `['${names.join("', '")}'][(severity_number + 3) // 4]`;
}
