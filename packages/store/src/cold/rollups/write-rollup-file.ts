import { decodeDataPoint, type MetricPointData } from '@tracewell/otlp';
import type { Sink } from '../../parquet/output.ts';
import { ParquetWriter } from '../../parquet/writer.ts';
import { POINT_LAYOUTS } from '../metrics/point-layout.ts';
import type { PointSorter } from '../metrics/point-sorter.ts';
import type { MetricHead } from '../metrics/row-group.ts';
import { ROLLUP_COLUMNS, ROLLUP_NANOS, ROLLUP_ORDER } from './columns.ts';
import { join, type Rollup } from './rollup.ts';
import { type Labels, type RollupPlace, RollupRowGroup } from './row-group.ts';

/** How many rows a row group has at most. */
const GROUP_ROWS = 1 << 16;

const HOURS_PER_DAY = 24;

/** The format of rollup files, named in their footers. Raise it when the meaning of a column changes. */
export const ROLLUP_FILE_VERSION = '1';

/** What was written. */
export interface RollupFileSummary {
  readonly rows: number;
  readonly bytes: number;
  /** When the first and the last of the five minutes begin. */
  readonly minTimeUnixNanos: bigint;
  readonly maxTimeUnixNanos: bigint;
}

/** How rollup files are written. */
export interface RollupFileOptions {
  /** What the footer is to say beside its own: which segments the file stands for. */
  readonly keyValues?: ReadonlyMap<string, string>;
  /** Only points that were taken on this day (UTC), counted from the Unix epoch. Default all. */
  readonly day?: number;
}

/** The days since the Unix epoch on which the points of a sorter were taken, ascending. */
export function daysOf(sorter: PointSorter): number[] {
  return [...new Set(sorter.hours().map((hour) => Math.floor(hour / HOURS_PER_DAY)))];
}

/**
 * Writes what the points of a sorter say in five minutes each to a file.
 *
 * @returns `undefined` if there are no points with a value; then there is no file either
 */
export function writeRollupFile(
  sorter: PointSorter,
  sink: Sink,
  options: RollupFileOptions = {},
): RollupFileSummary | undefined {
  const { day } = options;
  const order = sorter.sorted((hour) => day === undefined || Math.floor(hour / HOURS_PER_DAY) === day);
  let writer: RollupFileWriter | undefined;
  let open: { readonly point: number; readonly time: bigint; readonly rollup: Rollup } | undefined;
  const write = (): void => {
    if (open === undefined) return;
    const { point, time, rollup } = open;
    writer ??= new RollupFileWriter(sink);
    const metric = sorter.metricOf(point);
    const origin = sorter.origins.origin(metric.origin);
    const place = {
      resource: writer.origins.resource(origin),
      scope: writer.origins.scope(origin),
      series: sorter.seriesIdOf(point),
      time,
    };
    const labels = {
      bytes: metric.bytes,
      start: sorter.startOf(point),
      end: sorter.endOf(point),
      key: POINT_LAYOUTS[metric.type].attributes,
    };
    writer.add(metric, labels, place, rollup);
    open = undefined;
  };
  for (const point of order) {
    const metric = sorter.metricOf(point);
    const start = sorter.startOf(point);
    const decoded = decodeDataPoint(metric.bytes, start, sorter.endOf(point), metric.type);
    const rollup = rollupOf(metric, decoded);
    if (rollup === undefined) continue;
    const time = startOf(decoded.timeUnixNanos);
    if (open !== undefined && open.time === time && sameSeries(sorter, open.point, point)) {
      join(open.rollup, rollup);
      continue;
    }
    write();
    open = { point, time, rollup };
  }
  write();
  return writer?.finish(options.keyValues);
}

function sameSeries(sorter: PointSorter, a: number, b: number): boolean {
  const left = sorter.seriesIdOf(a);
  const right = sorter.seriesIdOf(b);
  return left.high === right.high && left.low === right.low;
}

const LATEST = 2n ** 63n - 1n;

/** When the five minutes of a time begin. */
function startOf(time: bigint): bigint {
  const cut = time > LATEST ? LATEST : time;
  return cut - (cut % ROLLUP_NANOS);
}

/** What one point says; nothing if it has no value. */
export function rollupOf(metric: MetricHead, point: MetricPointData): Rollup | undefined {
  const { timeUnixNanos: lastTime } = point;
  if ('value' in point) {
    if (point.value === undefined || Number.isNaN(Number(point.value))) return undefined;
    const value = Number(point.value);
    return { count: 1n, sum: value, min: value, max: value, last: value, lastTime, isTotal: false };
  }
  if ((point.flags & 1) === 1) return undefined;
  const isTotal = metric.type === 'summary' || metric.temporality !== 1;
  const { count, sum } = point;
  const { min, max } = 'min' in point ? point : { min: undefined, max: undefined };
  return { count, sum, min, max, last: undefined, lastTime, isTotal };
}

/** Writes row groups as they fill up. */
export class RollupFileWriter {
  readonly #group = new RollupRowGroup();
  readonly #writer: ParquetWriter;
  #minTime = LATEST;
  #maxTime = 0n;

  constructor(sink: Sink) {
    this.#writer = new ParquetWriter(sink, ROLLUP_COLUMNS, { sortedBy: ROLLUP_ORDER });
  }

  /** Numbers resources and scopes, until a row group ends. */
  get origins(): RollupRowGroup['origins'] {
    return this.#group.origins;
  }

  /** Adds a rollup; they must come in order. @returns whether that ended a row group, which forgets all origins */
  add(metric: MetricHead, labels: Labels, place: RollupPlace, rollup: Rollup): boolean {
    this.#group.add(metric, labels, place, rollup);
    if (place.time < this.#minTime) this.#minTime = place.time;
    if (place.time > this.#maxTime) this.#maxTime = place.time;
    if (this.#group.rows < GROUP_ROWS) return false;
    this.#writeGroup();
    return true;
  }

  /** Writes what is left. */
  finish(keyValues: ReadonlyMap<string, string> = new Map()): RollupFileSummary {
    this.#writeGroup();
    const minTimeUnixNanos = this.#minTime;
    const maxTimeUnixNanos = this.#maxTime;
    const own = [
      ['tracewell.signal', 'metrics_5m'],
      ['tracewell.version', ROLLUP_FILE_VERSION],
      ['tracewell.min_time', String(minTimeUnixNanos)],
      ['tracewell.max_time', String(maxTimeUnixNanos)],
    ] as const;
    const { rows, bytes } = this.#writer.finish(new Map([...keyValues, ...own]));
    return { rows, bytes, minTimeUnixNanos, maxTimeUnixNanos };
  }

  #writeGroup(): void {
    this.#writer.writeRowGroup(this.#group.rows, this.#group.columns());
    this.#group.clear();
  }
}
