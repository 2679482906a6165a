import { ByteBuffer } from '../../parquet/byte-buffer.ts';
import type { Sink } from '../../parquet/output.ts';
import { readFlat } from '../flat-column.ts';
import { MergeCursor, mergeInOrder } from '../merge-rows.ts';
import { OriginNumbers } from '../origin-messages.ts';
import { type RowKeys, readRowKeys } from '../row-keys.ts';
import { compareTexts } from '../text-at.ts';
import { POINT_TIME_KEYS } from './columns.ts';
import type { MetricFile } from './metric-file.ts';
import { type PointRows, readPointRows, writeMetricMessage, writePointMessage } from './point-rows.ts';
import { type MetricFileSummary, MetricFileWriter } from './write-metric-file.ts';

/** Some rows with what they are ordered by. */
interface Batch {
  readonly rows: PointRows;
  readonly series: Uint32Array;
  readonly keys: RowKeys;
}

/**
 * Merges metric files into one: all points of all of them, in order, copies of a point only once. In memory are a few
 * thousand rows of each file and one row group of the result.
 *
 * @param keyValues - what the footer is to say beside its own
 * @returns `undefined` if there are no points; then there is no file either
 * @throws `TracewellError` (`TW_COLD_DAMAGED`) naming the file that cannot be read
 */
export function mergeMetricFiles(
  files: readonly MetricFile[],
  sink: Sink,
  keyValues?: ReadonlyMap<string, string>,
): MetricFileSummary | undefined {
  const cursors = files.map(
    ({ parquet }) =>
      new MergeCursor<Batch>(parquet, (group, from, to) => ({
        rows: readPointRows(parquet, group, from, to),
        series: readFlat(parquet, group, 'series', from, to).values as Uint32Array,
        keys: readRowKeys(parquet, group, from, to, POINT_TIME_KEYS),
      })),
  );
  const numbers = cursors.map(() => new OriginNumbers());
  const metricMessage = new ByteBuffer(1024);
  const message = new ByteBuffer(1024);
  let writer: MetricFileWriter | undefined;
  // Rows that are equal are copies.
  for (const [index] of mergeInOrder(cursors, compare)) {
    writer ??= new MetricFileWriter(sink);
    const { batch, row } = cursors[index]!;
    const { rows, series, keys } = batch;
    metricMessage.length = 0;
    const metric = writeMetricMessage(metricMessage, rows, row);
    message.length = 0;
    writePointMessage(message, rows, row);
    const place = {
      resource: numbers[index]!.resource(writer.origins, rows.resources, row),
      scope: numbers[index]!.scope(writer.origins, rows.scopes, row),
      series: { high: series[2 * row + 1]!, low: series[2 * row]! },
      request: { high: keys.requestHigh(row), low: keys.requestLow(row) },
      index: keys.index(row),
    };
    const { timeUnixNanos } = keys.key(row);
    if (writer.add(metric, message.bytes, 0, message.length, place, timeUnixNanos)) {
      for (const each of numbers) each.clear();
    }
  }
  return writer?.finish(keyValues);
}

function compare(a: Batch, rowA: number, b: Batch, rowB: number): number {
  return (
    compareTexts(a.rows.names.values, rowA, b.rows.names.values, rowB) ||
    a.series[2 * rowA + 1]! - b.series[2 * rowB + 1]! ||
    a.series[2 * rowA]! - b.series[2 * rowB]! ||
    a.keys.compareInFile(rowA, b.keys, rowB)
  );
}
