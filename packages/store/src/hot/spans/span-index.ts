import { TraceScanner } from '@tracewell/otlp';
import type { Segment } from '../../log/types.ts';
import type { SignalIndex } from '../signal-index.ts';
import { hideCopiesAcross, type PlacedBlock } from './cross-copies.ts';
import { loadIndex, saveIndex } from './index-file.ts';
import { Operations } from './operations.ts';
import { SegmentIndex } from './segment-index.ts';
import { type SpanRows, spanRows } from './span-rows.ts';

/**
 * The index of spans: every span of every segment of every writer, as rows of numbers.
 *
 * Copies of a span (a retry whose first attempt had arrived after all) are kept out of a block when they
 * come, which costs one look into a table that fits the processor's cache. Copies in different blocks are
 * found when somebody counts ({@link SpanIndex.reconcile}); whoever reads spans meets them side by side,
 * since they have the same start and the same ids.
 */
export class SpanIndex implements SignalIndex<SpanRows> {
  readonly operations = new Operations();
  readonly #segments = new Map<Segment, SegmentIndex>();
  readonly #scanner = new TraceScanner();
  // Made when asked for, and again after a change.
  #blocks: PlacedBlock[] | undefined;
  #blocksByStart: PlacedBlock[] | undefined;
  #removals = 0;

  prepare(payload: Uint8Array): SpanRows {
    return spanRows(payload, this.#scanner, this.operations);
  }

  addFrame(segment: Segment, payloadOffset: number, payload: Uint8Array, rows: SpanRows): void {
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
    this.#segments.set(segment, new SegmentIndex(segment, loaded.blocks, loaded.groups, loaded.traceFilter));
    this.#blocks = this.#blocksByStart = undefined;
    return true;
  }

  save(segment: Segment): readonly Uint8Array[] | undefined {
    const index = this.#segments.get(segment);
    if (index === undefined) return undefined;
    index.trim();
    this.#blocks = this.#blocksByStart = undefined;
    return saveIndex(index, this.operations);
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

  /** The blocks that may have spans of a trace, by the last 8 bytes of its id. */
  blocksOfTrace(traceHigh: number, traceLow: number): PlacedBlock[] {
    const found: PlacedBlock[] = [];
    for (const index of this.#segments.values()) {
      const { blocks, traceFilter } = index;
      for (let number = 0; number < blocks.length; number++) {
        if (traceFilter?.mayHave(number, traceHigh, traceLow) === false) continue;
        found.push({ index, block: blocks[number]! });
      }
    }
    return found;
  }

  /** As {@link SpanIndex.blocks}, those first that have the latest start. */
  blocksByStart(): readonly PlacedBlock[] {
    this.#blocksByStart ??= [...this.blocks()].sort((a, b) => b.block.maxStart - a.block.maxStart);
    return this.#blocksByStart;
  }

  /** Hides all but one of the copies of a span that lie in different blocks; see {@link hideCopiesAcross}. */
  *reconcile(): Generator<void> {
    const removals = this.#removals;
    for (const _ of hideCopiesAcross(this.blocks())) {
      yield;
      // What was compared is void; the next time begins anew.
      if (this.#removals !== removals) return;
    }
  }

  /** How many spans there are; each once after {@link SpanIndex.reconcile}. */
  spanCount(): number {
    let spans = 0;
    for (const { block } of this.blocks()) spans += block.spanCount;
    return spans;
  }

  /** What `health` tells of the index. */
  stats(): { readonly copies: number; readonly bytes: number } {
    let copies = 0;
    let bytes = 0;
    for (const index of this.#segments.values()) {
      copies += index.copies;
      bytes += index.byteLength;
      for (const block of index.blocks) copies += block.copies + block.copiesElsewhere;
    }
    return { copies, bytes };
  }
}
