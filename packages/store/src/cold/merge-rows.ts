import type { ParquetFile } from '../parquet/file.ts';

/** Rows of each file that are in memory at once. */
const BATCH_ROWS = 4096;

/** A place in a file whose rows are taken one after the other. */
export class MergeCursor<Batch> {
  /** The rows in which the place is. */
  batch!: Batch;
  /** The place among them. */
  row = 0;
  isDone = false;
  readonly #file: ParquetFile;
  readonly #read: (group: number, from: number, to: number) => Batch;
  #group = 0;
  /** Where the next batch of the row group begins. */
  #from = 0;
  #count = 0;

  /** @param read - reads the rows `from` to `to` of a row group */
  constructor(file: ParquetFile, read: (group: number, from: number, to: number) => Batch) {
    this.#file = file;
    this.#read = read;
    this.#load();
  }

  next(): void {
    if (++this.row === this.#count) this.#load();
  }

  #load(): void {
    const file = this.#file;
    if (this.#group < file.rowGroups && this.#from === file.rowsOf(this.#group)) {
      this.#group++;
      this.#from = 0;
    }
    if (this.#group === file.rowGroups) {
      this.isDone = true;
      return;
    }
    const to = Math.min(this.#from + BATCH_ROWS, file.rowsOf(this.#group));
    this.batch = this.#read(this.#group, this.#from, to);
    this.row = 0;
    this.#count = to - this.#from;
    this.#from = to;
  }
}

/**
 * The numbers of cursors by the order of their rows: those that stand at the row that comes next, or at one that is
 * equal to it, until the following is asked for.
 */
export function* mergeInOrder<Batch>(
  cursors: readonly MergeCursor<Batch>[],
  compare: (a: Batch, rowA: number, b: Batch, rowB: number) => number,
): Generator<readonly [number, ...number[]]> {
  for (;;) {
    let equals: number[] = [];
    for (const [index, cursor] of cursors.entries()) {
      if (cursor.isDone) continue;
      const best = cursors[equals[0] ?? -1];
      const order = best === undefined ? -1 : compare(cursor.batch, cursor.row, best.batch, best.row);
      if (order < 0) equals = [index];
      else if (order === 0) equals.push(index);
    }
    const [first, ...others] = equals;
    if (first === undefined) return;
    yield [first, ...others];
    for (const index of equals) cursors[index]!.next();
  }
}
