import type { SpanData } from '@tracewell/plugin';
import { FLAG_COPY } from '../../hot/spans/row.ts';
import type { SpanIndex } from '../../hot/spans/span-index.ts';
import { shown } from '../../shown.ts';
import { nextTurn, turnIsOver } from '../turn.ts';
import type { SpanReader } from './span-reader.ts';
import { withoutCopies } from './without-copies.ts';

const TRACE_ID = /^[0-9a-f]{32}$/i;

/** @throws TypeError, RangeError if it is no trace id */
export function checkTraceId(caller: string, traceId: string): string {
  if (typeof traceId !== 'string')
    throw new TypeError(`${caller}: traceId must be a string, got ${shown(traceId)}`);
  if (!TRACE_ID.test(traceId))
    throw new RangeError(`${caller}: traceId must be 32 hex digits, got ${shown(traceId)}`);
  return traceId.toLowerCase();
}

/** All spans of a trace, in the order in which they started. */
export async function findTrace(index: SpanIndex, traceId: string, reader: SpanReader): Promise<SpanData[]> {
  if (turnIsOver()) await nextTurn();
  const high = Number.parseInt(traceId.slice(16, 24), 16);
  const low = Number.parseInt(traceId.slice(24), 16);
  const spans: SpanData[] = [];
  for (const placed of index.blocksOfTrace(high, low)) {
    const { block } = placed;
    const rows: number[] = [];
    for (let row = block.lastRowOfTrace(high, low); row >= 0; row = block.nextInTrace[row]! - 1) {
      if ((block.flags[row]! & FLAG_COPY) === 0) rows.push(row);
    }
    if (rows.length === 0) continue;
    // In the order in which they lie in the file.
    for (let at = rows.length - 1; at >= 0; at--) {
      const span = reader.read(placed, rows[at]!);
      if (span?.traceId === traceId) spans.push(span);
      if (at % 16 === 0 && turnIsOver()) await nextTurn();
    }
  }
  return withoutCopies(spans).reverse();
}
