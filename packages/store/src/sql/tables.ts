/** The tables of SQL and their columns, as docs/sql.md documents them. */
import { TracewellError } from '@tracewell/plugin';
import { writeCommentFile } from '../cold/comments/comment-file.ts';
import { SpanSorter } from '../cold/spans/span-sorter.ts';
import { writeSpanFile } from '../cold/spans/write-span-file.ts';
import { type Comment, decodeComment } from '../comments/comment.ts';
import type { Sink } from '../parquet/output.ts';
import type { FrameContent } from '../tails/follower.ts';

/** A column of a table. */
export interface TableColumn {
  readonly name: string;
  /** Its type in SQL. */
  readonly type: string;
  /** What it is, in terms of the columns of the files; the column of the same name by default. */
  readonly from?: string;
}

/** A table. */
export interface Table {
  readonly name: string;
  readonly columns: readonly TableColumn[];
  /** Of rows that are equal in `by` the first by `order` counts; for tables of few rows. */
  readonly unique?: { readonly by: string; readonly order: string };
  /** Which frames of the log hold its rows while they are hot. */
  readonly content: FrameContent;
  /** Writes a file with the rows of some frames; returns whether there were any. */
  readonly convert: (payloads: Iterable<Uint8Array>, sink: Sink) => boolean;
}

const TEXT_MAP = 'MAP(VARCHAR, VARCHAR)';

/** All tables, in the order in which messages list them. */
export const TABLES: readonly Table[] = [
  {
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
    ],
    content: 'traces',
    convert: convertSpans,
  },
  {
    name: 'logs',
    columns: [{ name: 'trace_id', type: 'VARCHAR' }],
    content: 'logs',
    convert: () => false,
  },
  {
    name: 'metrics',
    columns: [{ name: 'name', type: 'VARCHAR' }],
    content: 'metrics',
    convert: () => false,
  },
  {
    name: 'metrics_5m',
    columns: [{ name: 'name', type: 'VARCHAR' }],
    content: 'metrics',
    convert: () => false,
  },
  {
    name: 'comments',
    columns: [
      { name: 'id', type: 'VARCHAR' },
      { name: 'trace_id', type: 'VARCHAR' },
      { name: 'span_id', type: 'VARCHAR' },
      { name: 'author', type: 'VARCHAR' },
      { name: 'text', type: 'VARCHAR' },
      { name: 'time', type: 'TIMESTAMP_NS' },
    ],
    content: 'comment',
    convert: convertComments,
    unique: { by: 'id', order: 'time' },
  },
];

/** Their names. */
export const TABLE_NAMES: ReadonlySet<string> = new Set(TABLES.map((table) => table.name));

function convertSpans(payloads: Iterable<Uint8Array>, sink: Sink): boolean {
  const sorter = new SpanSorter();
  for (const payload of payloads) {
    try {
      sorter.add(payload);
    } catch (error) {
      // Not written by an insert of ours. The index has counted it.
      if (!(error instanceof TracewellError)) throw error;
    }
  }
  return writeSpanFile(sorter, sink) !== undefined;
}

function convertComments(payloads: Iterable<Uint8Array>, sink: Sink): boolean {
  return writeCommentFile(decoded(payloads), sink) > 0;
}

function* decoded(payloads: Iterable<Uint8Array>): Generator<Comment> {
  for (const payload of payloads) {
    try {
      yield decodeComment(payload);
    } catch (error) {
      if (!(error instanceof TracewellError)) throw error;
    }
  }
}

/**
 * The view of a table.
 *
 * Columns are named one by one: `read_parquet` has more of its own, `filename` among them, which would tell
 * where the store lies.
 *
 * @param source - what stands behind `FROM`; `undefined` makes a table without rows
 */
export function viewOf(table: Table, source: string | undefined): string {
  const columns = table.columns.map(({ name, type, from = identifier(name) }) =>
    source === undefined ? `NULL::${type} AS ${identifier(name)}` : `${from} AS ${identifier(name)}`,
  );
  const { unique } = table;
  const once = unique && `QUALIFY row_number() OVER (PARTITION BY ${unique.by} ORDER BY ${unique.order}) = 1`;
  const from = source === undefined ? 'WHERE false' : `FROM ${source} ${once ?? ''}`;
  return `CREATE TEMP VIEW ${identifier(table.name)} AS SELECT ${columns.join(', ')} ${from}`;
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
