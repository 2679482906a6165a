import type { RequestId } from '../../hot/request-id.ts';
import type { Sink } from '../../parquet/output.ts';
import { ParquetWriter } from '../../parquet/writer.ts';
import { LOG_COLUMNS, LOG_ORDER } from './columns.ts';
import type { LogSorter } from './log-sorter.ts';
import { LogRowGroup } from './row-group.ts';

/** How many rows a row group has at most, and about how many bytes. */
const GROUP_ROWS = 1 << 16;
const GROUP_BYTES = 64 << 20;

/** The format of log files, named in their footers. Raise it when the meaning of a column changes. */
export const LOG_FILE_VERSION = '1';

/** What was written. */
export interface LogFileSummary {
  readonly rows: number;
  readonly bytes: number;
  /** When the first and the last of the records happened or, if they do not say, were observed. */
  readonly minTimeUnixNanos: bigint;
  readonly maxTimeUnixNanos: bigint;
}

/** How log files are written. */
export interface LogFileOptions {
  /** What the footer is to say beside its own: which segments the file stands for. */
  readonly keyValues?: ReadonlyMap<string, string>;
  /** Only records that happened in this hour, counted from the Unix epoch. Default all. */
  readonly hour?: number;
}

/**
 * Writes the records of a sorter to a file. In memory are one row group, of 65,536 rows or about 64 MiB, and what the
 * sorter has.
 *
 * @returns `undefined` if there are no records; then there is no file either
 *
 * @example
 * ```ts sketch
 * const sorter = new LogSorter();
 * for (const request of requests) sorter.add(request);
 * for (const hour of sorter.hours()) writeLogFile(sorter, sinkOf(hour), { hour });
 * ```
 */
export function writeLogFile(
  sorter: LogSorter,
  sink: Sink,
  options: LogFileOptions = {},
): LogFileSummary | undefined {
  const order = sorter.sorted(options.hour);
  if (order.length === 0) return undefined;
  const writer = new LogFileWriter(sink);
  const resources = new Int32Array(sorter.origins).fill(-1);
  const scopes = new Int32Array(sorter.origins).fill(-1);
  for (const record of order) {
    const number = sorter.originOf(record);
    if (resources[number]! < 0) {
      const origin = sorter.origin(number);
      resources[number] = writer.origins.resource(origin);
      scopes[number] = writer.origins.scope(origin);
    }
    const ended = writer.add(
      sorter.requestOf(record),
      sorter.startOf(record),
      sorter.endOf(record),
      resources[number]!,
      scopes[number]!,
      sorter.requestIdOf(record),
      sorter.indexOf(record),
      sorter.timeOf(record),
    );
    if (!ended) continue;
    resources.fill(-1);
    scopes.fill(-1);
  }
  return writer.finish(options.keyValues);
}

/** Writes row groups as they fill up. */
export class LogFileWriter {
  readonly #group = new LogRowGroup();
  readonly #writer: ParquetWriter;
  #minTime = 0xffff_ffff_ffff_ffffn;
  #maxTime = 0n;

  constructor(sink: Sink) {
    this.#writer = new ParquetWriter(sink, LOG_COLUMNS, { sortedBy: LOG_ORDER });
  }

  /** Numbers resources and scopes, until a row group ends. */
  get origins(): LogRowGroup['origins'] {
    return this.#group.origins;
  }

  /**
   * Adds the `LogRecord` message from `start` to `end`; records must come in order.
   *
   * @param time - when it happened or, if it does not say, was observed
   * @returns whether that ended a row group, which forgets all resources and scopes
   */
  add(
    bytes: Uint8Array,
    start: number,
    end: number,
    resource: number,
    scope: number,
    request: RequestId,
    index: number,
    time: bigint,
  ): boolean {
    const group = this.#group;
    group.add(bytes, start, end, resource, scope, request, index);
    if (time < this.#minTime) this.#minTime = time;
    if (time > this.#maxTime) this.#maxTime = time;
    if (group.rows < GROUP_ROWS && group.byteLength < GROUP_BYTES) return false;
    this.#writeGroup();
    return true;
  }

  /** Writes what is left. */
  finish(keyValues: ReadonlyMap<string, string> = new Map()): LogFileSummary {
    this.#writeGroup();
    const minTimeUnixNanos = this.#minTime;
    const maxTimeUnixNanos = this.#maxTime;
    const own = [
      ['tracewell.signal', 'logs'],
      ['tracewell.version', LOG_FILE_VERSION],
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
