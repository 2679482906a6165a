import type { Comment } from '../../comments/comment.ts';
import type { ParquetFile } from '../../parquet/file.ts';
import type { BytesValues, FlatColumn } from '../../parquet/values.ts';
import { readFlat } from '../flat-column.ts';

/**
 * The comments of a file, in its order.
 *
 * @param traceId - only those on this trace; whether there can be any is asked of the file's filter first
 * @throws `TracewellError` (`TW_COLD_DAMAGED`)
 */
export function* readComments(file: ParquetFile, traceId?: string): Generator<Comment> {
  const wanted = traceId === undefined ? undefined : Buffer.from(traceId);
  for (let group = 0; group < file.rowGroups; group++) {
    if (wanted !== undefined && !file.mayHave(group, 'trace_id', wanted)) continue;
    const count = file.rowsOf(group);
    const text = (name: string): ((row: number) => string | undefined) =>
      textsOf(readFlat(file, group, name, 0, count));
    const [id, trace, span, author, said] = ['id', 'trace_id', 'span_id', 'author', 'text'].map(text);
    const times = (readFlat(file, group, 'time_unix_nanos', 0, count).values as Uint32Array).slice();
    for (let row = 0; row < count; row++) {
      if (traceId !== undefined && trace!(row) !== traceId) continue;
      const spanId = span!(row);
      yield {
        id: id!(row)!,
        traceId: trace!(row)!,
        ...(spanId !== undefined && { spanId }),
        author: author!(row)!,
        text: said!(row)!,
        timeUnixNanos: (BigInt(times[2 * row + 1]!) << 32n) | BigInt(times[2 * row]!),
      };
    }
  }
}

function textsOf({ values, valid }: FlatColumn): (row: number) => string | undefined {
  const codes = 'codes' in values ? values.codes : undefined;
  const { bytes, offsets } = ('codes' in values ? values.dictionary : values) as BytesValues;
  return (row) => {
    if (valid !== undefined && valid[row] === 0) return undefined;
    const at = codes === undefined ? row : codes[row]!;
    return Buffer.from(
      bytes.buffer,
      bytes.byteOffset + offsets[at]!,
      offsets[at + 1]! - offsets[at]!,
    ).toString();
  };
}
