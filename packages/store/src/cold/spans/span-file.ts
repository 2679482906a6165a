import type { SpanData } from '@tracewell/plugin';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { ParquetFile, type ReadableFile } from '../../parquet/file.ts';
import type { BytesValues, FlatColumn } from '../../parquet/values.ts';
import { PayloadReader } from '../../payloads/bring-back.ts';
import { DecodedOrigins } from '../origin-messages.ts';
import { decodeRow } from './rebuild.ts';
import { readSpanRows } from './span-rows.ts';

/**
 * A span file that is open: reads of it what is asked for.
 *
 * @example
 * ```ts sketch
 * const file = SpanFile.open(nodeFileSystem.openSync(path, 'read'), path);
 * const spans = file.readTrace('0af7651916cd43dd8448eb211c80319c');
 * ```
 */
export class SpanFile {
  readonly parquet: ParquetFile;
  readonly #origins = new DecodedOrigins();
  readonly #payloads: PayloadReader | undefined;

  private constructor(parquet: ParquetFile, blobs: Pick<BlobStore, 'get'> | undefined) {
    this.parquet = parquet;
    this.#payloads = PayloadReader.of(parquet, blobs);
  }

  /**
   * @param blobs - where large values are; without them spans have their beginnings
   * @throws `TracewellError` (`TW_COLD_DAMAGED`)
   */
  static open(file: ReadableFile, path: string, blobs?: Pick<BlobStore, 'get'>): SpanFile {
    return new SpanFile(ParquetFile.open(file, path), blobs);
  }

  /** How many spans there are. */
  get rows(): number {
    return this.parquet.rows;
  }

  /**
   * The spans of a trace, in the order in which they started; none if it has no spans here, which the filter tells
   * without a read but for one trace in 200.
   *
   * @param traceId - 32 lower-case hex digits
   * @throws `TracewellError` (`TW_COLD_DAMAGED`)
   */
  readTrace(traceId: string): SpanData[] {
    const { parquet } = this;
    const id = Buffer.from(traceId, 'latin1');
    const spans: SpanData[] = [];
    for (let group = 0; group < parquet.rowGroups; group++) {
      const range = parquet.statistics(group, 'trace_id')?.range;
      if (range !== undefined && (Buffer.compare(id, range.min) < 0 || Buffer.compare(id, range.max) > 0))
        continue;
      if (!parquet.mayHave(group, 'trace_id', id)) continue;
      const [from, to] = this.#rowsOfTrace(group, id);
      if (to === from) continue;
      const rows = readSpanRows(parquet, group, from, to, id);
      for (let row = 0; row < rows.count; row++)
        spans.push(decodeRow(rows, row, this.#origins, this.#payloads));
    }
    return spans;
  }

  /**
   * The spans of some rows of a row group, given in ascending order. Rows near each other are read together.
   *
   * @throws `TracewellError` (`TW_COLD_DAMAGED`)
   */
  *readRows(group: number, numbers: ArrayLike<number>): Generator<SpanData> {
    for (let from = 0; from < numbers.length; ) {
      const first = numbers[from]!;
      let to = from + 1;
      while (to < numbers.length && numbers[to]! - numbers[to - 1]! < NEAR && numbers[to]! - first < MOST)
        to++;
      const rows = readSpanRows(this.parquet, group, first, numbers[to - 1]! + 1);
      for (; from < to; from++) yield decodeRow(rows, numbers[from]! - first, this.#origins, this.#payloads);
    }
  }

  /** The rows of a row group that have a trace id, which follow each other. */
  #rowsOfTrace(group: number, id: Uint8Array): readonly [from: number, to: number] {
    const { parquet } = this;
    const pages = parquet.pages(group, 'trace_id');
    const statistics = parquet.pageStatistics(group, 'trace_id');
    let from = -1;
    let to = -1;
    for (let page = 0; page < pages.length; page++) {
      const range = statistics?.[page]?.range;
      if (range !== undefined && Buffer.compare(id, range.max) > 0) continue;
      if (range !== undefined && Buffer.compare(id, range.min) < 0) break;
      const first = pages[page]!.firstRow;
      const end = pages[page + 1]?.firstRow ?? parquet.rowsOf(group);
      const { values } = parquet.readColumn(group, 'trace_id', first, end) as FlatColumn;
      const { bytes, offsets } = values as BytesValues;
      for (let row = 0; row < end - first; row++) {
        if (!sameBytes(bytes, offsets[row]!, offsets[row + 1]!, id)) {
          if (from >= 0) return [from, to];
          continue;
        }
        if (from < 0) from = first + row;
        to = first + row + 1;
      }
    }
    return from < 0 ? [0, 0] : [from, to];
  }
}

function sameBytes(bytes: Uint8Array, start: number, end: number, other: Uint8Array): boolean {
  if (end - start !== other.length) return false;
  // The last bytes differ more often than the first: rows are sorted.
  for (let index = other.length - 1; index >= 0; index--)
    if (bytes[start + index] !== other[index]) return false;
  return true;
}

// Rows less than a page apart are mostly on the same pages, or on neighbours; so many are decoded at once.
const NEAR = 4096;
const MOST = 32_768;
