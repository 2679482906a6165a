import { decodeSpan } from '@tracewell/otlp';
import { type SpanData, TracewellError } from '@tracewell/plugin';
import type { Block } from '../../hot/spans/block.ts';
import type { PlacedBlock } from '../../hot/spans/cross-copies.ts';
import type { SegmentIndex } from '../../hot/spans/segment-index.ts';
import { OriginReader } from '../origins.ts';
import { PageCache } from '../page-cache.ts';

/** Reads spans back from their segments: only those that are asked for, decoded from the bytes as they came. */
export class SpanReader {
  /** Spans that could not be decoded. */
  unreadable = 0;
  readonly #pages = new PageCache();
  readonly #origins = new OriginReader();

  /**
   * The span of a row; `undefined`, and counted, if its bytes cannot be decoded.
   *
   * @throws `TracewellError` (`TW_LOG_READ_FAILED`) if its file cannot be read
   */
  read({ index, block }: PlacedBlock, row: number): SpanData | undefined {
    const at = this.#pages.locate(index, block.offsetOf(row), block.lengthOf(row));
    return this.#decode(this.#pages.bytes, at, index, block, row);
  }

  #decode(
    bytes: Uint8Array,
    at: number,
    index: SegmentIndex,
    block: Block,
    row: number,
  ): SpanData | undefined {
    try {
      const { resource, scope } = this.#origins.read(index, block.groupOf(row));
      return decodeSpan(bytes, at, at + block.lengthOf(row), resource, scope);
    } catch (error) {
      if (error instanceof TracewellError && error.code === 'TW_LOG_READ_FAILED') throw error;
      this.unreadable++;
      return undefined;
    }
  }
}
