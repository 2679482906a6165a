import type { CallFacts, CallVisitor } from '../../analysis/dependencies.ts';
import type { SpanFacts, SpanVisitor } from '../../analysis/span-facts.ts';
import type { Targets } from '../../analysis/targets.ts';
import type { SpanFile } from '../../cold/spans/span-file.ts';
import { visitCallsOfFile } from '../../cold/spans/visit-calls.ts';
import { visitSpanFile } from '../../cold/spans/visit-spans.ts';
import type { Operations } from '../../hot/spans/operations.ts';
import type { TimeWindow } from '../check.ts';
import type { Snapshot } from '../snapshot.ts';
import { nextTurn, turnIsOver } from '../turn.ts';
import { AllSpans, type SpanTiers } from './all-spans.ts';
import { spansIn, visitCalls, visitSpans } from './visit-spans.ts';

/** What analyses count: the spans of a snapshot, hot and cold as one, each once. */
export class AllFacts implements SpanFacts, CallFacts {
  readonly #tiers: SpanTiers;
  readonly #snapshot: Snapshot;

  constructor(tiers: SpanTiers, snapshot: Snapshot) {
    this.#tiers = tiers;
    this.#snapshot = snapshot;
  }

  get operations(): Operations {
    return this.#tiers.index.operations;
  }

  spansIn(window: TimeWindow): number {
    const files = this.#snapshot.cold('spans', window.minStart, window.maxStart);
    return files.reduce((sum, { rows }) => sum + rows, spansIn(this.#tiers.index, window));
  }

  async visit(window: TimeWindow, visit: SpanVisitor): Promise<void> {
    await this.#hideCopies();
    await visitSpans(this.#tiers.index, window, visit);
    await this.#visitFiles(window, (file, hidden) =>
      visitSpanFile(file, window, this.operations, visit, hidden),
    );
  }

  async visitCalls(
    window: TimeWindow,
    targets: Targets,
    isWanted: (traceLow: number) => boolean,
    visit: CallVisitor,
  ): Promise<void> {
    await this.#hideCopies();
    await visitCalls(this.#tiers.index, window, targets, isWanted, visit);
    await this.#visitFiles(window, (file, hidden) =>
      visitCallsOfFile(file, window, this.operations, targets, isWanted, visit, hidden),
    );
  }

  #hideCopies(): Promise<void> {
    return new AllSpans(this.#tiers, this.#snapshot).reconcile();
  }

  async #visitFiles(
    { minStart, maxStart }: TimeWindow,
    visitFile: (file: SpanFile, hidden: ReadonlySet<number>) => Generator<void>,
  ): Promise<void> {
    if (minStart > maxStart) return;
    for (const file of this.#snapshot.readable('spans', minStart, maxStart)) {
      const hidden = this.#tiers.copies.hiddenIn(file);
      try {
        for (const _ of this.#snapshot.files.eachOfSpans(file, (open) => visitFile(open, hidden))) {
          if (turnIsOver()) await nextTurn();
        }
      } catch (error) {
        this.#snapshot.skip(error);
      }
    }
  }
}
