import { SpanKind } from '@tracewell/plugin';
import type { CallVisitor } from '../../analysis/dependencies.ts';
import { readParentKey, TargetReader } from '../../analysis/span-bytes.ts';
import type { SpanVisitor } from '../../analysis/span-facts.ts';
import type { Targets } from '../../analysis/targets.ts';
import { type Block, RECORD_WORDS } from '../../hot/spans/block.ts';
import type { PlacedBlock } from '../../hot/spans/cross-copies.ts';
import {
  FLAG_HIDDEN,
  FLAG_KIND,
  FLAG_KIND_SHIFT,
  FLAG_ROOT,
  WORD_DURATION,
  WORD_SPAN_KEY,
  WORD_START_HIGH,
  WORD_START_LOW,
  WORD_TRACE_LOW,
} from '../../hot/spans/row.ts';
import type { SpanIndex } from '../../hot/spans/span-index.ts';
import type { TimeWindow } from '../check.ts';
import { nextTurn, turnIsOver } from '../turn.ts';

// What is read of a segment at a time: a system call is nothing beside it, and it fits the processor's cache.
const READ_BYTES = 256 << 10;

/** Calls `visit` for every span of the hot tier that started in the window, each once. */
export async function visitSpans(index: SpanIndex, window: TimeWindow, visit: SpanVisitor): Promise<void> {
  await visitRows(index, window, ({ block }, row) => {
    const { records } = block;
    const at = row * RECORD_WORDS;
    visit(
      operationOf(block, row),
      block.flags[row]!,
      records[at + WORD_START_HIGH]!,
      records[at + WORD_START_LOW]!,
      records[at + WORD_DURATION]!,
    );
  });
}

/** As {@link visitSpans}, for the traces that are wanted, with parents and targets, which are read from the log. */
export async function visitCalls(
  index: SpanIndex,
  window: TimeWindow,
  targets: Targets,
  isWanted: (traceLow: number) => boolean,
  visit: CallVisitor,
): Promise<void> {
  const reader = new RowReader();
  const targetReader = new TargetReader(targets);
  await visitRows(index, window, (placed, row) => {
    const { block } = placed;
    const at = row * RECORD_WORDS;
    const traceLow = block.records[at + WORD_TRACE_LOW]!;
    if (!isWanted(traceLow)) return;
    const flags = block.flags[row]!;
    const kind = (flags & FLAG_KIND) >>> FLAG_KIND_SHIFT;
    const calls = kind === SpanKind.CLIENT || kind === SpanKind.PRODUCER;
    const isRoot = (flags & FLAG_ROOT) !== 0;
    let parentKey = -1;
    let target = 0;
    if (!isRoot || calls) {
      const start = reader.locate(placed, row);
      const end = start + block.lengthOf(row);
      if (!isRoot) parentKey = readParentKey(reader.bytes, start, end);
      if (calls) target = targetReader.read(reader.bytes, start, end);
    }
    visit(
      operationOf(block, row),
      flags,
      block.records[at + WORD_DURATION]!,
      traceLow,
      block.records[at + WORD_SPAN_KEY]!,
      parentKey,
      target,
    );
  });
}

/** About how many spans of the hot tier started in the window: those of all blocks that may have one. */
export function spansIn(index: SpanIndex, window: TimeWindow): number {
  let spans = 0;
  for (const { block } of index.blocks()) if (mayHold(block, window)) spans += block.spanCount;
  return spans;
}

async function visitRows(
  index: SpanIndex,
  window: TimeWindow,
  visit: (placed: PlacedBlock, row: number) => void,
): Promise<void> {
  if (turnIsOver()) await nextTurn();
  for (const _ of index.reconcile()) if (turnIsOver()) await nextTurn();

  const minHigh = Number(window.minStart >> 32n);
  const minLow = Number(window.minStart & 0xffff_ffffn);
  const maxHigh = Number(window.maxStart >> 32n);
  const maxLow = Number(window.maxStart & 0xffff_ffffn);
  for (const placed of index.blocks()) {
    const { block } = placed;
    if (!mayHold(block, window)) continue;
    const { records, flags, count } = block;
    for (let row = 0; row < count; row++) {
      if ((flags[row]! & FLAG_HIDDEN) !== 0) continue;
      const at = row * RECORD_WORDS;
      const high = records[at + WORD_START_HIGH]!;
      const low = records[at + WORD_START_LOW]!;
      if (high < minHigh || (high === minHigh && low < minLow)) continue;
      if (high > maxHigh || (high === maxHigh && low > maxLow)) continue;
      visit(placed, row);
    }
    if (turnIsOver()) await nextTurn();
  }
}

/** Whether a block may have a span of the window. Bounds are rounded alike, so one at the edge is looked into. */
function mayHold(block: Block, { minStart, maxStart }: TimeWindow): boolean {
  return minStart <= maxStart && block.maxStart >= Number(minStart) && block.minStart <= Number(maxStart);
}

function operationOf({ operation, operations }: Block, row: number): number {
  return operations[operation[row]!]!;
}

/** Reads Span messages of a segment one after the other, many with each system call, all into the same memory. */
class RowReader {
  bytes: Uint8Array = new Uint8Array(READ_BYTES);
  #placed: PlacedBlock | undefined;
  #start = 0;
  #end = 0;

  /** Where the message of a row begins in `bytes`. */
  locate(placed: PlacedBlock, row: number): number {
    const { block, index } = placed;
    const offset = block.offsetOf(row);
    const length = block.lengthOf(row);
    // Rows come in the order of their offsets.
    if (placed !== this.#placed || offset + length > this.#end) {
      if (length > this.bytes.length) this.bytes = new Uint8Array(length);
      const available = Math.max(length, Math.min(this.bytes.length, index.segment.bytes - offset));
      index.segment.fill(this.bytes.subarray(0, available), offset);
      this.#placed = placed;
      this.#start = offset;
      this.#end = offset + available;
    }
    return offset - this.#start;
  }
}
