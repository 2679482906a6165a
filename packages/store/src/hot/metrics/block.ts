import { RequestRuns } from '../request-runs.ts';
import { WORD_LENGTH, WORD_OFFSET, WORD_TIME_HIGH, WORD_TIME_LOW } from './row.ts';

/**
 * Up to 65,535 data points of one segment as numbers. They lie in one buffer, so that a block is saved and loaded as
 * it is:
 *
 * ```
 * Uint32 x 4 x capacity  records   the first 4 words of row.ts: time and place
 * Uint16 x capacity      series    index into the block's own list of series
 *                        previous  the row before this one of the same series, plus 1; 0 at the end
 * ```
 *
 * A row takes 20 bytes. What a point belongs to, and how it is read, is what its series says; the rows of a series
 * are a chain, so that a query walks over no others.
 */

/** The most rows of a block: a row plus 1 fits 16 bits. */
export const BLOCK_ROWS = 0xffff;
/** 32-bit words of a record. */
export const RECORD_WORDS = 4;
const CAPACITIES = [512, 8192, BLOCK_ROWS];

/** The numbers described above, and what belongs to the block as a whole. */
export class PointBlock {
  /** Rows in use. */
  count = 0;
  /** Bounds of the times, as doubles: rounded alike, so that comparing them never excludes a point wrongly. */
  minTime = Number.POSITIVE_INFINITY;
  maxTime = Number.NEGATIVE_INFINITY;

  /** The series of the block, and the last row of each, plus 1. */
  seriesNumbers: Uint32Array = new Uint32Array(16);
  lastRows: Uint16Array = new Uint16Array(16);
  seriesCount = 0;
  /** Which requests the rows came with. */
  requests = new RequestRuns();

  // Initialised by #layOut.
  capacity!: number;
  buffer!: ArrayBuffer;
  records!: Uint32Array;
  series!: Uint16Array;
  previous!: Uint16Array;

  constructor(capacity: number = CAPACITIES[0]!, buffer?: ArrayBuffer, byteOffset = 0) {
    this.#layOut(capacity, buffer ?? new ArrayBuffer(pointBlockBytes(capacity)), byteOffset);
  }

  #layOut(capacity: number, buffer: ArrayBuffer, byteOffset: number): void {
    const seriesAt = byteOffset + capacity * RECORD_WORDS * 4;
    this.capacity = capacity;
    this.buffer = buffer;
    this.records = new Uint32Array(buffer, byteOffset, capacity * RECORD_WORDS);
    this.series = new Uint16Array(buffer, seriesAt, capacity);
    this.previous = new Uint16Array(buffer, seriesAt + capacity * 2, capacity);
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
    this.seriesNumbers = this.seriesNumbers.slice(0, this.seriesCount);
    this.lastRows = this.lastRows.slice(0, this.seriesCount);
    this.requests.trim();
  }

  #resize(capacity: number): void {
    const { count, records, series, previous } = this;
    this.#layOut(capacity, new ArrayBuffer(pointBlockBytes(capacity)), 0);
    this.records.set(records.subarray(0, count * RECORD_WORDS));
    this.series.set(series.subarray(0, count));
    this.previous.set(previous.subarray(0, count));
  }

  /** Puts a series into the block's list and returns its index. */
  addSeries(series: number): number {
    const index = this.seriesCount;
    if (index === this.seriesNumbers.length) {
      const numbers = new Uint32Array(index * 2);
      numbers.set(this.seriesNumbers);
      const lastRows = new Uint16Array(index * 2);
      lastRows.set(this.lastRows);
      this.seriesNumbers = numbers;
      this.lastRows = lastRows;
    }
    this.seriesNumbers[index] = series;
    this.seriesCount++;
    return index;
  }

  /**
   * Appends one row, which `words` holds at `at`. There must be room.
   *
   * @param base - what the row's offset counts from, in the segment
   * @param series - index into the block's list
   */
  append(words: Uint32Array, at: number, base: number, series: number): void {
    const row = this.count;
    const { records } = this;
    const to = row * RECORD_WORDS;
    for (let word = 0; word < RECORD_WORDS; word++) records[to + word] = words[at + word]!;
    records[to + WORD_OFFSET] = base + words[at + WORD_OFFSET]!;
    this.series[row] = series;
    this.previous[row] = this.lastRows[series]!;
    this.lastRows[series] = row + 1;
    const time = words[at + WORD_TIME_HIGH]! * 0x1_0000_0000 + words[at + WORD_TIME_LOW]!;
    if (time < this.minTime) this.minTime = time;
    if (time > this.maxTime) this.maxTime = time;
    this.count = row + 1;
  }

  /** Where a row's message starts in the segment. */
  offsetOf(row: number): number {
    return this.records[row * RECORD_WORDS + WORD_OFFSET]!;
  }

  /** How long a row's message is. */
  lengthOf(row: number): number {
    return this.records[row * RECORD_WORDS + WORD_LENGTH]!;
  }

  /** Bytes of memory that the block holds. */
  get byteLength(): number {
    return (
      pointBlockBytes(this.capacity) +
      this.seriesNumbers.byteLength +
      this.lastRows.byteLength +
      this.requests.byteLength
    );
  }
}

/** Bytes of the columns of a block with room for so many rows. */
export function pointBlockBytes(capacity: number): number {
  return (capacity * (RECORD_WORDS * 4 + 2 * 2) + 7) & ~7;
}
