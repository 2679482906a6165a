import type { Segment } from '../../log/types.ts';
import { nextSerial } from '../serial.ts';
import { BLOCK_ROWS, PointBlock } from './block.ts';
import type { PointRows } from './point-rows.ts';
import { ROW_WORDS, WORD_SERIES } from './row.ts';

/** The index of the data points of one segment: its blocks, of which only the last one still grows. */
export class PointSegmentIndex {
  /** Another number for each that was made in this process. */
  readonly serial = nextSerial();
  readonly segment: Segment;
  readonly blocks: PointBlock[];
  /** Points of requests that came again within this segment and were left out. */
  copies = 0;
  // Of the last block: the index of a series in its list, plus 1; 0 if it is not in it.
  #indexOf = new Uint16Array(64);
  // The frame that was added last, and how many of its rows are in: a frame whose adding failed comes again.
  #frame = -1;
  #rowsAdded = 0;

  constructor(segment: Segment, blocks: PointBlock[] = []) {
    this.segment = segment;
    this.blocks = blocks;
  }

  /**
   * To be called before {@link PointSegmentIndex.add} and whatever else may run out of memory.
   *
   * @returns whether the frame at `base` is one whose adding failed, and comes again
   */
  begin(base: number): boolean {
    if (this.#frame === base) return true;
    this.#frame = base;
    this.#rowsAdded = 0;
    return false;
  }

  /**
   * Enters the rows of a frame.
   *
   * @param base - where the payload starts in the segment
   * @param copy - whether the same request counts elsewhere
   * @throws RangeError if memory runs out; the same call may then be made again and goes on where it stopped
   */
  add(base: number, rows: PointRows, copy: boolean): void {
    const { words, request } = rows;
    let block: PointBlock | undefined;
    for (let index = this.#rowsAdded; index < rows.count; index++) {
      const at = index * ROW_WORDS;
      if (block === undefined || !block.makeRoom()) {
        block = this.#blockWithRoom();
        block.requests.beginRequest(block.count, request, index, copy);
      }
      block.append(words, at, base, this.#indexInBlock(block, words[at + WORD_SERIES]!));
      this.#rowsAdded = index + 1;
    }
  }

  /** Gives back the memory of rows that will never come; for a segment that is complete. */
  trim(): void {
    if (this.blocks.at(-1)?.count === 0) this.blocks.pop();
    this.blocks.at(-1)?.trim();
    this.#indexOf = new Uint16Array(0);
  }

  /** Gives the series other numbers. */
  renumber(numbers: Uint32Array): void {
    for (const { seriesNumbers, seriesCount } of this.blocks) {
      for (let index = 0; index < seriesCount; index++) {
        seriesNumbers[index] = numbers[seriesNumbers[index]!]!;
      }
    }
    this.#indexOf.fill(0);
    const last = this.blocks.at(-1);
    if (last === undefined || this.segment.sealed) return;
    for (let index = 0; index < last.seriesCount; index++) this.#note(last.seriesNumbers[index]!, index);
  }

  /** Bytes of memory that the index holds. */
  get byteLength(): number {
    let bytes = this.#indexOf.byteLength;
    for (const block of this.blocks) bytes += block.byteLength;
    return bytes;
  }

  #blockWithRoom(): PointBlock {
    const last = this.blocks.at(-1);
    if (last?.makeRoom()) return last;
    // The second block is a full one from the start: a segment that fills one fills another.
    const block = last === undefined ? new PointBlock() : new PointBlock(BLOCK_ROWS);
    last?.trim();
    this.#indexOf.fill(0);
    this.blocks.push(block);
    return block;
  }

  #indexInBlock(block: PointBlock, series: number): number {
    const known = this.#indexOf[series] ?? 0;
    if (known > 0) return known - 1;
    const index = block.addSeries(series);
    this.#note(series, index);
    return index;
  }

  #note(series: number, index: number): void {
    if (series >= this.#indexOf.length) {
      const larger = new Uint16Array(Math.max(series + 1, this.#indexOf.length * 2));
      larger.set(this.#indexOf);
      this.#indexOf = larger;
    }
    this.#indexOf[series] = index + 1;
  }
}
