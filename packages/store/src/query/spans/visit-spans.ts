import type { SpanVisitor } from '../../analysis/span-facts.ts';
import { RECORD_WORDS } from '../../hot/spans/block.ts';
import { FLAG_HIDDEN, WORD_DURATION, WORD_START_HIGH, WORD_START_LOW } from '../../hot/spans/row.ts';
import type { SpanIndex } from '../../hot/spans/span-index.ts';
import type { TimeWindow } from '../check.ts';
import { nextTurn, turnIsOver } from '../turn.ts';

/** Calls `visit` for every span of the hot tier that started in the window, each once. */
export async function visitSpans(index: SpanIndex, window: TimeWindow, visit: SpanVisitor): Promise<void> {
  if (turnIsOver()) await nextTurn();
  for (const _ of index.reconcile()) if (turnIsOver()) await nextTurn();

  const { minStart, maxStart } = window;
  if (minStart > maxStart) return;
  const minHigh = Number(minStart >> 32n);
  const minLow = Number(minStart & 0xffff_ffffn);
  const maxHigh = Number(maxStart >> 32n);
  const maxLow = Number(maxStart & 0xffff_ffffn);
  for (const { block } of index.blocks()) {
    // Rounded on both sides alike, so a block at the edge is looked into.
    if (block.maxStart < Number(minStart) || block.minStart > Number(maxStart)) continue;
    const { records, flags, operation, operations, count } = block;
    for (let row = 0; row < count; row++) {
      const rowFlags = flags[row]!;
      if ((rowFlags & FLAG_HIDDEN) !== 0) continue;
      const at = row * RECORD_WORDS;
      const high = records[at + WORD_START_HIGH]!;
      const low = records[at + WORD_START_LOW]!;
      if (high < minHigh || (high === minHigh && low < minLow)) continue;
      if (high > maxHigh || (high === maxHigh && low > maxLow)) continue;
      visit(operations[operation[row]!]!, rowFlags, high, low, records[at + WORD_DURATION]!);
    }
    if (turnIsOver()) await nextTurn();
  }
}
