import type { Sink } from '../../parquet/output.ts';
import { ParquetWriter } from '../../parquet/writer.ts';
import { SPAN_COLUMNS } from './columns.ts';
import { SpanRowGroup } from './row-group.ts';
import type { SpanSorter } from './span-sorter.ts';

/** How many rows a row group has at most, and about how many bytes. */
const GROUP_ROWS = 1 << 16;
const GROUP_BYTES = 64 << 20;

/** The format of span files, named in their footers. Raise it when the meaning of a column changes. */
export const SPAN_FILE_VERSION = '1';

/** What was written. */
export interface SpanFileSummary {
  readonly rows: number;
  readonly bytes: number;
  /** When the first and the last of the spans started. */
  readonly minStartUnixNanos: bigint;
  readonly maxStartUnixNanos: bigint;
}

/** How span files are written. */
export interface SpanFileOptions {
  /** What the footer is to say beside its own: which segments the file stands for. */
  readonly keyValues?: ReadonlyMap<string, string>;
  /** Only spans that started in this hour, counted from the Unix epoch. Default all. */
  readonly hour?: number;
}

/**
 * Writes the spans of a sorter to a file. In memory are one row group, of 65,536 rows or about 64 MiB, and what the
 * sorter has.
 *
 * @returns `undefined` if there are no spans; then there is no file either
 *
 * @example
 * ```ts sketch
 * const sorter = new SpanSorter();
 * for (const request of requests) sorter.add(request);
 * for (const hour of sorter.hours()) writeSpanFile(sorter, sinkOf(hour), { hour });
 * ```
 */
export function writeSpanFile(
  sorter: SpanSorter,
  sink: Sink,
  options: SpanFileOptions = {},
): SpanFileSummary | undefined {
  const order = sorter.sorted(options.hour);
  if (order.length === 0) return undefined;
  const writer = new SpanFileWriter(sink);
  const resources = new Int32Array(sorter.origins).fill(-1);
  const scopes = new Int32Array(sorter.origins).fill(-1);
  const { group } = writer;
  for (const span of order) {
    const number = sorter.originOf(span);
    if (resources[number]! < 0) {
      const origin = sorter.origin(number);
      resources[number] = group.origins.resource(origin);
      scopes[number] = group.origins.scope(origin);
    }
    group.add(
      sorter.requestOf(span),
      sorter.spanStart(span),
      sorter.spanEnd(span),
      resources[number]!,
      scopes[number]!,
    );
    if (writer.endRow()) {
      resources.fill(-1);
      scopes.fill(-1);
    }
  }
  return writer.finish(options.keyValues);
}

/** Writes row groups as they fill up. */
export class SpanFileWriter {
  readonly group = new SpanRowGroup();
  readonly #writer: ParquetWriter;
  #minStart = 0xffff_ffff_ffff_ffffn;
  #maxStart = 0n;

  constructor(sink: Sink) {
    this.#writer = new ParquetWriter(sink, SPAN_COLUMNS, {
      sortedBy: ['trace_id', 'start_time', 'span_id'],
      compression: 3,
    });
  }

  /** To be called after each row; returns whether it ended a row group, which forgets all resources and scopes. */
  endRow(): boolean {
    const { group } = this;
    if (group.rows < GROUP_ROWS && group.byteLength < GROUP_BYTES) return false;
    this.#writeGroup();
    return true;
  }

  /** Writes what is left. */
  finish(keyValues: ReadonlyMap<string, string> = new Map()): SpanFileSummary {
    this.#writeGroup();
    const minStartUnixNanos = this.#minStart;
    const maxStartUnixNanos = this.#maxStart;
    const own = [
      ['tracewell.signal', 'spans'],
      ['tracewell.version', SPAN_FILE_VERSION],
      ['tracewell.min_start', String(minStartUnixNanos)],
      ['tracewell.max_start', String(maxStartUnixNanos)],
    ] as const;
    const { rows, bytes } = this.#writer.finish(new Map([...keyValues, ...own]));
    return { rows, bytes, minStartUnixNanos, maxStartUnixNanos };
  }

  #writeGroup(): void {
    const { group } = this;
    if (group.minStart < this.#minStart) this.#minStart = group.minStart;
    if (group.maxStart > this.#maxStart) this.#maxStart = group.maxStart;
    this.#writer.writeRowGroup(group.rows, group.columns());
    group.clear();
  }
}
