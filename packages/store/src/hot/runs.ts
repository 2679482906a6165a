/** Numbers that hold from a row on until the next run: where most rows have the same as the one before. */
export class Runs {
  /** The first row of each run. */
  rows: Uint16Array;
  /** What holds from there on: `width` words a run. */
  words: Uint32Array;
  readonly width: number;
  count: number;

  constructor(width: number, rows: Uint16Array = new Uint16Array(8), words?: Uint32Array, count = 0) {
    this.width = width;
    this.rows = rows;
    this.words = words ?? new Uint32Array(rows.length * width);
    this.count = count;
  }

  /** Begins a run at a row behind all others, and returns where its words go. */
  begin(row: number): number {
    if (this.count === this.rows.length) {
      const rows = new Uint16Array(Math.max(this.count * 2, 8));
      rows.set(this.rows);
      const words = new Uint32Array(rows.length * this.width);
      words.set(this.words);
      this.rows = rows;
      this.words = words;
    }
    this.rows[this.count] = row;
    return this.count++ * this.width;
  }

  /** The run that a row belongs to. */
  runOf(row: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.rows[middle]! <= row) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Gives back the memory of runs that will never come. */
  trim(): void {
    this.rows = this.rows.slice(0, this.count);
    this.words = this.words.slice(0, this.count * this.width);
  }

  get byteLength(): number {
    return this.rows.byteLength + this.words.byteLength;
  }
}
