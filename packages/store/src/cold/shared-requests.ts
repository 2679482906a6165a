import type { ParquetFile } from '../parquet/file.ts';
import type { DictionaryValues } from '../parquet/values.ts';
import { readFlat } from './flat-column.ts';

/**
 * Whether two files may have a copy of the same log record or point: whether both have rows of the same request.
 *
 * @throws `TracewellError` (`TW_COLD_DAMAGED`)
 */
export function shareRequests(file: ParquetFile, other: ParquetFile): boolean {
  const known = new Set(requestsOf(file));
  for (const request of requestsOf(other)) if (known.has(request)) return true;
  return false;
}

function* requestsOf(file: ParquetFile): Generator<string> {
  for (let group = 0; group < file.rowGroups; group++) {
    const { values } = readFlat(file, group, 'request', 0, 1);
    const requests = ('codes' in values ? (values as DictionaryValues).dictionary : values) as Uint32Array;
    for (let at = 0; at < requests.length; at += 2) yield `${requests[at + 1]} ${requests[at]}`;
  }
}
