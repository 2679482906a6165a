import { LogScanner } from '@tracewell/otlp';
import type { Segment } from '../../log/types.ts';
import { RequestClaims } from '../request-claims.ts';
import { Services } from '../services.ts';
import type { SignalIndex } from '../signal-index.ts';
import type { LogBlock } from './block.ts';
import { loadLogIndex, saveLogIndex } from './index-file.ts';
import { type LogRows, logRows } from './log-rows.ts';
import { LogSegmentIndex } from './segment-index.ts';

/** A block with the segment index that it belongs to. */
export interface PlacedLogBlock {
  readonly index: LogSegmentIndex;
  readonly block: LogBlock;
}

/** The index of log records: every record of every segment of every writer, as rows of numbers. */
export class LogIndex implements SignalIndex<LogRows> {
  readonly services = new Services();
  readonly #segments = new Map<Segment, LogSegmentIndex>();
  readonly #requests = new RequestClaims();
  readonly #scanner = new LogScanner();
  // Made when asked for, and again after a change.
  #blocksByTime: PlacedLogBlock[] | undefined;

  prepare(payload: Uint8Array): LogRows {
    return logRows(payload, this.#scanner, this.services);
  }

  addFrame(segment: Segment, payloadOffset: number, payload: Uint8Array, rows: LogRows): void {
    if (rows.count === 0) return;
    this.#requests.settle(this.#segments.values());
    let index = this.#segments.get(segment);
    if (index === undefined) {
      index = new LogSegmentIndex(segment);
      this.#segments.set(segment, index);
    }
    this.#blocksByTime = undefined;
    const again = index.begin(payloadOffset);
    const claim = this.#requests.claim(rows.request, index);
    if (claim === 'own' && !again) index.copies += rows.count;
    else index.add(payloadOffset, payload, rows, claim === "another's");
  }

  load(segment: Segment, bytes: Uint8Array): boolean {
    const loaded = loadLogIndex(bytes, this.services);
    if (loaded === undefined) return false;
    this.#requests.settle(this.#segments.values());
    const index = new LogSegmentIndex(segment, loaded.blocks, loaded.groups);
    this.#segments.set(segment, index);
    this.#requests.claimAll(index);
    this.#blocksByTime = undefined;
    return true;
  }

  save(segment: Segment): readonly Uint8Array[] | undefined {
    const index = this.#segments.get(segment);
    if (index === undefined) return undefined;
    index.trim();
    this.#blocksByTime = undefined;
    return saveLogIndex(index.blocks, index.groups, this.services);
  }

  remove(segment: Segment): void {
    if (!this.#segments.delete(segment)) return;
    this.#blocksByTime = undefined;
    this.#requests.forget();
  }

  /** All blocks, those first that have the latest time. The list is not to be changed. */
  blocksByTime(): readonly PlacedLogBlock[] {
    if (this.#blocksByTime === undefined) {
      const blocks: PlacedLogBlock[] = [];
      for (const index of this.#segments.values()) {
        for (const block of index.blocks) blocks.push({ index, block });
      }
      this.#blocksByTime = blocks.sort((a, b) => b.block.maxTime - a.block.maxTime);
    }
    return this.#blocksByTime;
  }

  /** What `health` tells of the index: records, each counted once, those that came again, and bytes of memory. */
  stats(): { readonly count: number; readonly copies: number; readonly bytes: number } {
    this.#requests.settle(this.#segments.values());
    let count = 0;
    let copies = 0;
    let bytes = this.#requests.byteLength;
    for (const index of this.#segments.values()) {
      copies += index.copies;
      bytes += index.byteLength;
      for (const block of index.blocks) {
        const hidden = block.requests.copiesIn(block.count);
        count += block.count - hidden;
        copies += hidden;
      }
    }
    return { count, copies, bytes };
  }
}
