import type { SpanFile } from './span-file.ts';
import { readSpanIdNumbers } from './span-numbers.ts';

/** Where the spans of a file are by the ends of their ids: a hash table in typed arrays, 20 bytes a span. */
export class SpanKeys {
  readonly #traceLows: Uint32Array;
  readonly #spanKeys: Uint32Array;
  /** The row, plus 1; 0 is a free slot. */
  readonly #slots: Uint32Array;
  readonly #mask: number;

  /** @throws `TracewellError` (`TW_COLD_DAMAGED`) */
  constructor({ parquet, rows }: SpanFile) {
    let size = 16;
    while (size < rows * 2) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Uint32Array(size);
    this.#traceLows = new Uint32Array(rows);
    this.#spanKeys = new Uint32Array(rows);
    let row = 0;
    for (let group = 0; group < parquet.rowGroups; group++) {
      const { traceIds, spanIds } = readSpanIdNumbers(parquet, group);
      const count = parquet.rowsOf(group);
      for (let at = 0; at < count; at++, row++) {
        const traceLow = traceIds[2 * at + 1]!;
        const spanKey = spanIds[2 * at + 1]!;
        this.#traceLows[row] = traceLow;
        this.#spanKeys[row] = spanKey;
        let slot = hash(traceLow, spanKey) & this.#mask;
        while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
        this.#slots[slot] = row + 1;
      }
    }
  }

  /** The rows whose trace id and span id end so, counted through all row groups. */
  rowsOf(traceLow: number, spanKey: number): number[] {
    const rows: number[] = [];
    for (let slot = hash(traceLow, spanKey) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const row = this.#slots[slot]! - 1;
      if (row < 0) return rows;
      if (this.#traceLows[row] === traceLow && this.#spanKeys[row] === spanKey) rows.push(row);
    }
  }
}

function hash(traceLow: number, spanKey: number): number {
  const mixed = Math.imul(traceLow ^ Math.imul(spanKey, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
