import type { Segment } from '../../log/types.ts';
import { GROUP_WORDS, Groups } from '../groups.ts';
import { nextSerial } from '../serial.ts';
import { BLOCK_ROWS, LogBlock } from './block.ts';
import type { LogRows } from './log-rows.ts';
import { GROUP_SHIFT, ROW_WORDS, WORD_SERVICE, WORD_SEVERITY } from './row.ts';

/** The index of the log records of one segment: its blocks, of which only the last one still grows, and its groups. */
export class LogSegmentIndex {
  /** Another number for each that was made in this process. */
  readonly serial = nextSerial();
  readonly segment: Segment;
  readonly blocks: LogBlock[];
  readonly groups: Groups;
  /** Records of requests that came again within this segment and were left out. */
  copies = 0;
  // Of the last block: the index of a service in its list, plus 1; 0 if it is not in it.
  #indexOf = new Uint16Array(16);
  // The frame that was added last, and how many of its rows are in: a frame whose adding failed comes again.
  #frame = -1;
  #rowsAdded = 0;

  constructor(segment: Segment, blocks: LogBlock[] = [], groups: Groups = new Groups()) {
    this.segment = segment;
    this.blocks = blocks;
    this.groups = groups;
  }

  /**
   * To be called before {@link LogSegmentIndex.add} and whatever else may run out of memory.
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
   * @param copy - whether another segment has the same request and counts it
   * @throws RangeError if memory runs out; the same call may then be made again and goes on where it stopped
   */
  add(base: number, payload: Uint8Array, rows: LogRows, copy: boolean): void {
    const { words, groups, request } = rows;
    let block: LogBlock | undefined;
    let groupInFrame = -1;
    let group = 0;
    for (let index = this.#rowsAdded; index < rows.count; index++) {
      const at = index * ROW_WORDS;
      const next = words[at + WORD_SEVERITY]! >>> GROUP_SHIFT;
      if (next !== groupInFrame) {
        groupInFrame = next;
        group = this.groups.add(payload, base, groups, next * GROUP_WORDS);
        block?.setGroup(group);
      }
      if (block === undefined || !block.makeRoom()) {
        block = this.#blockWithRoom();
        block.requests.beginRequest(block.count, request, index, copy);
        block.setGroup(group);
      }
      block.append(words, at, base, this.#indexInBlock(block, words[at + WORD_SERVICE]!));
      this.#rowsAdded = index + 1;
    }
  }

  /** Gives back the memory of rows that will never come; for a segment that is complete. */
  trim(): void {
    if (this.blocks.at(-1)?.count === 0) this.blocks.pop();
    this.blocks.at(-1)?.trim();
    this.groups.trim();
    this.#indexOf = new Uint16Array(0);
  }

  /** Bytes of memory that the index holds. */
  get byteLength(): number {
    let bytes = this.groups.words.byteLength + this.#indexOf.byteLength;
    for (const block of this.blocks) bytes += block.byteLength;
    return bytes;
  }

  #blockWithRoom(): LogBlock {
    const last = this.blocks.at(-1);
    if (last?.makeRoom()) return last;
    // The second block is a full one from the start: a segment that fills one fills another.
    const seed = (Math.random() * 0x1_0000_0000) >>> 0;
    const block = last === undefined ? new LogBlock(seed) : new LogBlock(seed, BLOCK_ROWS);
    last?.trim();
    this.#indexOf.fill(0);
    this.blocks.push(block);
    return block;
  }

  #indexInBlock(block: LogBlock, service: number): number {
    if (service >= this.#indexOf.length) {
      const larger = new Uint16Array(Math.max(service + 1, this.#indexOf.length * 2));
      larger.set(this.#indexOf);
      this.#indexOf = larger;
    }
    const known = this.#indexOf[service]!;
    if (known > 0) return known - 1;
    const index = block.addService(service);
    this.#indexOf[service] = index + 1;
    return index;
  }
}
