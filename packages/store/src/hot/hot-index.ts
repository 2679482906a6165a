import { TraceScanner } from '@tracewell/otlp';
import { FrameKind, type LogIndexer, type Segment } from '../log/types.ts';
import { type Block, findCopy } from './block.ts';
import { type FrameRows, frameRows } from './frame-rows.ts';
import { loadIndex, saveIndex } from './index-file.ts';
import { Operations } from './operations.ts';
import { FLAG_HIDDEN } from './row.ts';
import { type CopyVerdict, compareCopies } from './same-span.ts';
import { SegmentIndex } from './segment-index.ts';

/** A block with the segment index that it belongs to. */
export interface PlacedBlock {
  readonly index: SegmentIndex;
  readonly block: Block;
}

/**
 * The index of the hot tier: every span of every segment of every writer, as rows of numbers.
 *
 * Copies of a span (a retry whose first attempt had arrived after all) are kept out of a block when they
 * come, which costs one look into a table that fits the processor's cache. Copies in different blocks are
 * found when somebody counts ({@link HotIndex.reconcile}); whoever reads spans meets them side by side,
 * since they have the same start and the same ids.
 */
export class HotIndex implements LogIndexer<FrameRows> {
  readonly operations = new Operations();
  readonly #segments = new Map<Segment, SegmentIndex>();
  readonly #scanner = new TraceScanner();
  // Made when asked for, and again after a change.
  #blocks: PlacedBlock[] | undefined;
  #blocksByStart: PlacedBlock[] | undefined;
  #unreadableFrames = 0;
  #removals = 0;
  // What the last comparison of two copies said.
  #verdict: CopyVerdict = 'different';

  /** Works out the rows of a payload, before it is written. @throws `TracewellError` as {@link frameRows} */
  prepare(payload: Uint8Array): FrameRows {
    return frameRows(payload, this.#scanner, this.operations);
  }

  addFrame(
    segment: Segment,
    payloadOffset: number,
    payload: Uint8Array,
    kind: FrameKind,
    _sequence: number,
    prepared?: FrameRows,
  ): void {
    if (kind !== FrameKind.TRACES) return;
    let rows = prepared;
    if (rows === undefined) {
      try {
        rows = this.prepare(payload);
      } catch (error) {
        // Not written by an insert of ours: those are walked first. Counted, and the rest goes on.
        if (!(error instanceof Error && 'code' in error)) throw error;
        this.#unreadableFrames++;
        return;
      }
    }
    let index = this.#segments.get(segment);
    if (index === undefined) {
      index = new SegmentIndex(segment);
      this.#segments.set(segment, index);
    }
    this.#blocksByStart = undefined;
    const blocks = index.blocks.length;
    try {
      index.add(payloadOffset, payload, rows);
    } finally {
      if (index.blocks.length !== blocks) this.#blocks = undefined;
    }
  }

  load(segment: Segment, bytes: Uint8Array): boolean {
    const loaded = loadIndex(bytes, this.operations);
    if (loaded === undefined) return false;
    this.#segments.set(segment, new SegmentIndex(segment, loaded.blocks, loaded.groups));
    this.#blocks = this.#blocksByStart = undefined;
    return true;
  }

  save(segment: Segment): readonly Uint8Array[] {
    const index = this.#segments.get(segment) ?? new SegmentIndex(segment);
    index.trim();
    this.#blocks = this.#blocksByStart = undefined;
    return saveIndex(index.blocks, index.groups, this.operations);
  }

  remove(segment: Segment): void {
    if (!this.#segments.delete(segment)) return;
    this.#blocks = this.#blocksByStart = undefined;
    this.#removals++;
    // What was hidden in favour of a row of that segment has to be seen again: compare anew.
    for (const { block } of this.blocks()) block.forgetOthers();
  }

  /** All blocks, in no particular order. The list is not to be changed; a later call may return another one. */
  blocks(): readonly PlacedBlock[] {
    if (this.#blocks === undefined) {
      this.#blocks = [];
      for (const index of this.#segments.values()) {
        for (const block of index.blocks) this.#blocks.push({ index, block });
      }
    }
    return this.#blocks;
  }

  /** As {@link HotIndex.blocks}, those first that have the latest start. */
  blocksByStart(): readonly PlacedBlock[] {
    this.#blocksByStart ??= [...this.blocks()].sort((a, b) => b.block.maxStart - a.block.maxStart);
    return this.#blocksByStart;
  }

  /**
   * Hides all but one of the copies of a span that lie in different blocks. Yields between two blocks, so
   * that a caller can let others run; what is added meanwhile is left for the next time.
   */
  *reconcile(): Generator<void> {
    const removals = this.#removals;
    for (const { index, block } of this.blocks()) {
      const until = block.count;
      if (block.reconciled === until) continue;
      const [minStart, maxStart] = boundsOfStarts(block, block.reconciled, until);
      for (const { index: otherIndex, block: other } of this.blocks()) {
        if (other === block || other.maxStart < minStart || other.minStart > maxStart) continue;
        this.#hideCopies(index, block, until, otherIndex, other);
        yield;
        // What was compared is void; the next time begins anew.
        if (this.#removals !== removals) return;
      }
      block.reconciled = until;
    }
  }

  /** How many spans there are; each once after {@link HotIndex.reconcile}. */
  spanCount(): number {
    let spans = 0;
    for (const { block } of this.blocks()) spans += block.spanCount;
    return spans;
  }

  /** What `health` tells of the index. */
  stats(): { readonly copies: number; readonly unreadableFrames: number; readonly bytes: number } {
    let copies = 0;
    let bytes = 0;
    for (const index of this.#segments.values()) {
      copies += index.copies;
      bytes += index.byteLength;
      for (const block of index.blocks) copies += block.copies + block.copiesElsewhere;
    }
    return { copies, unreadableFrames: this.#unreadableFrames, bytes };
  }

  #hideCopies(
    index: SegmentIndex,
    block: Block,
    until: number,
    otherIndex: SegmentIndex,
    other: Block,
  ): void {
    const { minStart, maxStart } = other;
    let row = block.reconciled;
    const isSame = (otherRow: number): boolean => {
      this.#verdict = compareCopies(otherIndex.read(other, otherRow), index.read(block, row));
      return this.#verdict !== 'different';
    };
    for (; row < until; row++) {
      const start = block.startOf(row);
      if (start < minStart || start > maxStart || (block.flags[row]! & FLAG_HIDDEN) !== 0) continue;
      const copy = findCopy(other, block, row, isSame);
      if (copy < 0) continue;
      if (this.#verdict === 'first') block.hideCopyElsewhere(row);
      else other.hideCopyElsewhere(copy);
    }
  }
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
