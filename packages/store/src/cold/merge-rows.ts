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
 * The numbers of cursors by the order of their rows: each stands at the row that comes next until the following is
 * asked for. Of rows that are equal only the first comes.
 */
export function* mergeInOrder<Batch>(
  cursors: readonly MergeCursor<Batch>[],
  compare: (a: Batch, rowA: number, b: Batch, rowB: number) => number,
): Generator<number> {
  for (;;) {
    let first = -1;
    for (const [index, cursor] of cursors.entries()) {
      if (cursor.isDone) continue;
      const best = cursors[first];
      if (best === undefined || compare(cursor.batch, cursor.row, best.batch, best.row) < 0) first = index;
    }
    if (first < 0) return;
    yield first;
    const { batch, row } = cursors[first]!;
    // Copies in other files have had their turn too.
    for (const [index, cursor] of cursors.entries()) {
      if (index !== first && !cursor.isDone && compare(batch, row, cursor.batch, cursor.row) === 0)
        cursor.next();
    }
    cursors[first]!.next();
  }
}
