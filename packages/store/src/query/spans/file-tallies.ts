import { StatusCode } from '@tracewell/plugin';
import { visitSpanFile } from '../../cold/spans/visit-spans.ts';
import type { Operations } from '../../hot/spans/operations.ts';
import { FLAG_STATUS } from '../../hot/spans/row.ts';
import type { ColdFile } from '../../meta/catalog.ts';
import type { Snapshot } from '../snapshot.ts';
import { nextTurn, turnIsOver } from '../turn.ts';
import type { ColdCopies } from './cold-copies.ts';
import type { OperationCounts } from './list-services.ts';

const MAX_TIME = 0xffff_ffff_ffff_ffffn;
/** So many files have their counts in memory, some dozens of numbers each. */
const MAX_TALLIES = 4096;

interface Tally {
  readonly hidden: number;
  readonly counts: readonly OperationCounts[];
}

/** Counts the spans of files by operation, those of whole files once. */
export class FileTallies {
  readonly #whole = new Map<string, Tally>();

  /** @throws UnreadableFile */
  async of(
    file: ColdFile,
    minStart: bigint,
    operations: Operations,
    snapshot: Snapshot,
    copies: ColdCopies,
  ): Promise<readonly OperationCounts[]> {
    const hidden = copies.hiddenIn(file);
    const isWhole = minStart <= file.minTime;
    const known = isWhole ? this.#whole.get(file.id) : undefined;
    if (known !== undefined && known.hidden === hidden.size) return known.counts;
    const { size } = hidden;
    const counts = await count(file, minStart, operations, snapshot, hidden);
    if (isWhole) {
      if (this.#whole.size >= MAX_TALLIES) this.#whole.delete(this.#whole.keys().next().value!);
      this.#whole.set(file.id, { hidden: size, counts });
    }
    return counts;
  }
}

async function count(
  file: ColdFile,
  minStart: bigint,
  operations: Operations,
  snapshot: Snapshot,
  hidden: ReadonlySet<number>,
): Promise<OperationCounts[]> {
  type Counts = { spans: number; errors: number; first: Halves; last: Halves };
  type Halves = { high: number; low: number };
  const byOperation = new Map<number, Counts>();
  const visit = (operation: number, flags: number, high: number, low: number): void => {
    let counts = byOperation.get(operation);
    if (counts === undefined) {
      counts = { spans: 0, errors: 0, first: { high, low }, last: { high, low } };
      byOperation.set(operation, counts);
    }
    counts.spans++;
    if ((flags & FLAG_STATUS) === StatusCode.ERROR) counts.errors++;
    const { first, last } = counts;
    if (high < first.high || (high === first.high && low < first.low)) counts.first = { high, low };
    if (high > last.high || (high === last.high && low > last.low)) counts.last = { high, low };
  };
  const window = { minStart, maxStart: MAX_TIME };
  const steps = snapshot.files.eachOfSpans(file, (open) =>
    visitSpanFile(open, window, operations, visit, hidden),
  );
  for (const _ of steps) if (turnIsOver()) await nextTurn();
  return [...byOperation].map(([operation, { spans, errors, first, last }]) => ({
    operation,
    spans,
    errors,
    first: (BigInt(first.high) << 32n) | BigInt(first.low),
    last: (BigInt(last.high) << 32n) | BigInt(last.low),
  }));
}
