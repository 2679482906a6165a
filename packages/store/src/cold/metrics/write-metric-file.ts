import type { Sink } from '../../parquet/output.ts';
import { ParquetWriter } from '../../parquet/writer.ts';
import { METRIC_COLUMNS, METRIC_ORDER } from './columns.ts';
import type { PointSorter } from './point-sorter.ts';
import { type MetricHead, type PointPlace, PointRowGroup } from './row-group.ts';

/** How many rows a row group has at most, and about how many bytes. */
const GROUP_ROWS = 1 << 16;
const GROUP_BYTES = 64 << 20;

/** The format of metric files, named in their footers. Raise it when the meaning of a column changes. */
export const METRIC_FILE_VERSION = '1';

/** What was written. */
export interface MetricFileSummary {
  readonly rows: number;
  readonly bytes: number;
  /** When the first and the last of the points were taken. */
  readonly minTimeUnixNanos: bigint;
  readonly maxTimeUnixNanos: bigint;
}

/** How metric files are written. */
export interface MetricFileOptions {
  /** What the footer is to say beside its own: which segments the file stands for. */
  readonly keyValues?: ReadonlyMap<string, string>;
  /** Only points that were taken in this hour, counted from the Unix epoch. Default all. */
  readonly hour?: number;
}

/**
 * Writes the points of a sorter to a file. In memory are one row group, of 65,536 rows or about 64 MiB, and what the
 * sorter has.
 *
 * @returns `undefined` if there are no points; then there is no file either
 *
 * @example
 * ```ts sketch
 * const sorter = new PointSorter();
 * for (const request of requests) sorter.add(request);
 * for (const hour of sorter.hours()) writeMetricFile(sorter, sinkOf(hour), { hour });
 * ```
 */
export function writeMetricFile(
  sorter: PointSorter,
  sink: Sink,
  options: MetricFileOptions = {},
): MetricFileSummary | undefined {
  const { hour } = options;
  const order = hour === undefined ? sorter.sorted() : sorter.sorted((each) => each === hour);
  if (order.length === 0) return undefined;
  const writer = new MetricFileWriter(sink);
  const resources = new Int32Array(sorter.origins.size).fill(-1);
  const scopes = new Int32Array(sorter.origins.size).fill(-1);
  for (const point of order) {
    const metric = sorter.metricOf(point);
    const number = metric.origin;
    if (resources[number]! < 0) {
      const origin = sorter.origins.origin(number);
      resources[number] = writer.origins.resource(origin);
      scopes[number] = writer.origins.scope(origin);
    }
    const place = {
      resource: resources[number]!,
      scope: scopes[number]!,
      series: sorter.seriesIdOf(point),
      request: sorter.requestIdOf(point),
      index: sorter.indexOf(point),
    };
    const { bytes } = metric;
    if (writer.add(metric, bytes, sorter.startOf(point), sorter.endOf(point), place, sorter.timeOf(point))) {
      resources.fill(-1);
      scopes.fill(-1);
    }
  }
  return writer.finish(options.keyValues);
}

/** Writes row groups as they fill up. */
export class MetricFileWriter {
  readonly #group = new PointRowGroup();
  readonly #writer: ParquetWriter;
  #minTime = 0xffff_ffff_ffff_ffffn;
  #maxTime = 0n;

  constructor(sink: Sink) {
    this.#writer = new ParquetWriter(sink, METRIC_COLUMNS, { sortedBy: METRIC_ORDER });
  }

  /** Numbers resources and scopes, until a row group ends. */
  get origins(): PointRowGroup['origins'] {
    return this.#group.origins;
  }

  /**
   * Adds the message of a data point from `start` to `end`; points must come in order.
   *
   * @param time - when it was taken
   * @returns whether that ended a row group, which forgets all resources and scopes
   */
  add(
    metric: MetricHead,
    bytes: Uint8Array,
    start: number,
    end: number,
    place: PointPlace,
    time: bigint,
  ): boolean {
    const group = this.#group;
    group.add(metric, bytes, start, end, place);
    if (time < this.#minTime) this.#minTime = time;
    if (time > this.#maxTime) this.#maxTime = time;
    if (group.rows < GROUP_ROWS && group.byteLength < GROUP_BYTES) return false;
    this.#writeGroup();
    return true;
  }

  /** Writes what is left. */
  finish(keyValues: ReadonlyMap<string, string> = new Map()): MetricFileSummary {
    this.#writeGroup();
    const minTimeUnixNanos = this.#minTime;
    const maxTimeUnixNanos = this.#maxTime;
    const own = [
      ['tracewell.signal', 'metrics'],
      ['tracewell.version', METRIC_FILE_VERSION],
      ['tracewell.min_start', String(minTimeUnixNanos)],
      ['tracewell.max_start', String(maxTimeUnixNanos)],
    ] as const;
    const { rows, bytes } = this.#writer.finish(new Map([...keyValues, ...own]));
    return { rows, bytes, minTimeUnixNanos, maxTimeUnixNanos };
  }

  #writeGroup(): void {
    this.#writer.writeRowGroup(this.#group.rows, this.#group.columns());
    this.#group.clear();
  }
}
