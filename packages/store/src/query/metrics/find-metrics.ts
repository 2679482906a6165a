import type { MetricData, MetricPointData } from '@tracewell/otlp';
import type { Attributes } from '@tracewell/plugin';
import { firstRows, newestFirst } from '../newest-first.ts';
import { nextTurn, turnIsOver } from '../turn.ts';
import type { MetricPage, MetricSeries } from './metric-query.ts';
import type { MetricPlan } from './plan.ts';
import { comparePointKeys, compareSeriesKeys, encodePointCursor, type PointKey } from './series-order.ts';

/** A point with its place in the order, and what its series is. */
export interface KeyedPoint {
  readonly key: PointKey;
  readonly point: MetricPointData;
  readonly series: SeriesHead;
}

/** A series without its points. */
export interface SeriesHead {
  /** The metric; its points do not matter. */
  readonly metric: MetricData;
  readonly labels: Attributes;
}

/** Something that has points: the hot tier, the cold tier. */
export interface PointSource {
  /** The points that match a plan, in order, each once; those behind `plan.after`. No further than it is asked. */
  points(plan: MetricPlan): AsyncIterable<KeyedPoint>;
}

/** A page of the points of all sources together. */
export async function findMetrics(sources: readonly PointSource[], plan: MetricPlan): Promise<MetricPage> {
  if (turnIsOver()) await nextTurn();
  const all = newestFirst(
    sources.map((source) => source.points(plan)),
    (a, b) => comparePointKeys(a.key, b.key),
  );
  const { rows, more } = await firstRows(all, plan.limit);
  const series = inSeries(rows);
  return more ? { series, cursor: encodePointCursor(rows.at(-1)!.key) } : { series };
}

/** Puts the points of a series, which stand side by side, together. */
function inSeries(rows: readonly KeyedPoint[]): MetricSeries[] {
  const found: MetricSeries[] = [];
  for (let from = 0; from < rows.length; ) {
    const { key, series } = rows[from]!;
    let until = from + 1;
    while (until < rows.length && compareSeriesKeys(key, rows[until]!.key) === 0) until++;
    const points = rows.slice(from, until).map(({ point }) => point);
    // The points are of the metric's type, which the compiler cannot see.
    found.push({ ...series.metric, labels: series.labels, points } as MetricSeries);
    from = until;
  }
  return found;
}
