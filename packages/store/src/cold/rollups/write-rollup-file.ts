import type { Sink } from '../../parquet/output.ts';
import { ParquetWriter } from '../../parquet/writer.ts';
import type { MetricHead } from '../metrics/row-group.ts';
import { ROLLUP_COLUMNS, ROLLUP_ORDER } from './columns.ts';
import type { Rollup } from './rollup.ts';
import { type Labels, type RollupPlace, RollupRowGroup } from './row-group.ts';

/** How many rows a row group has at most. */
const GROUP_ROWS = 1 << 16;

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

/** Writes row groups of rollups as they fill up. */
export class RollupFileWriter {
  readonly #group = new RollupRowGroup();
  readonly #writer: ParquetWriter;
  #minTime = 0xffff_ffff_ffff_ffffn;
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
