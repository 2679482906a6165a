import { METRIC_TYPES } from '@tracewell/otlp';
import { NUMBER_POINT_ATTRIBUTES } from '@tracewell/otlp/wire';
import { ByteBuffer } from '../../parquet/byte-buffer.ts';
import type { ParquetFile } from '../../parquet/file.ts';
import type { Sink } from '../../parquet/output.ts';
import type { FlatColumn, MapColumn, Values } from '../../parquet/values.ts';
import { writeAttributes } from '../attributes/write-attributes.ts';
import { MergeCursor, mergeInOrder } from '../merge-rows.ts';
import { TEMPORALITIES } from '../metrics/columns.ts';
import { type MetricRows, writeMetricMessage } from '../metrics/point-rows.ts';
import { OriginNumbers } from '../origin-messages.ts';
import { numbersOf, readFlat } from '../spans/span-rows.ts';
import { appendBytes, compareTexts, isThere } from '../text-at.ts';
import { join, type Rollup } from './rollup.ts';
import { type RollupFileSummary, RollupFileWriter } from './write-rollup-file.ts';

/** Some rows of a rollup file. */
interface Batch extends MetricRows {
  readonly series: Uint32Array;
  readonly times: Uint32Array;
  readonly counts: Uint32Array;
  readonly sums: FlatColumn;
  readonly mins: FlatColumn;
  readonly maxs: FlatColumn;
  readonly lasts: FlatColumn;
  readonly lastTimes: Uint32Array;
  readonly totals: Uint8Array;
  readonly attributes: MapColumn;
  readonly attributeTypes: Values;
  readonly resources: Values;
  readonly scopes: Values;
  readonly rest: FlatColumn;
}

/**
 * Merges rollup files into one: rollups of the same series and minutes, whose points came in several parts, become
 * one. In memory are a few thousand rows of each file and one row group of the result.
 *
 * @param keyValues - what the footer is to say beside its own
 * @returns `undefined` if there are no rows; then there is no file either
 * @throws `TracewellError` (`TW_COLD_DAMAGED`) naming the file that cannot be read
 */
export function mergeRollupFiles(
  files: readonly ParquetFile[],
  sink: Sink,
  keyValues?: ReadonlyMap<string, string>,
): RollupFileSummary | undefined {
  const cursors = files.map(
    (file) => new MergeCursor<Batch>(file, (group, from, to) => readRollups(file, group, from, to)),
  );
  const numbers = cursors.map(() => new OriginNumbers());
  const metricMessage = new ByteBuffer(1024);
  const labels = new ByteBuffer(1024);
  let writer: RollupFileWriter | undefined;
  for (const [first, ...others] of mergeInOrder(cursors, compare)) {
    writer ??= new RollupFileWriter(sink);
    const { batch, row } = cursors[first]!;
    const rollup = rollupAt(batch, row);
    for (const other of others) join(rollup, rollupAt(cursors[other]!.batch, cursors[other]!.row));
    metricMessage.length = 0;
    const metric = writeMetricMessage(metricMessage, batch, row);
    labels.length = 0;
    appendBytes(labels, batch.rest, row);
    writeAttributes(labels, NUMBER_POINT_ATTRIBUTES, batch.attributes, batch.attributeTypes, row);
    const place = {
      resource: numbers[first]!.resource(writer.origins, batch.resources, row),
      scope: numbers[first]!.scope(writer.origins, batch.scopes, row),
      series: { high: batch.series[2 * row + 1]!, low: batch.series[2 * row]! },
      time: integerAt(batch.times, row),
    };
    const message = { bytes: labels.bytes, start: 0, end: labels.length, key: NUMBER_POINT_ATTRIBUTES };
    if (writer.add(metric, message, place, rollup)) for (const each of numbers) each.clear();
  }
  return writer?.finish(keyValues);
}

function readRollups(file: ParquetFile, group: number, from: number, to: number): Batch {
  const flat = (name: string): FlatColumn => readFlat(file, group, name, from, to);
  const count = to - from;
  const nothing: FlatColumn = {
    values: { bytes: new Uint8Array(0), offsets: new Uint32Array(count + 1) },
    valid: new Uint8Array(count),
  };
  return {
    names: flat('name'),
    units: flat('unit'),
    descriptions: nothing,
    metadata: nothing,
    types: numbersOf(flat('type').values, METRIC_TYPES, count),
    temporalities: numbersOf(flat('temporality').values, TEMPORALITIES, count),
    monotonic: flat('is_monotonic'),
    series: flat('series').values as Uint32Array,
    times: flat('time').values as Uint32Array,
    counts: flat('count').values as Uint32Array,
    sums: flat('sum'),
    mins: flat('min'),
    maxs: flat('max'),
    lasts: flat('last'),
    lastTimes: flat('last_time').values as Uint32Array,
    totals: flat('is_total').values as Uint8Array,
    attributes: file.readColumn(group, 'attributes', from, to) as MapColumn,
    attributeTypes: flat('attribute_types').values,
    resources: flat('resource').values,
    scopes: flat('scope').values,
    rest: flat('otlp'),
  };
}

function rollupAt(batch: Batch, row: number): Rollup {
  return {
    count: integerAt(batch.counts, row),
    sum: doubleAt(batch.sums, row),
    min: doubleAt(batch.mins, row),
    max: doubleAt(batch.maxs, row),
    last: doubleAt(batch.lasts, row),
    lastTime: integerAt(batch.lastTimes, row),
    isTotal: batch.totals[row] === 1,
  };
}

function integerAt(halves: Uint32Array, row: number): bigint {
  return (BigInt(halves[2 * row + 1]!) << 32n) | BigInt(halves[2 * row]!);
}

function doubleAt(column: FlatColumn, row: number): number | undefined {
  return isThere(column, row) ? (column.values as Float64Array)[row] : undefined;
}

function compare(a: Batch, rowA: number, b: Batch, rowB: number): number {
  return (
    compareTexts(a.names.values, rowA, b.names.values, rowB) ||
    a.series[2 * rowA + 1]! - b.series[2 * rowB + 1]! ||
    a.series[2 * rowA]! - b.series[2 * rowB]! ||
    a.times[2 * rowA + 1]! - b.times[2 * rowB + 1]! ||
    a.times[2 * rowA]! - b.times[2 * rowB]!
  );
}
