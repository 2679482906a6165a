import { METRIC_TYPES } from '@tracewell/otlp';
import { NUMBER_POINT_ATTRIBUTES } from '@tracewell/otlp/wire';
import { ByteBuffer } from '../../parquet/byte-buffer.ts';
import type { ParquetFile } from '../../parquet/file.ts';
import type { Sink } from '../../parquet/output.ts';
import type { FlatColumn, MapColumn, Values } from '../../parquet/values.ts';
import { writeAttributes } from '../attributes/write-attributes.ts';
import { numbersOf, readFlat } from '../flat-column.ts';
import { MergeCursor, mergeInOrder } from '../merge-rows.ts';
import { POINT_TIME_KEYS, TEMPORALITIES } from '../metrics/columns.ts';
import { POINT_LAYOUTS } from '../metrics/point-layout.ts';
import { type MetricRows, readPointRows, typeOf, writeMetricMessage } from '../metrics/point-rows.ts';
import { OriginNumbers } from '../origin-messages.ts';
import { readRowKeys } from '../row-keys.ts';
import { appendBytes, compareTexts, isThere } from '../text-at.ts';
import { ROLLUP_NANOS } from './columns.ts';
import { join, type Rollup } from './rollup.ts';
import { type RollupFileSummary, RollupFileWriter } from './write-rollup-file.ts';

/** Some rows, of points or of rollups, as rollups. */
interface Batch extends MetricRows {
  readonly series: Uint32Array;
  /** When the five minutes of a row begin. */
  readonly times: BigUint64Array;
  readonly attributes: MapColumn;
  readonly attributeTypes: Values;
  readonly resources: Values;
  readonly scopes: Values;
  readonly rest: FlatColumn;
  /** Under which key `rest` has attributes. */
  attributesKey(row: number): number;
  rollup(row: number): Rollup;
}

/** A row of a batch. */
interface Row {
  readonly cursor: number;
  readonly batch: Batch;
  readonly row: number;
}

/**
 * Sums the points of metric files up in five minutes each, together with rollups that there are already. Neither may
 * hold a point that another one does. In memory are a few thousand rows of each file and one row group of the result.
 *
 * @param keyValues - what the footer is to say beside its own
 * @returns `undefined` if there are no rows; then there is no file either
 * @throws `TracewellError` (`TW_COLD_DAMAGED`) naming the file that cannot be read
 */
export function rollUp(
  metrics: readonly ParquetFile[],
  rollups: readonly ParquetFile[],
  sink: Sink,
  keyValues?: ReadonlyMap<string, string>,
): RollupFileSummary | undefined {
  const cursors = [
    ...metrics.map((file) => new MergeCursor(file, (...rows) => pointBatch(file, ...rows))),
    ...rollups.map((file) => new MergeCursor(file, (...rows) => rollupBatch(file, ...rows))),
  ];
  if (cursors.every(({ isDone }) => isDone)) return undefined;
  const out = new RollupOutput(sink, cursors.length);
  for (const equals of mergeInOrder(cursors, compare)) {
    for (const cursor of equals) {
      const { batch, row } = cursors[cursor]!;
      out.add({ cursor, batch, row });
    }
  }
  return out.finish(keyValues);
}

/** Joins rows of the same series and minutes, which follow each other. */
class RollupOutput {
  readonly #writer: RollupFileWriter;
  readonly #numbers: readonly OriginNumbers[];
  readonly #metric = new ByteBuffer(1024);
  readonly #labels = new ByteBuffer(1024);
  #first: Row | undefined;
  #rollup!: Rollup;

  constructor(sink: Sink, cursors: number) {
    this.#writer = new RollupFileWriter(sink);
    this.#numbers = Array.from({ length: cursors }, () => new OriginNumbers());
  }

  add(next: Row): void {
    const first = this.#first;
    const rollup = next.batch.rollup(next.row);
    if (first !== undefined && compare(first.batch, first.row, next.batch, next.row) === 0) {
      join(this.#rollup, rollup);
      return;
    }
    this.#write();
    this.#first = next;
    this.#rollup = rollup;
  }

  finish(keyValues: ReadonlyMap<string, string> | undefined): RollupFileSummary {
    this.#write();
    return this.#writer.finish(keyValues);
  }

  #write(): void {
    if (this.#first === undefined) return;
    const { cursor, batch, row } = this.#first;
    this.#metric.length = 0;
    const metric = writeMetricMessage(this.#metric, batch, row);
    const key = batch.attributesKey(row);
    const labels = this.#labels;
    labels.length = 0;
    appendBytes(labels, batch.rest, row);
    writeAttributes(labels, key, batch.attributes, batch.attributeTypes, row);
    const { origins } = this.#writer;
    const place = {
      resource: this.#numbers[cursor]!.resource(origins, batch.resources, row),
      scope: this.#numbers[cursor]!.scope(origins, batch.scopes, row),
      series: { high: batch.series[2 * row + 1]!, low: batch.series[2 * row]! },
      time: batch.times[row]!,
    };
    const message = { bytes: labels.bytes, start: 0, end: labels.length, key };
    if (!this.#writer.add(metric, message, place, this.#rollup)) return;
    for (const each of this.#numbers) each.clear();
  }
}

const LATEST = 2n ** 63n - 1n;

function pointBatch(file: ParquetFile, group: number, from: number, to: number): Batch {
  const rows = readPointRows(file, group, from, to);
  const keys = readRowKeys(file, group, from, to, POINT_TIME_KEYS);
  const timeOf = (row: number): bigint => {
    const time = keys.time(row);
    return time > LATEST ? LATEST : time;
  };
  return {
    ...rows,
    series: readFlat(file, group, 'series', from, to).values as Uint32Array,
    times: BigUint64Array.from({ length: to - from }, (_, row) => timeOf(row) - (timeOf(row) % ROLLUP_NANOS)),
    attributesKey: (row) => POINT_LAYOUTS[typeOf(rows, row)].attributes,
    rollup(row) {
      const lastTime = timeOf(row);
      if (POINT_LAYOUTS[typeOf(rows, row)].isNumber) {
        const value = doubleAt(rows.values, row);
        return { points: 1n, count: 1n, sum: value, min: value, max: value, last: value, lastTime };
      }
      const sum = doubleAt(rows.sums, row);
      const count = integerAt(rows.counts.values as Uint32Array, row);
      const min = doubleAt(rows.mins, row);
      const max = doubleAt(rows.maxs, row);
      return { points: 1n, count, sum, min, max, last: sum, lastTime };
    },
  };
}

function rollupBatch(file: ParquetFile, group: number, from: number, to: number): Batch {
  const flat = (name: string): FlatColumn => readFlat(file, group, name, from, to);
  const integers = (name: string): Uint32Array => flat(name).values as Uint32Array;
  const count = to - from;
  const nothing: FlatColumn = {
    values: { bytes: new Uint8Array(0), offsets: new Uint32Array(count + 1) },
    valid: new Uint8Array(count),
  };
  const times = integers('time');
  const points = integers('points');
  const counts = integers('count');
  const lastTimes = integers('last_time');
  const [sums, mins, maxs, lasts] = [flat('sum'), flat('min'), flat('max'), flat('last')];
  return {
    names: flat('name'),
    units: flat('unit'),
    descriptions: nothing,
    metadata: nothing,
    types: numbersOf(flat('type').values, METRIC_TYPES, count),
    temporalities: numbersOf(flat('temporality').values, TEMPORALITIES, count),
    monotonic: flat('is_monotonic'),
    series: integers('series'),
    times: BigUint64Array.from({ length: count }, (_, row) => integerAt(times, row)),
    attributes: file.readColumn(group, 'attributes', from, to) as MapColumn,
    attributeTypes: flat('attribute_types').values,
    resources: flat('resource').values,
    scopes: flat('scope').values,
    rest: flat('otlp'),
    attributesKey: () => NUMBER_POINT_ATTRIBUTES,
    rollup: (row) => ({
      points: integerAt(points, row),
      count: integerAt(counts, row),
      sum: doubleAt(sums, row),
      min: doubleAt(mins, row),
      max: doubleAt(maxs, row),
      last: doubleAt(lasts, row),
      lastTime: integerAt(lastTimes, row),
    }),
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
    (a.times[rowA]! < b.times[rowB]! ? -1 : a.times[rowA]! > b.times[rowB]! ? 1 : 0)
  );
}
