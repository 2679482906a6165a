import type { RequestId } from './request-id.ts';
import { Runs } from './runs.ts';

/** Words of a run of rows that came with one request: its id, and the place in it of the run's first row. */
export const REQUEST_WORDS = 4;
const HIGH = 0;
const LOW = 1;
const FIRST = 2;
/** 1 if the request was there already, in another segment mostly, and counts there; not saved, since that may go. */
const COPY = 3;

/** Which requests the rows of a block came with. */
export class RequestRuns extends Runs {
  constructor(rows?: Uint16Array, words?: Uint32Array, count?: number) {
    super(REQUEST_WORDS, rows, words, count);
  }

  /**
   * Says that the rows from `row` on came with a request.
   *
   * @param first - the place in the request of that row
   */
  beginRequest(row: number, request: RequestId, first: number, copy: boolean): void {
    const at = this.begin(row);
    this.words[at + HIGH] = request.high;
    this.words[at + LOW] = request.low;
    this.words[at + FIRST] = first;
    this.words[at + COPY] = copy ? 1 : 0;
  }

  /** The upper half of a run's request. */
  high(run: number): number {
    return this.words[run * REQUEST_WORDS + HIGH]!;
  }

  /** The lower half of a run's request. */
  low(run: number): number {
    return this.words[run * REQUEST_WORDS + LOW]!;
  }

  /** Whether a run has the first row of its request. */
  isStart(run: number): boolean {
    return this.words[run * REQUEST_WORDS + FIRST] === 0;
  }

  /** The place in its request of a row of a run. */
  indexOf(run: number, row: number): number {
    return this.words[run * REQUEST_WORDS + FIRST]! + row - this.rows[run]!;
  }

  /** Whether the run's request is there another time, and counts there. */
  isCopy(run: number): boolean {
    return this.words[run * REQUEST_WORDS + COPY] !== 0;
  }

  /** Says whether the run's request counts elsewhere. */
  setCopy(run: number, copy: boolean): void {
    this.words[run * REQUEST_WORDS + COPY] = copy ? 1 : 0;
  }

  /** The row behind a run's last one, of a block of `count` rows. */
  endOf(run: number, count: number): number {
    return run + 1 < this.count ? this.rows[run + 1]! : count;
  }

  /** Rows of a block of `count` rows that count elsewhere. */
  copiesIn(count: number): number {
    let copies = 0;
    for (let run = 0; run < this.count; run++) {
      if (this.isCopy(run)) copies += this.endOf(run, count) - this.rows[run]!;
    }
    return copies;
  }

  /** The words as they are saved. */
  savedWords(): Uint32Array {
    const words = this.words.slice(0, this.count * REQUEST_WORDS);
    for (let at = COPY; at < words.length; at += REQUEST_WORDS) words[at] = 0;
    return words;
  }
}
