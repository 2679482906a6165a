import type { ColdFile } from '../../meta/catalog.ts';
import { newestFirst } from '../newest-first.ts';
import type { Snapshot } from '../snapshot.ts';
import { nextTurn, turnIsOver } from '../turn.ts';
import type { KeyedPoint, PointSource } from './find-metrics.ts';
import type { MetricPlan } from './plan.ts';
import { comparePointKeys } from './series-order.ts';

/** The points of the cold tier. A file that cannot be read makes the result of the snapshot partial. */
export class ColdPoints implements PointSource {
  readonly #snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  async *points(plan: MetricPlan): AsyncGenerator<KeyedPoint> {
    if (plan.minStart > plan.maxStart) return;
    const files = this.#snapshot.readable('metrics', plan.minStart, plan.maxStart);
    if (files.length === 0) return;
    yield* newestFirst(
      files.map((file) => this.#pointsOf(file, plan)),
      (a, b) => comparePointKeys(a.key, b.key),
    );
  }

  async *#pointsOf(file: ColdFile, plan: MetricPlan): AsyncGenerator<KeyedPoint> {
    try {
      for (const found of this.#snapshot.files.eachOfMetrics(file, (metrics) => metrics.points(plan))) {
        if (turnIsOver()) await nextTurn();
        if (found !== undefined) yield found;
      }
    } catch (error) {
      this.#snapshot.skip(error);
    }
  }
}
