import type { MetricType } from '@tracewell/otlp';
import { ParquetFile, type ReadableFile } from '../../parquet/file.ts';
import type { FlatColumn } from '../../parquet/values.ts';
import { hasAttributes } from '../../query/attributes.ts';
import type { KeyedPoint, SeriesHead } from '../../query/metrics/find-metrics.ts';
import type { SeriesTally } from '../../query/metrics/list-metrics.ts';
import type { MetricPlan } from '../../query/metrics/plan.ts';
import {
  comparePointKeys,
  compareSeriesKeys,
  type PointKey,
  type SeriesKey,
} from '../../query/metrics/series-order.ts';
import { readFlat } from '../flat-column.ts';
import { DecodedOrigins } from '../origin-messages.ts';
import { type RowKeys, readRowKeys } from '../row-keys.ts';
import { intersection, type RowRange, rangesWithText, rangesWithTime } from '../row-ranges.ts';
import { isThere, type TextAt, textAt } from '../text-at.ts';
import { equalTo } from '../text-filter.ts';
import { POINT_TIME_KEYS } from './columns.ts';
import { decodeMetricRow, decodePointRow, type PointRows, readPointRows } from './point-rows.ts';

// Rows read at once at the beginning, then more and more: a page of points needs few, a long list many.
const FIRST_STRETCH = 256;
const MAX_STRETCH = 8192;

/** Rows of a series that follow each other in a row group. */
interface Run {
  readonly key: SeriesKey;
  readonly group: number;
  readonly from: number;
  readonly to: number;
}

/**
 * A metric file that is open: reads of it what is asked for.
 *
 * @example
 * ```ts sketch
 * const file = MetricFile.open(nodeFileSystem.openSync(path, 'read'), path);
 * for (const found of file.points(plan)) console.log(found?.series.metric.name, found?.point);
 * ```
 */
export class MetricFile {
  readonly parquet: ParquetFile;
  readonly #origins = new DecodedOrigins();

  private constructor(parquet: ParquetFile) {
    this.parquet = parquet;
  }

  /** @throws `TracewellError` (`TW_COLD_DAMAGED`) */
  static open(file: ReadableFile, path: string): MetricFile {
    return new MetricFile(ParquetFile.open(file, path));
  }

  /** How many points there are. */
  get rows(): number {
    return this.parquet.rows;
  }

  /**
   * The points that match a plan, in the order of series, those of each newest first; those behind `plan.after`. The
   * limit is left to the caller, who stops taking. Between points come `undefined`s: moments at which a long search
   * can let others have their turn.
   *
   * @throws `TracewellError` (`TW_COLD_DAMAGED`)
   */
  *points(plan: MetricPlan): Generator<KeyedPoint | undefined> {
    const series = yield* this.#series(plan);
    const window = new Window(this.parquet);
    for (const runs of series) {
      if (plan.after !== undefined && compareSeriesKeys(runs[0]!.key, plan.after) < 0) continue;
      yield* this.#pointsOf(runs, plan, window);
    }
  }

  /**
   * What is known of each series, of its points that were taken at `minTime` or later; a series that goes on in
   * another row group comes again. Between them come `undefined`s, as in {@link MetricFile.points}.
   *
   * @throws `TracewellError` (`TW_COLD_DAMAGED`)
   */
  *tallies(minTime: bigint): Generator<SeriesTally | undefined> {
    for (let group = 0; group < this.parquet.rowGroups; group++) {
      yield undefined;
      const count = this.parquet.rowsOf(group);
      const text = (name: string): ((row: number) => string) =>
        textsOf(readFlat(this.parquet, group, name, 0, count));
      const types = text('type');
      const units = text('unit');
      const descriptions = text('description');
      const services = text('service_name');
      const keys = readRowKeys(this.parquet, group, 0, count, POINT_TIME_KEYS);
      for (const { key, from, to } of runsIn(this.parquet, group, [0, count], ALL)) {
        let points = 0;
        let firstUnixNanos = 0n;
        let lastUnixNanos = 0n;
        for (let row = from; row < to; row++) {
          const time = keys.time(row);
          if (time < minTime) continue;
          if (points === 0 || time < firstUnixNanos) firstUnixNanos = time;
          if (time > lastUnixNanos) lastUnixNanos = time;
          points++;
        }
        if (points === 0) continue;
        yield {
          ...key,
          type: types(from) as MetricType,
          unit: units(from),
          description: descriptions(from),
          service: services(from),
          points,
          firstUnixNanos,
          lastUnixNanos,
        };
      }
    }
  }

  /** The runs of each series that may match, in the order of series. */
  *#series(plan: MetricPlan): Generator<undefined, Run[][]> {
    const found: Run[][] = [];
    for (let group = 0; group < this.parquet.rowGroups; group++) {
      for (const range of this.#rangesOf(group, plan)) {
        for (const run of runsIn(this.parquet, group, range, plan)) {
          const last = found.at(-1);
          if (last !== undefined && compareSeriesKeys(last[0]!.key, run.key) === 0) last.push(run);
          else found.push([run]);
        }
      }
      yield undefined;
    }
    // Files order names by their bytes, which is not how all texts compare.
    return found.sort((a, b) => compareSeriesKeys(a[0]!.key, b[0]!.key));
  }

  /** The rows of a row group that may match, as statistics tell. */
  #rangesOf(group: number, plan: MetricPlan): RowRange[] {
    const { parquet } = this;
    let ranges = rangesWithTime(parquet, group, 'time', plan.minStart, plan.maxStart);
    for (const [column, wanted] of [
      ['name', plan.name],
      ['service_name', plan.service],
      ['type', plan.type],
    ] as const) {
      if (wanted !== undefined) ranges = intersection(ranges, rangesWithText(parquet, group, column, wanted));
    }
    return ranges;
  }

  /** The points of a series, newest first. */
  *#pointsOf(runs: readonly Run[], plan: MetricPlan, window: Window): Generator<KeyedPoint | undefined> {
    let series: SeriesHead | undefined;
    for (const { key, group, from, to } of runs.toReversed()) {
      for (let end = to; end > from; ) {
        const { first, rows, keys, isNew } = window.read(group, from, end);
        if (isNew) yield undefined;
        const start = Math.max(from, first);
        if (series === undefined) {
          series = this.#head(rows, start - first);
          const { metric, labels } = series;
          if (!hasAttributes({ attributes: labels, resource: metric.resource }, plan.labels)) return;
        }
        for (const row of newestFirst(keys, start - first, end - first)) {
          const pointKey: PointKey = { ...key, ...keys.key(row) };
          if (pointKey.timeUnixNanos < plan.minStart || pointKey.timeUnixNanos > plan.maxStart) continue;
          if (plan.after !== undefined && comparePointKeys(pointKey, plan.after) <= 0) continue;
          yield { key: pointKey, point: decodePointRow(rows, row), series };
        }
        end = start;
      }
    }
  }

  #head(rows: PointRows, row: number): SeriesHead {
    const metric = decodeMetricRow(rows, row, this.#origins);
    return { metric, labels: decodePointRow(rows, row).attributes };
  }
}

/** What tells series apart without their labels. */
type SeriesFilter = Pick<MetricPlan, 'name' | 'type' | 'service'>;

const ALL: SeriesFilter = { name: undefined, type: undefined, service: undefined };

/** The runs of the series that may match in some rows of a row group. */
function* runsIn(file: ParquetFile, group: number, [from, to]: RowRange, plan: SeriesFilter): Generator<Run> {
  const flat = (name: string): FlatColumn => readFlat(file, group, name, from, to);
  const tests: ((row: number) => boolean)[] = [];
  if (plan.name !== undefined) tests.push(equalTo(flat('name'), plan.name));
  if (plan.type !== undefined) tests.push(equalTo(flat('type'), plan.type satisfies MetricType));
  if (plan.service !== undefined) tests.push(equalTo(flat('service_name'), plan.service));
  const names = textsOf(flat('name'));
  const ids = flat('series').values as Uint32Array;
  for (let row = 0; row < to - from; ) {
    let end = row + 1;
    while (end < to - from && ids[2 * end] === ids[2 * row] && ids[2 * end + 1] === ids[2 * row + 1]) end++;
    if (tests.every((test) => test(row))) {
      const series = (BigInt(ids[2 * row + 1]!) << 32n) | BigInt(ids[2 * row]!);
      yield { key: { name: names(row), series }, group, from: from + row, to: from + end };
    }
    row = end;
  }
}

/** Gives the text of a row; an empty one for a null. */
function textsOf(column: FlatColumn): (row: number) => string {
  return (row) => {
    if (!isThere(column, row)) return '';
    textAt(column.values, row, text);
    return Buffer.from(
      text.bytes.buffer,
      text.bytes.byteOffset + text.start,
      text.end - text.start,
    ).toString();
  };
}

const text: TextAt = { bytes: new Uint8Array(0), start: 0, end: 0 };

/** The rows of a series from the last to the first; those whose times the column had to cut stand in any order. */
function newestFirst(keys: RowKeys, from: number, to: number): number[] {
  const rows = Array.from({ length: to - from }, (_, index) => to - 1 - index);
  return keys.isCut(to - 1) ? rows.sort((a, b) => keys.compare(a, keys, b)) : rows;
}

/** The rows that were read last: those of the next series mostly stand beside them. */
class Window {
  readonly #file: ParquetFile;
  #stretch = FIRST_STRETCH;
  #group = -1;
  #first = 0;
  #end = 0;
  #rows!: PointRows;
  #keys!: RowKeys;

  constructor(file: ParquetFile) {
    this.#file = file;
  }

  /** Rows of a row group, the last ones before `end` among them; as many from `from` on as there is room for. */
  read(
    group: number,
    from: number,
    end: number,
  ): { readonly first: number; readonly rows: PointRows; readonly keys: RowKeys; readonly isNew: boolean } {
    const isNew = group !== this.#group || end > this.#end || end <= this.#first;
    if (isNew) {
      const first = Math.max(from, end - this.#stretch);
      const last = Math.min(this.#file.rowsOf(group), Math.max(end, first + this.#stretch));
      this.#group = group;
      this.#first = first;
      this.#end = last;
      this.#rows = readPointRows(this.#file, group, first, last);
      this.#keys = readRowKeys(this.#file, group, first, last, POINT_TIME_KEYS);
      this.#stretch = Math.min(this.#stretch * 2, MAX_STRETCH);
    }
    return { first: this.#first, rows: this.#rows, keys: this.#keys, isNew };
  }
}
