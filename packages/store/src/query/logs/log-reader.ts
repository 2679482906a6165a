import { decodeLogRecord, type LogData } from '@tracewell/otlp';
import { TracewellError } from '@tracewell/plugin';
import type { PlacedLogBlock } from '../../hot/logs/log-index.ts';
import { OriginReader } from '../origins.ts';
import { PageCache } from '../page-cache.ts';

/** Reads log records back from their segments: only those that are asked for, decoded from the bytes as they came. */
export class LogReader {
  /** Records that could not be decoded. */
  unreadable = 0;
  readonly #pages = new PageCache();
  readonly #origins = new OriginReader();

  /**
   * The record of a row; `undefined`, and counted, if its bytes cannot be decoded.
   *
   * @param needle - bytes that the record must hold: one without them is `undefined` and not decoded
   * @throws `TracewellError` (`TW_LOG_READ_FAILED`) if its file cannot be read
   */
  read({ index, block }: PlacedLogBlock, row: number, needle?: Buffer): LogData | undefined {
    const length = block.lengthOf(row);
    const at = this.#pages.locate(index, block.offsetOf(row), length);
    const { bytes } = this.#pages;
    if (needle !== undefined && !Buffer.from(bytes.buffer, bytes.byteOffset + at, length).includes(needle)) {
      return undefined;
    }
    try {
      const { resource, scope } = this.#origins.read(index, block.groupOf(row));
      return decodeLogRecord(bytes, at, at + length, resource, scope);
    } catch (error) {
      if (error instanceof TracewellError && error.code === 'TW_LOG_READ_FAILED') throw error;
      this.unreadable++;
      return undefined;
    }
  }
}

/**
 * The bytes that a record holds whose body contains a text; `undefined` if it need not hold any. What is not valid
 * UTF-8 decodes to U+FFFD, so looking for that by its bytes would miss it.
 */
export function needleOf(text: string | undefined): Buffer | undefined {
  if (text === undefined || text.includes('\ufffd')) return undefined;
  return Buffer.from(text);
}
