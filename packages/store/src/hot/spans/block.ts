import { StatusCode } from '@tracewell/plugin';
import {
  FLAG_COPY,
  FLAG_COPY_ELSEWHERE,
  FLAG_HIDDEN,
  FLAG_STATUS,
  WORD_FLAGS,
  WORD_LENGTH,
  WORD_OFFSET,
  WORD_SPAN_KEY,
  WORD_START_HIGH,
  WORD_START_LOW,
  WORD_TRACE_HIGH,
  WORD_TRACE_LOW,
} from './row.ts';

/**
 * Up to 65,535 spans of one segment as numbers. They lie in one buffer, so that a block is saved and loaded as
 * it is:
 *
 * ```
 * Uint32 x 8 x capacity  records        the first 8 words of row.ts: ids, start, duration, place
 * Uint16 x capacity      operation      index into the block's own list of operation numbers
 *                        nextInTrace    the row before this one of the same trace, plus 1; 0 at the end
 * Uint16 x table         traceTable     hash table: the last row of a trace, plus 1; 0 is a free slot
 *                        spanTable      hash table: the row of a span, plus 1; 0 is a free slot
 * Uint8 x capacity       flags          see row.ts
 * ```
 *
 * Operation and flags are columns, since a filter runs over those of every row. The rest is a record of half a
 * cache line: whoever looks at one of its numbers wants the others too, and as columns each would be a miss of
 * its own (the newest failing spans of a service took a third longer).
 *
 * A row takes 37 bytes and its slots in the tables 5 to 8: rows numbered within a block need 2 bytes where
 * rows of a segment would need 4, and a full block is followed by a new one, so that nothing large is ever
 * copied or rehashed while spans come in.
 *
 * The numbers are a filter and not the truth. They may say "perhaps" (a rounded duration, ids in part), never
 * a wrong "no"; who wants to be sure decodes the span.
 */

/** The most rows of a block: a row plus 1 fits 16 bits. */
export const BLOCK_ROWS = 0xffff;

const CAPACITIES = [512, 8192, BLOCK_ROWS];
const NOT_SOUGHT = -1;

/** 32-bit words of a record. */
export const RECORD_WORDS = 8;
/** Rows of which the latest start is kept, so that a search for the newest can pass over them. */
export const ZONE_ROWS = 1024;
const ZONE_SHIFT = 10;
const NARROW_COLUMNS = 2;

/** The numbers described above, and what belongs to the block as a whole. */
export class Block {
  /** Rows in use. */
  count = 0;
  /** Rows with status ERROR, those of copies included. */
  failingCount = 0;
  /** Rows with `FLAG_COPY`. */
  copies = 0;
  /** Rows with `FLAG_COPY_ELSEWHERE`. */
  copiesElsewhere = 0;
  /** Rows that were compared with those of other blocks. */
  reconciled = 0;
  /** Bounds of the starts, as doubles: rounded alike, so that comparing them never excludes a span wrongly. */
  minStart = Number.POSITIVE_INFINITY;
  maxStart = Number.NEGATIVE_INFINITY;

  /** The operations of the block: `operation[row]` is an index into it. */
  operations: Uint32Array = new Uint32Array(16);
  operationCount = 0;
  /** From row `groupRows[n]` on, resource and scope are those of group `groupNumbers[n]` of the segment. */
  groupRows: Uint16Array = new Uint16Array(8);
  groupNumbers: Uint32Array = new Uint32Array(8);
  groupCount = 0;

  // Where `find` ended, for `append`.
  #freeSlot = NOT_SOUGHT;

  /** Rows with status ERROR, in order: the row, and above 16 bits its operation. */
  failing: Uint32Array = new Uint32Array(16);
  /** The latest start in each ZONE_ROWS rows, as a double. */
  zoneMaxStart: Float64Array;

  // Initialised by #layOut.
  capacity!: number;
  tableSize!: number;
  buffer!: ArrayBuffer;
  records!: Uint32Array;
  /** The memory of `records`, for the durations. */
  floats!: Float32Array;
  operation!: Uint16Array;
  nextInTrace!: Uint16Array;
  traceTable!: Uint16Array;
  spanTable!: Uint16Array;
  flags!: Uint8Array;

  /** Mixed into the hashes, so that nobody can choose ids that all fall on one slot. */
  readonly seed: number;

  constructor(seed: number, capacity: number = CAPACITIES[0]!, buffer?: ArrayBuffer, byteOffset = 0) {
    this.seed = seed;
    this.zoneMaxStart = new Float64Array(Math.ceil(BLOCK_ROWS / ZONE_ROWS)).fill(Number.NEGATIVE_INFINITY);
    this.#layOut(capacity, buffer ?? new ArrayBuffer(blockBytes(capacity)), byteOffset);
  }

  #layOut(capacity: number, buffer: ArrayBuffer, byteOffset: number): void {
    let at = byteOffset;
    const narrow = (length: number): Uint16Array => {
      const column = new Uint16Array(buffer, at, length);
      at += length * 2;
      return column;
    };
    this.capacity = capacity;
    this.tableSize = tableSizeFor(capacity);
    this.buffer = buffer;
    this.records = new Uint32Array(buffer, at, capacity * RECORD_WORDS);
    this.floats = new Float32Array(buffer, at, capacity * RECORD_WORDS);
    at += capacity * RECORD_WORDS * 4;
    this.operation = narrow(capacity);
    this.nextInTrace = narrow(capacity);
    this.traceTable = narrow(this.tableSize);
    this.spanTable = narrow(this.tableSize);
    this.flags = new Uint8Array(buffer, at, capacity);
  }

  /** Whether there is room for one more row, having grown if need be. */
  makeRoom(): boolean {
    if (this.count < this.capacity) return true;
    if (this.capacity >= BLOCK_ROWS) return false;
    this.#resize(CAPACITIES.find((capacity) => capacity > this.capacity) ?? BLOCK_ROWS);
    return true;
  }

  /** Gives back the memory of rows that will never come. */
  trim(): void {
    if (this.count < this.capacity) this.#resize(this.count);
    this.failing = this.failing.slice(0, this.failingCount);
    this.zoneMaxStart = this.zoneMaxStart.slice(0, Math.ceil(this.count / ZONE_ROWS));
    this.operations = this.operations.slice(0, this.operationCount);
    this.groupRows = this.groupRows.slice(0, this.groupCount);
    this.groupNumbers = this.groupNumbers.slice(0, this.groupCount);
  }

  #resize(capacity: number): void {
    const { count, tableSize, traceTable, spanTable, records, operation, nextInTrace, flags } = this;
    this.#layOut(capacity, new ArrayBuffer(blockBytes(capacity)), 0);
    this.records.set(records.subarray(0, count * RECORD_WORDS));
    this.operation.set(operation.subarray(0, count));
    this.flags.set(flags.subarray(0, count));
    this.nextInTrace.set(nextInTrace.subarray(0, count));
    if (this.tableSize === tableSize) {
      this.traceTable.set(traceTable);
      this.spanTable.set(spanTable);
      return;
    }
    for (let row = 0; row < count; row++) {
      linkTrace(this, row);
      linkSpan(this, row);
    }
  }

  /** The last row of a trace; -1 if it has none here. `nextInTrace` leads to the others. */
  lastRowOfTrace(traceHigh: number, traceLow: number): number {
    const mask = this.tableSize - 1;
    let slot = hashTrace(this.seed, traceHigh, traceLow) & mask;
    for (;;) {
      const row = this.traceTable[slot]! - 1;
      if (row < 0) return -1;
      const at = row * RECORD_WORDS;
      if (
        this.records[at + WORD_TRACE_LOW] === traceLow &&
        this.records[at + WORD_TRACE_HIGH] === traceHigh
      ) {
        return row;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** The group of a row. */
  groupOf(row: number): number {
    let low = 0;
    let high = this.groupCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.groupRows[middle]! <= row) low = middle;
      else high = middle - 1;
    }
    return this.groupNumbers[low]!;
  }

  /** Says that the rows from the next one on belong to a group. */
  setGroup(group: number): void {
    const count = this.groupCount;
    if (count > 0 && this.groupNumbers[count - 1] === group) return;
    if (count > 0 && this.groupRows[count - 1] === this.count) {
      this.groupNumbers[count - 1] = group;
      return;
    }
    if (count === this.groupRows.length) {
      const rows = new Uint16Array(count * 2);
      rows.set(this.groupRows);
      const numbers = new Uint32Array(count * 2);
      numbers.set(this.groupNumbers);
      this.groupRows = rows;
      this.groupNumbers = numbers;
    }
    this.groupRows[count] = this.count;
    this.groupNumbers[count] = group;
    this.groupCount++;
  }

  /** Puts an operation into the block's list and returns its index. */
  addOperation(operation: number): number {
    const index = this.operationCount;
    if (index === this.operations.length) {
      const operations = new Uint32Array(Math.min(index * 4, BLOCK_ROWS));
      operations.set(this.operations);
      this.operations = operations;
    }
    this.operations[index] = operation;
    this.operationCount++;
    return index;
  }

  /**
   * The row of the span that is about to be appended, if the block has it; -1 if not. Must come right before
   * {@link Block.append}, which enters the row where this search ended.
   *
   * @param isSame - decides on a row whose numbers are those of the span, by its whole ids
   */
  find(words: Uint32Array, at: number, isSame: (row: number) => boolean): number {
    const { spanTable, records } = this;
    const mask = this.tableSize - 1;
    let slot = hashSpan(this.seed, words[at + WORD_TRACE_LOW]!, words[at + WORD_SPAN_KEY]!) & mask;
    this.#freeSlot = NOT_SOUGHT;
    for (;;) {
      const row = spanTable[slot]! - 1;
      if (row < 0) {
        this.#freeSlot = slot;
        return -1;
      }
      if (
        sameKey(records, row * RECORD_WORDS, words, at) &&
        (this.flags[row]! & FLAG_COPY) === 0 &&
        isSame(row)
      ) {
        return row;
      }
      slot = (slot + 1) & mask;
    }
  }

  /**
   * Appends one row, which `words` holds at `at`. There must be room, and {@link Block.find} must have been
   * called for it since the last row.
   *
   * @param base - what the row's offset counts from, in the segment
   * @param operation - index into `operations`
   */
  append(words: Uint32Array, at: number, base: number, operation: number): void {
    const row = this.count;
    const { records } = this;
    const to = row * RECORD_WORDS;
    for (let word = 0; word < RECORD_WORDS; word++) records[to + word] = words[at + word]!;
    records[to + WORD_OFFSET] = base + words[at + WORD_OFFSET]!;
    this.operation[row] = operation;
    const flags = words[at + WORD_FLAGS]! & 0xff;
    this.flags[row] = flags;
    if ((flags & FLAG_STATUS) === StatusCode.ERROR) this.#addFailing(row, operation);
    const start = words[at + WORD_START_HIGH]! * 0x1_0000_0000 + words[at + WORD_START_LOW]!;
    if (start < this.minStart) this.minStart = start;
    if (start > this.maxStart) this.maxStart = start;
    const zone = row >>> ZONE_SHIFT;
    if (start > this.zoneMaxStart[zone]!) this.zoneMaxStart[zone] = start;
    if (this.#freeSlot === NOT_SOUGHT) linkSpan(this, row);
    else this.spanTable[this.#freeSlot] = row + 1;
    linkTrace(this, row);
    this.count = row + 1;
  }

  #addFailing(row: number, operation: number): void {
    if (this.failingCount === this.failing.length) {
      const larger = new Uint32Array(this.failingCount * 2);
      larger.set(this.failing);
      this.failing = larger;
    }
    this.failing[this.failingCount++] = (operation << 16) | row;
  }

  /** When a row started, as a double: rounded, to compare with others that are. */
  startOf(row: number): number {
    const at = row * RECORD_WORDS;
    return this.records[at + WORD_START_HIGH]! * 0x1_0000_0000 + this.records[at + WORD_START_LOW]!;
  }

  /** Where a row's Span message starts in the segment. */
  offsetOf(row: number): number {
    return this.records[row * RECORD_WORDS + WORD_OFFSET]!;
  }

  /** How long a row's Span message is. */
  lengthOf(row: number): number {
    return this.records[row * RECORD_WORDS + WORD_LENGTH]!;
  }

  /** Hides a row as a copy of another one of this block. */
  hideCopy(row: number): void {
    this.flags[row]! |= FLAG_COPY;
    this.copies++;
  }

  /** Hides a row as a copy of a row of another block. */
  hideCopyElsewhere(row: number): void {
    if ((this.flags[row]! & FLAG_COPY_ELSEWHERE) !== 0) return;
    this.flags[row]! |= FLAG_COPY_ELSEWHERE;
    this.copiesElsewhere++;
  }

  /** Takes back what {@link Block.hideCopyElsewhere} did, and everything that was compared with other blocks. */
  forgetOthers(): void {
    this.reconciled = 0;
    if (this.copiesElsewhere === 0) return;
    this.copiesElsewhere = 0;
    for (let row = 0; row < this.count; row++) this.flags[row]! &= ~FLAG_COPY_ELSEWHERE;
  }

  /** Spans: the rows but for those that are hidden. */
  get spanCount(): number {
    return this.count - this.copies - this.copiesElsewhere;
  }

  /** Bytes of memory that the block holds. */
  get byteLength(): number {
    return (
      blockBytes(this.capacity) +
      this.failing.byteLength +
      this.zoneMaxStart.byteLength +
      this.operations.byteLength +
      this.groupRows.byteLength +
      this.groupNumbers.byteLength
    );
  }
}

/** Bytes of the columns of a block with room for so many rows. */
export function blockBytes(capacity: number): number {
  const tables = tableSizeFor(capacity) * 2 * 2;
  return (capacity * 4 * RECORD_WORDS + capacity * 2 * NARROW_COLUMNS + tables + capacity + 7) & ~7;
}

/** A power of two with at most three quarters of the slots in use. */
function tableSizeFor(capacity: number): number {
  let size = 8;
  while (size * 3 < capacity * 4) size *= 2;
  return size;
}

// The hot loops are free functions over the block's arrays.

function linkTrace(block: Block, row: number): void {
  const { traceTable, records } = block;
  const high = records[row * RECORD_WORDS + WORD_TRACE_HIGH]!;
  const low = records[row * RECORD_WORDS + WORD_TRACE_LOW]!;
  const mask = block.tableSize - 1;
  let slot = hashTrace(block.seed, high, low) & mask;
  for (;;) {
    const last = traceTable[slot]!;
    const at = (last - 1) * RECORD_WORDS;
    if (last === 0 || (records[at + WORD_TRACE_LOW] === low && records[at + WORD_TRACE_HIGH] === high)) {
      block.nextInTrace[row] = last;
      traceTable[slot] = row + 1;
      return;
    }
    slot = (slot + 1) & mask;
  }
}

function linkSpan(block: Block, row: number): void {
  const { spanTable, records } = block;
  const at = row * RECORD_WORDS;
  const mask = block.tableSize - 1;
  let slot = hashSpan(block.seed, records[at + WORD_TRACE_LOW]!, records[at + WORD_SPAN_KEY]!) & mask;
  while (spanTable[slot] !== 0) slot = (slot + 1) & mask;
  spanTable[slot] = row + 1;
}

/**
 * The row of `block` that is the same span as a row of another block; -1 if there is none.
 *
 * @param isSame - decides on a row whose numbers are the same, by the whole ids
 */
export function findCopy(
  block: Block,
  other: Block,
  otherRow: number,
  isSame: (row: number) => boolean,
): number {
  const { spanTable, records } = block;
  const at = otherRow * RECORD_WORDS;
  const mask = block.tableSize - 1;
  const key = other.records[at + WORD_SPAN_KEY]!;
  let slot = hashSpan(block.seed, other.records[at + WORD_TRACE_LOW]!, key) & mask;
  for (;;) {
    const row = spanTable[slot]! - 1;
    if (row < 0) return -1;
    if (
      sameKey(records, row * RECORD_WORDS, other.records, at) &&
      (block.flags[row]! & FLAG_HIDDEN) === 0 &&
      isSame(row)
    ) {
      return row;
    }
    slot = (slot + 1) & mask;
  }
}

/** Whether two records, or rows, have the same ids and start, as far as the numbers know them. */
function sameKey(a: Uint32Array, atA: number, b: Uint32Array, atB: number): boolean {
  return (
    a[atA + WORD_SPAN_KEY] === b[atB + WORD_SPAN_KEY] &&
    a[atA + WORD_TRACE_LOW] === b[atB + WORD_TRACE_LOW] &&
    a[atA + WORD_TRACE_HIGH] === b[atB + WORD_TRACE_HIGH] &&
    a[atA + WORD_START_LOW] === b[atB + WORD_START_LOW] &&
    a[atA + WORD_START_HIGH] === b[atB + WORD_START_HIGH]
  );
}

/** The finaliser of MurmurHash3 over both halves: a bit of the ids changes half the bits of the hash. */
function hashTrace(seed: number, high: number, low: number): number {
  return mix(mix(seed ^ high) ^ low);
}

function hashSpan(seed: number, traceLow: number, spanKey: number): number {
  return mix(mix(seed ^ traceLow) ^ spanKey);
}

function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
