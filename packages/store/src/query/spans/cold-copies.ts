import { decodeSpan } from '@tracewell/otlp';
import type { SpanData } from '@tracewell/plugin';
import type { SpanFile } from '../../cold/spans/span-file.ts';
import { SpanKeys } from '../../cold/spans/span-keys.ts';
import { type Block, RECORD_WORDS } from '../../hot/spans/block.ts';
import type { PlacedBlock } from '../../hot/spans/cross-copies.ts';
import { FLAG_HIDDEN, WORD_SPAN_KEY, WORD_TRACE_LOW } from '../../hot/spans/row.ts';
import { NO_RESOURCE, NO_SCOPE, preferredCopy } from '../../hot/spans/same-span.ts';
import type { SpanIndex } from '../../hot/spans/span-index.ts';
import type { ColdFile } from '../../meta/catalog.ts';
import type { Snapshot } from '../snapshot.ts';
import { nextTurn, turnIsOver } from '../turn.ts';

/** How many files have their keys in memory: those of the hours that are hot and cold at the same time. */
const MAX_KEYS = 4;

const NO_ROWS: ReadonlySet<number> = new Set();

/**
 * Hides one of the copies of each span that is hot and cold at the same time, because it was inserted again after its
 * first copy went cold, so that whoever counts counts it once: in the hot tier by the flag that copies in other blocks
 * have too, in a file by {@link ColdCopies.hiddenIn}. Whoever returns spans decides that by the spans.
 *
 * Copies have the same start, so files and blocks are compared only where their times overlap, and each row only
 * once.
 */
export class ColdCopies {
  readonly #index: SpanIndex;
  // What was found, for the tiers as they are; void once rows or files leave them.
  #removals = -1;
  #checked = new WeakMap<Block, Map<string, number>>();
  #hidden = new Map<string, Set<number>>();
  /** Files because of which something is hidden. */
  #because = new Set<string>();
  readonly #keys = new Map<string, SpanKeys>();

  constructor(index: SpanIndex) {
    this.#index = index;
  }

  /** The rows of a file that spans of the hot tier stand for, counted through all row groups. */
  hiddenIn(file: ColdFile): ReadonlySet<number> {
    return this.#hidden.get(file.id) ?? NO_ROWS;
  }

  /** Hides what is to be hidden now, hot copies of hot spans included. To be called before rows are counted. */
  async hide(snapshot: Snapshot): Promise<void> {
    this.#forgetOthers(snapshot);
    for (const _ of this.#index.reconcile()) if (turnIsOver()) await nextTurn();
    for (const file of snapshot.readable('spans')) {
      for (const placed of this.#index.blocks()) {
        if (!overlaps(placed.block, file)) continue;
        try {
          this.#compare(placed, file, snapshot);
        } catch (error) {
          snapshot.skip(error);
        }
        if (turnIsOver()) await nextTurn();
        // What was compared is void, and the query is run again.
        if (!snapshot.isWhole) return;
      }
    }
  }

  /** Takes back what was found if a segment or a file has gone since. */
  #forgetOthers(snapshot: Snapshot): void {
    const visible = new Set(snapshot.state.files.map(({ id }) => id));
    const isHiddenForNothing = [...this.#because].some((id) => !visible.has(id));
    if (isHiddenForNothing) for (const { block } of this.#index.blocks()) block.forgetOthers();
    if (!isHiddenForNothing && this.#removals === snapshot.removals) return;
    this.#removals = snapshot.removals;
    this.#checked = new WeakMap();
    this.#hidden = new Map();
    this.#because = new Set();
  }

  #compare({ index, block }: PlacedBlock, file: ColdFile, snapshot: Snapshot): void {
    const checked = this.#checkedOf(block);
    const from = checked.get(file.id) ?? 0;
    const until = block.count;
    if (from === until) return;
    const [minTime, maxTime] = [Number(file.minTime), Number(file.maxTime)];
    const { records, flags } = block;
    let keys: SpanKeys | undefined;
    for (let row = from; row < until; row++) {
      const start = block.startOf(row);
      if (start < minTime || start > maxTime || (flags[row]! & FLAG_HIDDEN) !== 0) continue;
      keys ??= this.#keysOf(file, snapshot);
      const at = row * RECORD_WORDS;
      const rows = keys.rowsOf(records[at + WORD_TRACE_LOW]!, records[at + WORD_SPAN_KEY]!);
      if (rows.length === 0) continue;
      const bytes = index.read(block, row);
      const hot = decodeSpan(bytes, 0, bytes.length, NO_RESOURCE, NO_SCOPE);
      for (const coldRow of rows) {
        const cold = snapshot.files.spans(file, (open) => spanAt(open, coldRow));
        const verdict = cold === undefined ? 'different' : preferredCopy(cold, hot);
        if (verdict === 'different') continue;
        this.#because.add(file.id);
        if (verdict === 'second') this.#hideInFile(file, coldRow);
        else block.hideCopyElsewhere(row);
        break;
      }
    }
    checked.set(file.id, until);
  }

  #hideInFile(file: ColdFile, row: number): void {
    const rows = this.#hidden.get(file.id);
    if (rows === undefined) this.#hidden.set(file.id, new Set([row]));
    else rows.add(row);
  }

  #checkedOf(block: Block): Map<string, number> {
    let checked = this.#checked.get(block);
    if (checked === undefined) {
      checked = new Map();
      this.#checked.set(block, checked);
    }
    return checked;
  }

  #keysOf(file: ColdFile, snapshot: Snapshot): SpanKeys {
    let keys = this.#keys.get(file.id);
    if (keys === undefined) {
      keys = snapshot.files.spans(file, (open) => new SpanKeys(open));
      if (this.#keys.size === MAX_KEYS) this.#keys.delete(this.#keys.keys().next().value!);
    } else {
      this.#keys.delete(file.id);
    }
    this.#keys.set(file.id, keys);
    return keys;
  }
}

/** Whether a span can be in both. The bounds are rounded alike. */
function overlaps(block: Block, { minTime, maxTime }: ColdFile): boolean {
  return block.count > 0 && block.maxStart >= Number(minTime) && block.minStart <= Number(maxTime);
}

/** A span by its row, counted through all row groups. */
function spanAt(file: SpanFile, row: number): SpanData | undefined {
  let first = 0;
  for (let group = 0; group < file.parquet.rowGroups; group++) {
    const count = file.parquet.rowsOf(group);
    if (row < first + count) return file.readRows(group, [row - first]).next().value ?? undefined;
    first += count;
  }
  return undefined;
}
