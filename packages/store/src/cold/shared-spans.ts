import type { SpanFile } from './spans/span-file.ts';
import { readSpanIdNumbers } from './spans/span-numbers.ts';

// Of the trace id and the span id together so many bits fit a number exactly.
const SPAN_BITS = 2 ** 21;

/**
 * Whether two files may have a copy of the same span. Looks at ids in part and not at starts, so once in a thousand
 * files it says yes for nothing, which costs a merge.
 *
 * @throws `TracewellError` (`TW_COLD_DAMAGED`)
 */
export function shareSpans(file: SpanFile, other: SpanFile): boolean {
  const [smaller, larger] = file.rows <= other.rows ? [file, other] : [other, file];
  const keys = new Set<number>();
  for (const key of keysOf(smaller)) keys.add(key);
  for (const key of keysOf(larger)) if (keys.has(key)) return true;
  return false;
}

function* keysOf({ parquet }: SpanFile): Generator<number> {
  for (let group = 0; group < parquet.rowGroups; group++) {
    const { traceIds, spanIds } = readSpanIdNumbers(parquet, group);
    const count = parquet.rowsOf(group);
    for (let row = 0; row < count; row++) {
      yield traceIds[2 * row + 1]! * SPAN_BITS + (spanIds[2 * row + 1]! % SPAN_BITS);
    }
  }
}
