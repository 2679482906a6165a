import { ByteBuffer } from '../../parquet/byte-buffer.ts';
import type { Sink } from '../../parquet/output.ts';
import type { FlatColumn } from '../../parquet/values.ts';
import { readFlat } from '../flat-column.ts';
import { MergeCursor, mergeInOrder } from '../merge-rows.ts';
import { OriginNumbers } from '../origin-messages.ts';
import { type RowKeys, readRowKeys } from '../row-keys.ts';
import { compareTexts } from '../text-at.ts';
import { LOG_TIME_KEYS } from './columns.ts';
import type { LogFile } from './log-file.ts';
import { type LogRows, readLogRows, writeLogMessage } from './log-rows.ts';
import { type LogFileSummary, LogFileWriter } from './write-log-file.ts';

/** Some rows with what they are ordered by. */
interface Batch {
  readonly rows: LogRows;
  readonly services: FlatColumn;
  readonly keys: RowKeys;
}

/**
 * Merges log files into one: all records of all of them, in order, copies of a record only once. In memory are a few
 * thousand rows of each file and one row group of the result.
 *
 * @param keyValues - what the footer is to say beside its own
 * @returns `undefined` if there are no records; then there is no file either
 * @throws `TracewellError` (`TW_COLD_DAMAGED`) naming the file that cannot be read
 */
export function mergeLogFiles(
  files: readonly LogFile[],
  sink: Sink,
  keyValues?: ReadonlyMap<string, string>,
): LogFileSummary | undefined {
  const cursors = files.map(
    ({ parquet }) =>
      new MergeCursor<Batch>(parquet, (group, from, to) => ({
        rows: readLogRows(parquet, group, from, to),
        services: readFlat(parquet, group, 'service_name', from, to),
        keys: readRowKeys(parquet, group, from, to, LOG_TIME_KEYS),
      })),
  );
  const numbers = cursors.map(() => new OriginNumbers());
  const message = new ByteBuffer(1024);
  let writer: LogFileWriter | undefined;
  // Rows that are equal are copies.
  for (const [index] of mergeInOrder(cursors, compare)) {
    writer ??= new LogFileWriter(sink);
    const { batch, row } = cursors[index]!;
    message.length = 0;
    writeLogMessage(message, batch.rows, row);
    const { timeUnixNanos, index: place } = batch.keys.key(row);
    const ended = writer.add(
      message.bytes,
      0,
      message.length,
      numbers[index]!.resource(writer.origins, batch.rows.resources, row),
      numbers[index]!.scope(writer.origins, batch.rows.scopes, row),
      { high: batch.keys.requestHigh(row), low: batch.keys.requestLow(row) },
      place,
      timeUnixNanos,
    );
    if (ended) for (const each of numbers) each.clear();
  }
  return writer?.finish(keyValues);
}

function compare(a: Batch, rowA: number, b: Batch, rowB: number): number {
  return (
    compareTexts(a.services.values, rowA, b.services.values, rowB) || a.keys.compareInFile(rowA, b.keys, rowB)
  );
}
