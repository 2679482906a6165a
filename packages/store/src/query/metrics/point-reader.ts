import { decodeDataPoint, type MetricPointData, type MetricType } from '@tracewell/otlp';
import type { PlacedPointBlock } from '../../hot/metrics/metric-index.ts';
import { PageCache } from '../page-cache.ts';

/** Reads data points back from their segments: only those that are asked for, decoded from the bytes as they came. */
export class PointReader {
  /** Points that could not be decoded. */
  unreadable = 0;
  readonly #pages = new PageCache();

  /**
   * The point of a row; `undefined`, and counted, if its bytes cannot be decoded.
   *
   * @throws `TracewellError` (`TW_LOG_READ_FAILED`) if its file cannot be read
   */
  read({ index, block }: PlacedPointBlock, row: number, type: MetricType): MetricPointData | undefined {
    const length = block.lengthOf(row);
    const at = this.#pages.locate(index, block.offsetOf(row), length);
    try {
      return decodeDataPoint(this.#pages.bytes, at, at + length, type);
    } catch {
      this.unreadable++;
      return undefined;
    }
  }
}
