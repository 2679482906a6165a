import { RECORD_WORDS } from '../../hot/metrics/block.ts';
import type { MetricIndex } from '../../hot/metrics/metric-index.ts';
import { WORD_TIME_HIGH, WORD_TIME_LOW } from '../../hot/metrics/row.ts';
import type { SeriesTable } from '../../hot/metrics/series-table.ts';
import { highHalf, lowHalf } from '../halves.ts';
import { serviceOf } from '../service-of.ts';
import { nextTurn, turnIsOver } from '../turn.ts';
import type { MetricSummary } from './metric-query.ts';
import type { MetricListPlan } from './plan.ts';

/** The metrics that have points, by name; those of the same name by type and unit. */
export async function listMetrics(index: MetricIndex, plan: MetricListPlan): Promise<MetricSummary[]> {
  if (turnIsOver()) await nextTurn();
  for (;;) {
    const { table } = index;
    const tallies = await tally(index, plan.minTime);
    // Series were forgotten meanwhile, and the others have other numbers.
    if (index.table !== table) continue;
    return summarize(table, tallies, plan.service);
  }
}

/** What is counted of a series. */
interface Tally {
  points: number;
  firstHigh: number;
  firstLow: number;
  lastHigh: number;
  lastLow: number;
}

/** Counts the points of each series that were taken at `minTime` or later. */
async function tally(index: MetricIndex, minTime: bigint): Promise<Map<number, Tally>> {
  const tallies = new Map<number, Tally>();
  const minHigh = highHalf(minTime);
  const minLow = lowHalf(minTime);
  for (const { block } of [...index.blocks()]) {
    if (block.maxTime < Number(minTime)) continue;
    const own: Tally[] = [];
    for (let at = 0; at < block.seriesCount; at++) {
      const series = block.seriesNumbers[at]!;
      const known = tallies.get(series) ?? newTally();
      tallies.set(series, known);
      own.push(known);
    }
    const { records, requests } = block;
    for (let run = 0; run < requests.count; run++) {
      if (requests.isCopy(run)) continue;
      const end = requests.endOf(run, block.count);
      for (let row = requests.rows[run]!; row < end; row++) {
        const high = records[row * RECORD_WORDS + WORD_TIME_HIGH]!;
        const low = records[row * RECORD_WORDS + WORD_TIME_LOW]!;
        if (high < minHigh || (high === minHigh && low < minLow)) continue;
        count(own[block.series[row]!]!, high, low);
      }
    }
    if (turnIsOver()) await nextTurn();
  }
  return tallies;
}

function newTally(): Tally {
  return { points: 0, firstHigh: 0xffff_ffff, firstLow: 0xffff_ffff, lastHigh: 0, lastLow: 0 };
}

function count(tally: Tally, high: number, low: number): void {
  tally.points++;
  if (high < tally.firstHigh || (high === tally.firstHigh && low < tally.firstLow)) {
    tally.firstHigh = high;
    tally.firstLow = low;
  }
  if (high > tally.lastHigh || (high === tally.lastHigh && low > tally.lastLow)) {
    tally.lastHigh = high;
    tally.lastLow = low;
  }
}

function summarize(
  table: SeriesTable,
  tallies: ReadonlyMap<number, Tally>,
  service: string | undefined,
): MetricSummary[] {
  const found = new Map<string, MetricSummary & { readonly services: string[] }>();
  for (const [series, { points, firstHigh, firstLow, lastHigh, lastLow }] of tallies) {
    const metric = table.head(table.streamOf(series));
    const own = serviceOf(metric);
    if (points === 0 || (service !== undefined && own !== service)) continue;
    const { name, type, unit, description } = metric;
    const first = (BigInt(firstHigh) << 32n) | BigInt(firstLow);
    const last = (BigInt(lastHigh) << 32n) | BigInt(lastLow);
    const key = JSON.stringify([name, type, unit]);
    const known = found.get(key);
    const services = known?.services ?? [];
    if (!services.includes(own)) services.push(own);
    found.set(key, {
      name,
      type,
      unit,
      description,
      services,
      seriesCount: (known?.seriesCount ?? 0) + 1,
      pointCount: (known?.pointCount ?? 0) + points,
      firstSeenUnixNanos: known && known.firstSeenUnixNanos < first ? known.firstSeenUnixNanos : first,
      lastSeenUnixNanos: known && known.lastSeenUnixNanos > last ? known.lastSeenUnixNanos : last,
    });
  }
  for (const { services } of found.values()) services.sort();
  return [...found.values()].sort(
    (a, b) => compareText(a.name, b.name) || compareText(a.type, b.type) || compareText(a.unit, b.unit),
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
