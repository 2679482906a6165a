import type { LogData } from '@tracewell/otlp';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { ParquetFile, type ReadableFile } from '../../parquet/file.ts';
import type { FlatColumn } from '../../parquet/values.ts';
import { PayloadReader } from '../../payloads/bring-back.ts';
import type { KeyedLog } from '../../query/logs/find-logs.ts';
import { matchesLog } from '../../query/logs/match.ts';
import type { LogPlan } from '../../query/logs/plan.ts';
import { readFlat } from '../flat-column.ts';
import { Candidates, timeFilter } from '../newest-rows.ts';
import { DecodedOrigins } from '../origin-messages.ts';
import { readRowKeys } from '../row-keys.ts';
import { intersection, type RowRange, rangesWith, rangesWithText, rangesWithTime } from '../row-ranges.ts';
import { equalTo } from '../text-filter.ts';
import { timeWindows } from '../time-windows.ts';
import { LOG_TIME_KEYS } from './columns.ts';
import { decodeLogRow, readLogRows } from './log-rows.ts';

/**
 * A log file that is open: reads of it what is asked for.
 *
 * @example
 * ```ts sketch
 * const file = LogFile.open(nodeFileSystem.openSync(path, 'read'), path);
 * for (const found of file.newest(plan)) console.log(found?.log.body);
 * ```
 */
export class LogFile {
  readonly parquet: ParquetFile;
  readonly #origins = new DecodedOrigins();
  readonly #payloads: PayloadReader | undefined;

  private constructor(parquet: ParquetFile, blobs: Pick<BlobStore, 'get'> | undefined) {
    this.parquet = parquet;
    this.#payloads = PayloadReader.of(parquet, blobs);
  }

  /**
   * @param blobs - where large values are; without them records have their beginnings
   * @throws `TracewellError` (`TW_COLD_DAMAGED`)
   */
  static open(file: ReadableFile, path: string, blobs?: Pick<BlobStore, 'get'>): LogFile {
    return new LogFile(ParquetFile.open(file, path), blobs);
  }

  /** How many records there are. */
  get rows(): number {
    return this.parquet.rows;
  }

  /**
   * The records that match a plan, newest first, each with its place in the order; those behind `plan.after`. The
   * limit is left to the caller, who stops taking. Between records come `undefined`s: moments at which a long search
   * can let others have their turn.
   *
   * @throws `TracewellError` (`TW_COLD_DAMAGED`)
   */
  *newest(plan: LogPlan): Generator<KeyedLog | undefined> {
    const { minStart, maxStart, after } = plan;
    const last = after !== undefined && after.timeUnixNanos < maxStart ? after.timeUnixNanos : maxStart;
    for (const { min, max } of timeWindows(this.parquet, minStart, last)) {
      yield* this.#newestWithin({ ...plan, minStart: min, maxStart: max });
    }
  }

  *#newestWithin(plan: LogPlan): Generator<KeyedLog | undefined> {
    const candidates = new Candidates();
    for (let group = 0; group < this.parquet.rowGroups; group++) {
      for (const range of this.#rangesOf(group, plan)) this.#collect(candidates, group, range, plan);
      yield undefined;
    }
    const found = candidates.newestFirst<LogData>((group, from, to) => {
      const rows = readLogRows(this.parquet, group, from, to);
      return (row) => decodeLogRow(rows, row, this.#origins, this.#payloads);
    });
    for (const each of found) {
      if (each === undefined) yield undefined;
      else if (matchesLog(each.row, plan)) yield { key: each.key, log: each.row };
    }
  }

  /** The rows of a row group that may match, as statistics and filters tell. */
  #rangesOf(group: number, plan: LogPlan): RowRange[] {
    const { parquet } = this;
    if (plan.traceId !== undefined && !parquet.mayHave(group, 'trace_id', Buffer.from(plan.traceId)))
      return [];
    let ranges = rangesWithTime(parquet, group, 'time', plan.minStart, plan.maxStart);
    if (plan.service !== undefined)
      ranges = intersection(ranges, rangesWithText(parquet, group, 'service_name', plan.service));
    if (plan.minSeverity > 0)
      ranges = intersection(
        ranges,
        rangesWith(parquet, group, 'severity_number', ({ max }) => max[0]! >= plan.minSeverity),
      );
    return ranges;
  }

  /** Adds the rows that may match, as the columns tell. */
  #collect(candidates: Candidates, group: number, [from, to]: RowRange, plan: LogPlan): void {
    const { parquet } = this;
    const flat = (name: string): FlatColumn => readFlat(parquet, group, name, from, to);
    const tests: ((place: number) => boolean)[] = [];
    if (plan.service !== undefined) tests.push(equalTo(flat('service_name'), plan.service));
    if (plan.traceId !== undefined) tests.push(equalTo(flat('trace_id'), plan.traceId));
    if (plan.spanId !== undefined) tests.push(equalTo(flat('span_id'), plan.spanId));
    if (plan.minSeverity > 0) {
      const severities = flat('severity_number').values as Int32Array;
      tests.push((place) => severities[place]! >= plan.minSeverity);
    }
    const keys = readRowKeys(parquet, group, from, to, LOG_TIME_KEYS);
    tests.push(timeFilter(keys, plan.minStart, plan.maxStart, plan.after));
    candidates.begin(group, from, keys);
    for (let place = 0; place < to - from; place++) {
      if (tests.every((test) => test(place))) candidates.add(place);
    }
  }
}
