import type { SpanData } from '@tracewell/plugin';
import { findCopy } from '../../hot/spans/block.ts';
import type { PlacedBlock } from '../../hot/spans/cross-copies.ts';
import { isUnfinished, preferredCopy } from '../../hot/spans/same-span.ts';
import type { SpanIndex } from '../../hot/spans/span-index.ts';
import type { TracePage } from '../../store.ts';
import { NewestRows, type RowKey } from '../newest-rows.ts';
import { nextTurn, turnIsOver } from '../turn.ts';
import { matches } from './match.ts';
import type { QueryPlan } from './plan.ts';
import { RowFilter, rowKey } from './row-filter.ts';
import { compareSpanKeys, encodeCursor, type SpanKey } from './span-order.ts';
import type { SpanReader } from './span-reader.ts';
import { withoutCopies } from './without-copies.ts';

// Attributes are not in the index: rows are fetched in growing numbers until enough of their spans match.
const FIRST_FETCH = 256;
const MAX_FETCH = 16_384;

/**
 * Answers a query: picks the newest rows that pass the columns' filter, decodes them in order, and keeps
 * those that match, until there is a page of them.
 */
export async function findSpans(index: SpanIndex, plan: QueryPlan, reader: SpanReader): Promise<TracePage> {
  if (turnIsOver()) await nextTurn();
  const found: SpanData[] = [];
  // Two more than the page: the span that shows that there is another page, and the one of the cursor.
  let fetch = plan.attributes.length > 0 ? Math.max(FIRST_FETCH, plan.limit * 2) : plan.limit + 2;
  let after: RowKey | undefined = plan.after && rowKey(plan.after);
  // A cursor's own span passes the columns, as may others with the same numbers; whole ids decide.
  let inclusive = true;
  for (;;) {
    const blocks = index.blocksByStart();
    const rows = await newestRows(blocks, new RowFilter(plan, index.operations, after, inclusive), fetch);
    if (rows.cutBetweenEquals) {
      fetch *= 4;
      continue;
    }
    for (let from = 0; from < rows.count; ) {
      const until = endOfEquals(rows, from);
      const spans = readEquals(blocks, rows, from, until, reader);
      for (let equal = 0; equal < spans.length; equal++) {
        const span = spans[equal]!;
        if (plan.after !== undefined && compareSpanKeys(span, plan.after) <= 0) continue;
        if (!matches(span, plan)) continue;
        if (found.length === plan.limit)
          return { spans: found, cursor: encodeCursor(found.at(-1) as SpanKey) };
        found.push(span);
      }
      // Looking at the clock for every span would cost a twentieth of decoding it.
      if (until % 16 === 0 && turnIsOver()) await nextTurn();
      from = until;
    }
    if (rows.count < fetch) return { spans: found };
    after = rows.key(rows.count - 1);
    inclusive = false;
    fetch = Math.min(Math.max(fetch * 2, FIRST_FETCH), Math.max(fetch, MAX_FETCH));
  }
}

async function newestRows(
  blocks: readonly PlacedBlock[],
  filter: RowFilter,
  capacity: number,
): Promise<NewestRows> {
  const newest = new NewestRows(capacity);
  for (const [number, { block }] of blocks.entries()) {
    if (block.minStart > filter.maxStart) continue;
    if (block.maxStart < filter.minStart) break;
    if (newest.full && block.maxStart < newest.minTime) break;
    filter.scan(block, number, newest);
    if (turnIsOver()) await nextTurn();
  }
  newest.finish();
  return newest;
}

/** Where the rows end whose numbers are those of row `from`. */
function endOfEquals(rows: NewestRows, from: number): number {
  let until = from + 1;
  while (until < rows.count && rows.same(from, until)) until++;
  return until;
}

/** The spans of rows whose numbers are the same: nearly always one, otherwise in order and without copies. */
function readEquals(
  blocks: readonly PlacedBlock[],
  rows: NewestRows,
  from: number,
  until: number,
  reader: SpanReader,
): SpanData[] {
  const spans: SpanData[] = [];
  for (let at = from; at < until; at++) {
    const placed = blocks[rows.blockNumber(at)]!;
    const row = rows.row(at);
    const span = reader.read(placed, row);
    if (span === undefined) continue;
    // The finished copy need not be among these rows: it may have another status, kind, name or duration.
    if (isUnfinished(span) && hasBetterCopy(blocks, placed, row, span, reader)) continue;
    spans.push(span);
  }
  return spans.length < 2 ? spans : withoutCopies(spans);
}

/** Whether another block has a copy of a span that stands for it. */
function hasBetterCopy(
  blocks: readonly PlacedBlock[],
  own: PlacedBlock,
  row: number,
  span: SpanData,
  reader: SpanReader,
): boolean {
  const start = own.block.startOf(row);
  return blocks.some((placed) => {
    const { block } = placed;
    if (block === own.block || start < block.minStart || start > block.maxStart) return false;
    const isBetter = (other: number): boolean => {
      const copy = reader.read(placed, other);
      return copy !== undefined && preferredCopy(span, copy) === 'second';
    };
    return findCopy(block, own.block, row, isBetter) >= 0;
  });
}
