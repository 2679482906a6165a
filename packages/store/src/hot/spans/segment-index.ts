import type { Segment } from '../../log/types.ts';
import { GROUP_WORDS, Groups } from '../groups.ts';
import { nextSerial } from '../serial.ts';
import { BLOCK_ROWS, Block } from './block.ts';
import { GROUP_SHIFT, ROW_WORDS, WORD_FLAGS, WORD_LENGTH, WORD_OFFSET, WORD_OPERATION } from './row.ts';
import { type CopyVerdict, compareCopies } from './same-span.ts';
import type { SpanRows } from './span-rows.ts';
import { TraceFilter } from './trace-filter.ts';

/** The index of one segment: its blocks, of which only the last one still grows, and its groups. */
export class SegmentIndex {
  /** Another number for each that was made in this process. */
  readonly serial = nextSerial();
  readonly segment: Segment;
  readonly blocks: Block[];
  readonly groups: Groups;
  /** Of the blocks that are full; none before the second block begins. */
  traceFilter: TraceFilter | undefined;
  /** Spans that came again within a block and were left out. */
  copies = 0;
  // Of the last block: the index of an operation in its list, plus 1; 0 if it is not in it.
  #indexOf = new Uint16Array(64);
  // The frame that was added last, and how many of its rows are in: a frame whose adding failed comes again.
  #frame = -1;
  #rowsAdded = 0;
  // What the last comparison of two copies said.
  #verdict: CopyVerdict = 'different';

  constructor(
    segment: Segment,
    blocks: Block[] = [],
    groups: Groups = new Groups(),
    traceFilter: TraceFilter | undefined = undefined,
  ) {
    this.segment = segment;
    this.blocks = blocks;
    this.groups = groups;
    this.traceFilter = traceFilter;
  }

  /**
   * Enters the rows of a frame.
   *
   * @param base - where the payload starts in the segment
   * @throws RangeError if memory runs out; the same call may then be made again and goes on where it stopped
   */
  add(base: number, payload: Uint8Array, rows: SpanRows): void {
    if (this.#frame !== base) {
      this.#frame = base;
      this.#rowsAdded = 0;
    }
    const { words, groups } = rows;
    let at = 0;
    let block = this.blocks.at(-1) ?? this.#addBlock();
    const isSame = (row: number): boolean => {
      const earlier = this.#bytesOf(block, row, base, payload);
      const start = words[at + WORD_OFFSET]!;
      this.#verdict = compareCopies(earlier, payload.subarray(start, start + words[at + WORD_LENGTH]!));
      return this.#verdict !== 'different';
    };
    let groupInFrame = -1;
    let group = 0;
    for (let index = this.#rowsAdded; index < rows.spanCount; index++) {
      at = index * ROW_WORDS;
      const room = block.makeRoom();
      if (!room) block = this.#addBlock();
      const next = words[at + WORD_FLAGS]! >>> GROUP_SHIFT;
      if (next !== groupInFrame) {
        groupInFrame = next;
        group = this.groups.add(payload, base, groups, next * GROUP_WORDS);
        block.setGroup(group);
      } else if (!room) {
        block.setGroup(group);
      }
      const copyOf = block.find(words, at, isSame);
      if (copyOf >= 0) {
        if (this.#verdict === 'first') {
          this.copies++;
          this.#rowsAdded = index + 1;
          continue;
        }
        block.hideCopy(copyOf);
      }
      block.append(words, at, base, this.#indexInBlock(block, words[at + WORD_OPERATION]!));
      this.#rowsAdded = index + 1;
    }
  }

  /** Gives back the memory of rows that will never come; for a segment that is complete. */
  trim(): void {
    if (this.blocks.at(-1)?.count === 0) this.blocks.pop();
    const last = this.blocks.at(-1);
    last?.trim();
    if (last !== undefined && this.traceFilter?.blocks === this.blocks.length - 1) this.traceFilter.add(last);
    this.groups.trim();
    this.#indexOf = new Uint16Array(0);
  }

  /** The bytes of a row's Span message. */
  read(block: Block, row: number): Uint8Array {
    return this.segment.read(block.offsetOf(row), block.lengthOf(row));
  }

  /** Bytes of memory that the index holds. */
  get byteLength(): number {
    let bytes = this.groups.words.byteLength + this.#indexOf.byteLength;
    bytes += this.traceFilter?.slots.byteLength ?? 0;
    for (const block of this.blocks) bytes += block.byteLength;
    return bytes;
  }

  #bytesOf(block: Block, row: number, base: number, payload: Uint8Array): Uint8Array {
    const inPayload = block.offsetOf(row) - base;
    if (inPayload < 0) return this.read(block, row);
    return payload.subarray(inPayload, inPayload + block.lengthOf(row));
  }

  #addBlock(): Block {
    // The second block is a full one from the start: a segment that fills one fills another.
    const last = this.blocks.at(-1);
    const seed = (Math.random() * 0x1_0000_0000) >>> 0;
    const block = last === undefined ? new Block(seed) : new Block(seed, BLOCK_ROWS);
    if (last !== undefined) {
      last.trim();
      this.traceFilter ??= new TraceFilter();
      this.traceFilter.add(last);
    }
    this.#indexOf.fill(0);
    this.blocks.push(block);
    return block;
  }

  #indexInBlock(block: Block, operation: number): number {
    if (operation >= this.#indexOf.length) {
      const larger = new Uint16Array(Math.max(operation + 1, this.#indexOf.length * 2));
      larger.set(this.#indexOf);
      this.#indexOf = larger;
    }
    const known = this.#indexOf[operation]!;
    if (known > 0) return known - 1;
    const index = block.addOperation(operation);
    this.#indexOf[operation] = index + 1;
    return index;
  }
}
