import { type Comment, compareComments } from '../../comments/comment.ts';
import type { Sink } from '../../parquet/output.ts';
import type { ColumnSchema } from '../../parquet/schema.ts';
import { ParquetWriter } from '../../parquet/writer.ts';
import { TextColumn } from '../text-column.ts';

/**
 * The columns of a file of comments. Those that SQL has are named as there; `time_unix_nanos` says all of what
 * `time`, which is signed, cuts to its largest value. Rows are in the order of `trace_id`, then of their times.
 */
export const COMMENT_COLUMNS: readonly ColumnSchema[] = [
  { name: 'id', type: 'string' },
  { name: 'trace_id', type: 'string', bloomFilter: true },
  { name: 'span_id', type: 'string', nullable: true },
  { name: 'author', type: 'string' },
  { name: 'text', type: 'string' },
  { name: 'time', type: 'timestamp' },
  { name: 'time_unix_nanos', type: 'uint64' },
];

/** The format of files of comments, named in their footers. Raise it when the meaning of a column changes. */
export const COMMENT_FILE_VERSION = '1';

const MAX_SIGNED = 2n ** 63n - 1n;

/**
 * Writes comments to a file, of those with the same id the earlier one. They are few and short, so all of them are
 * in memory.
 *
 * @param keyValues - what the footer is to say beside its own
 * @returns how many rows there are; none make no file
 */
export function writeCommentFile(
  comments: Iterable<Comment>,
  sink: Sink,
  keyValues: ReadonlyMap<string, string> = new Map(),
): number {
  const byId = new Map<string, Comment>();
  for (const comment of comments) {
    const other = byId.get(comment.id);
    if (other === undefined || compareComments(comment, other) < 0) byId.set(comment.id, comment);
  }
  const rows = [...byId.values()].sort(
    (a, b) => (a.traceId < b.traceId ? -1 : a.traceId > b.traceId ? 1 : 0) || compareComments(a, b),
  );
  if (rows.length === 0) return 0;
  const text = (of: (comment: Comment) => string | undefined): TextColumn => {
    const column = new TextColumn();
    for (const row of rows) column.addText(of(row));
    return column;
  };
  const writer = new ParquetWriter(sink, COMMENT_COLUMNS);
  writer.writeRowGroup(rows.length, {
    id: text(({ id }) => id).column(),
    trace_id: text(({ traceId }) => traceId).column(),
    span_id: text(({ spanId }) => spanId).column(),
    author: text(({ author }) => author).column(),
    text: text((comment) => comment.text).column(),
    time: { values: halves(rows, (time) => (time > MAX_SIGNED ? MAX_SIGNED : time)) },
    time_unix_nanos: { values: halves(rows, (time) => time) },
  });
  writer.finish(
    new Map([...keyValues, ['tracewell.signal', 'comments'], ['tracewell.version', COMMENT_FILE_VERSION]]),
  );
  return rows.length;
}

function halves(rows: readonly Comment[], of: (time: bigint) => bigint): Uint32Array {
  return new Uint32Array(BigUint64Array.from(rows, ({ timeUnixNanos }) => of(timeUnixNanos)).buffer);
}
