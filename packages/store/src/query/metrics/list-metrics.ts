import type { MetricType } from '@tracewell/otlp';
import { RECORD_WORDS } from '../../hot/metrics/block.ts';
import type { MetricIndex } from '../../hot/metrics/metric-index.ts';
import { WORD_TIME_HIGH, WORD_TIME_LOW } from '../../hot/metrics/row.ts';
import type { SeriesTable } from '../../hot/metrics/series-table.ts';
import { highHalf, lowHalf } from '../halves.ts';
import { serviceOf } from '../service-of.ts';
import type { Snapshot } from '../snapshot.ts';
import { nextTurn, turnIsOver } from '../turn.ts';
import type { MetricSummary } from './metric-query.ts';
import type { MetricListPlan } from './plan.ts';

/** What is known of a series in one place: the hot tier, a file of the cold one. */
export interface SeriesTally {
  readonly series: bigint;
  readonly name: string;
  readonly type: MetricType;
  readonly unit: string;
  readonly description: string;
  readonly service: string;
  readonly points: number;
  readonly firstUnixNanos: bigint;
  readonly lastUnixNanos: bigint;
}

/**
 * The metrics that have points, by name; those of the same name by type and unit.
 *
 * @param snapshot - whose files of the cold tier count too. Default: none
 */
export async function listMetrics(
  index: MetricIndex,
  plan: MetricListPlan,
  snapshot?: Snapshot,
): Promise<MetricSummary[]> {
  if (turnIsOver()) await nextTurn();
  for (;;) {
    const { table } = index;
    const tallies = await tally(index, plan.minTime);
    // Series were forgotten meanwhile, and the others have other numbers.
    if (index.table !== table) continue;
    const summary = new Summary(plan.service);
    for (const each of hotTallies(table, tallies)) summary.add(each);
    if (snapshot !== undefined) {
      for await (const each of coldTallies(snapshot, plan.minTime)) summary.add(each);
    }
    return summary.metrics();
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

async function* coldTallies(snapshot: Snapshot, minTime: bigint): AsyncGenerator<SeriesTally> {
  for (const file of snapshot.readable('metrics', minTime)) {
    try {
      for (const tally of snapshot.files.eachOfMetrics(file, (metrics) => metrics.tallies(minTime))) {
        if (turnIsOver()) await nextTurn();
        if (tally !== undefined) yield tally;
      }
    } catch (error) {
      snapshot.skip(error);
    }
  }
}

function* hotTallies(table: SeriesTable, tallies: ReadonlyMap<number, Tally>): Generator<SeriesTally> {
  for (const [number, { points, firstHigh, firstLow, lastHigh, lastLow }] of tallies) {
    if (points === 0) continue;
    const metric = table.head(table.streamOf(number));
    const { name, type, unit, description } = metric;
    const { high, low } = table.id(number);
    yield {
      series: (BigInt(high) << 32n) | BigInt(low),
      name,
      type,
      unit,
      description,
      service: serviceOf(metric),
      points,
      firstUnixNanos: (BigInt(firstHigh) << 32n) | BigInt(firstLow),
      lastUnixNanos: (BigInt(lastHigh) << 32n) | BigInt(lastLow),
    };
  }
}

/** A metric while it is being summed up. */
interface Sums {
  readonly metric: Pick<MetricSummary, 'name' | 'type' | 'unit' | 'description'>;
  readonly services: Set<string>;
  readonly series: Set<bigint>;
  points: number;
  first: bigint;
  last: bigint;
}

/** Puts the series of metrics together. */
class Summary {
  readonly #service: string | undefined;
  readonly #sums = new Map<string, Sums>();

  /** @param service - the only one that counts; all do if it is `undefined` */
  constructor(service: string | undefined) {
    this.#service = service;
  }

  add(tally: SeriesTally): void {
    const { name, type, unit, description, service, series, points, firstUnixNanos, lastUnixNanos } = tally;
    if (this.#service !== undefined && service !== this.#service) return;
    const key = JSON.stringify([name, type, unit]);
    let sums = this.#sums.get(key);
    if (sums === undefined) {
      const metric = { name, type, unit, description };
      sums = {
        metric,
        services: new Set(),
        series: new Set(),
        points: 0,
        first: firstUnixNanos,
        last: lastUnixNanos,
      };
      this.#sums.set(key, sums);
    }
    sums.services.add(service);
    sums.series.add(series);
    sums.points += points;
    if (firstUnixNanos < sums.first) sums.first = firstUnixNanos;
    if (lastUnixNanos > sums.last) sums.last = lastUnixNanos;
  }

  metrics(): MetricSummary[] {
    return Array.from(this.#sums.values(), ({ metric, services, series, points, first, last }) => ({
      ...metric,
      services: [...services].sort(),
      seriesCount: series.size,
      pointCount: points,
      firstSeenUnixNanos: first,
      lastSeenUnixNanos: last,
    })).sort(
      (a, b) => compareText(a.name, b.name) || compareText(a.type, b.type) || compareText(a.unit, b.unit),
    );
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
