import { type SpanData, StatusCode, traceTree } from '@tracewell/plugin';
import { FLAG_COPY } from '../../hot/spans/row.ts';
import type { SpanIndex } from '../../hot/spans/span-index.ts';
import { shown } from '../../shown.ts';
import type { Trace } from '../../store.ts';
import { nextTurn, turnIsOver } from '../turn.ts';
import { serviceOf } from './match.ts';
import type { SpanReader } from './span-reader.ts';
import { withoutCopies } from './without-copies.ts';

const TRACE_ID = /^[0-9a-f]{32}$/i;

/** @throws TypeError, RangeError if it is no trace id */
export function checkTraceId(traceId: string): string {
  if (typeof traceId !== 'string')
    throw new TypeError(`getTrace: traceId must be a string, got ${shown(traceId)}`);
  if (!TRACE_ID.test(traceId))
    throw new RangeError(`getTrace: traceId must be 32 hex digits, got ${shown(traceId)}`);
  return traceId.toLowerCase();
}

/** All spans of a trace, put together; `undefined` if there is none. */
export async function findTrace(
  index: SpanIndex,
  traceId: string,
  reader: SpanReader,
): Promise<Trace | undefined> {
  if (turnIsOver()) await nextTurn();
  const high = Number.parseInt(traceId.slice(16, 24), 16);
  const low = Number.parseInt(traceId.slice(24), 16);
  const spans: SpanData[] = [];
  for (const placed of index.blocks()) {
    const { block } = placed;
    const rows: number[] = [];
    for (let row = block.lastRowOfTrace(high, low); row >= 0; row = block.nextInTrace[row]! - 1) {
      if ((block.flags[row]! & FLAG_COPY) === 0) rows.push(row);
    }
    if (rows.length === 0) continue;
    for (const span of reader.readMany(placed, rows.reverse())) {
      if (span.traceId === traceId) spans.push(span);
      if (turnIsOver()) await nextTurn();
    }
  }
  return spans.length === 0 ? undefined : assemble(traceId, withoutCopies(spans).reverse());
}

function assemble(traceId: string, spans: readonly SpanData[]): Trace {
  const start = spans[0]!.startTimeUnixNanos;
  let end = start;
  let hasError = false;
  const services = new Set<string>();
  for (const span of spans) {
    if (span.endTimeUnixNanos > end) end = span.endTimeUnixNanos;
    if (span.status.code === StatusCode.ERROR) hasError = true;
    services.add(serviceOf(span));
  }
  return {
    traceId,
    spans,
    roots: traceTree(spans),
    startTimeUnixNanos: start,
    endTimeUnixNanos: end,
    durationMs: Number(end - start) / 1e6,
    services: [...services],
    hasError,
  };
}
