import { type Block, findCopy, RECORD_WORDS } from './block.ts';
import { FLAG_HIDDEN, WORD_SPAN_KEY, WORD_TRACE_LOW } from './row.ts';
import { type CopyVerdict, compareCopies } from './same-span.ts';
import type { SegmentIndex } from './segment-index.ts';

/** A block with the segment index that it belongs to. */
export interface PlacedBlock {
  readonly index: SegmentIndex;
  readonly block: Block;
}

// From so many rows on it pays to mark first which hashes a block has. The marks fit the processor's cache,
// where looking a row up in the block itself is two misses: a sixth of the time with eight writers.
const MARK_FROM_ROWS = 8192;
const MARK_BITS = 20;
const marks = new Uint32Array((1 << MARK_BITS) / 32);

/**
 * Hides all but one of the copies of a span that lie in different blocks, among the rows that came since the
 * last time. Only blocks whose starts overlap are compared, since copies have the same start.
 *
 * Yields between two blocks, so that a caller can let others run; what is added meanwhile is left for the
 * next time.
 */
export function* hideCopiesAcross(blocks: readonly PlacedBlock[]): Generator<void> {
  const from = blocks.map(({ block }) => block.reconciled);
  const until = blocks.map(({ block }) => block.count);
  const starts = blocks.map(({ block }, at) => boundsOfStarts(block, from[at]!, until[at]!));
  for (const [at, { index, block }] of blocks.entries()) {
    // The new rows of which blocks are to be looked up here. Two new rows meet only once: in the later block.
    const others: number[] = [];
    let rows = 0;
    for (let other = 0; other < blocks.length; other++) {
      if (other === at || from[other] === until[other] || (other > at && from[at] === 0)) continue;
      const [min, max] = starts[other]!;
      if (block.maxStart < min || block.minStart > max) continue;
      others.push(other);
      rows += until[other]! - from[other]!;
    }
    const marked = rows >= MARK_FROM_ROWS;
    for (const other of others) {
      // Again for each, since others may have used the marks in between.
      if (marked) markRows(block);
      hideCopies(index, block, blocks[other]!, from[other]!, until[other]!, marked);
      yield;
    }
  }
  for (const [at, { block }] of blocks.entries()) block.reconciled = until[at]!;
}

/** Looks rows of `other` up in `block`, and hides one of each pair that is found. */
function hideCopies(
  index: SegmentIndex,
  block: Block,
  { index: otherIndex, block: other }: PlacedBlock,
  from: number,
  until: number,
  marked: boolean,
): void {
  const { minStart, maxStart } = block;
  const { records, flags } = other;
  let row = from;
  let verdict = 'different' as CopyVerdict;
  const isSame = (candidate: number): boolean => {
    verdict = compareCopies(index.read(block, candidate), otherIndex.read(other, row));
    return verdict !== 'different';
  };
  for (; row < until; row++) {
    if (marked && !isMarked(records, row * RECORD_WORDS)) continue;
    const start = other.startOf(row);
    if (start < minStart || start > maxStart || (flags[row]! & FLAG_HIDDEN) !== 0) continue;
    const copy = findCopy(block, other, row, isSame);
    if (copy < 0) continue;
    if (verdict === 'first') other.hideCopyElsewhere(row);
    else block.hideCopyElsewhere(copy);
  }
}

function markRows({ records, count }: Block): void {
  marks.fill(0);
  for (let row = 0; row < count; row++) {
    const bit = bitOf(records, row * RECORD_WORDS);
    marks[bit >>> 5]! |= 1 << (bit & 31);
  }
}

function isMarked(records: Uint32Array, at: number): boolean {
  const bit = bitOf(records, at);
  return (marks[bit >>> 5]! & (1 << (bit & 31))) !== 0;
}

function bitOf(records: Uint32Array, at: number): number {
  const hash = Math.imul(
    records[at + WORD_TRACE_LOW]! ^ Math.imul(records[at + WORD_SPAN_KEY]!, 0x9e3779b1),
    0x85ebca6b,
  );
  return hash >>> (32 - MARK_BITS);
}

function boundsOfStarts(block: Block, from: number, until: number): [min: number, max: number] {
  if (from === 0 && until === block.count) return [block.minStart, block.maxStart];
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let row = from; row < until; row++) {
    const start = block.startOf(row);
    if (start < min) min = start;
    if (start > max) max = start;
  }
  return [min, max];
}
