import { RECORD_WORDS } from '../../hot/metrics/block.ts';
import type { MetricIndex, PlacedPointBlock } from '../../hot/metrics/metric-index.ts';
import { WORD_TIME_HIGH, WORD_TIME_LOW } from '../../hot/metrics/row.ts';
import type { SeriesTable } from '../../hot/metrics/series-table.ts';
import { hasAttributes } from '../attributes.ts';
import { highHalf, lowHalf } from '../halves.ts';
import { NewestRows, type RowKey } from '../newest-rows.ts';
import { recordKeyOf, rowKeyOf } from '../record-key.ts';
import { serviceOf } from '../service-of.ts';
import { nextTurn, turnIsOver } from '../turn.ts';
import type { KeyedPoint, PointSource, SeriesHead } from './find-metrics.ts';
import type { MetricPlan } from './plan.ts';
import type { PointReader } from './point-reader.ts';
import { compareSeriesKeys, type SeriesKey } from './series-order.ts';

// The rows of so many series are looked for in one walk over the blocks' lists of series.
const SERIES_AT_ONCE = 64;

/** The points of the hot tier: series by series, the newest rows of each, decoded in order. */
export class HotPoints implements PointSource {
  readonly #index: MetricIndex;
  readonly #reader: PointReader;

  constructor(index: MetricIndex, reader: PointReader) {
    this.#index = index;
    this.#reader = reader;
  }

  async *points(plan: MetricPlan): AsyncGenerator<KeyedPoint> {
    let { after } = plan;
    for (;;) {
      const { table } = this.#index;
      for await (const row of this.#pointsBy(table, { ...plan, after })) {
        yield row;
        after = row.key;
      }
      // Otherwise series were forgotten meanwhile, and the others have other numbers: on from where it was.
      if (this.#index.table === table) return;
    }
  }

  /** Ends early when another table numbers the series. */
  async *#pointsBy(table: SeriesTable, plan: MetricPlan): AsyncGenerator<KeyedPoint> {
    const series = await matchingSeries(table, plan);
    for (let from = 0; from < series.length; from += SERIES_AT_ONCE) {
      if (this.#index.table !== table) return;
      const some = series.slice(from, from + SERIES_AT_ONCE);
      const blocks = [...this.#index.blocks()].filter(
        ({ block }) => block.maxTime >= Number(plan.minStart) && block.minTime <= Number(plan.maxStart),
      );
      const chains = chainsOf(some, blocks, table.size);
      for (const [at, one] of some.entries()) yield* this.#pointsOf(one, chains[at]!, blocks, plan);
      if (turnIsOver()) await nextTurn();
    }
  }

  async *#pointsOf(
    { key, head }: FoundSeries,
    chains: readonly Chain[],
    blocks: readonly PlacedPointBlock[],
    plan: MetricPlan,
  ): AsyncGenerator<KeyedPoint> {
    const { metric } = head;
    const isAfters = plan.after !== undefined && compareSeriesKeys(key, plan.after) === 0;
    let after = isAfters ? rowKeyOf(plan.after!) : undefined;
    for (;;) {
      // One more than the page: the point that shows that there is another page.
      const rows = newestOf(chains, blocks, plan, after, plan.limit + 1);
      for (let at = 0; at < rows.count; at++) {
        if (at % 16 === 15 && turnIsOver()) await nextTurn();
        // A copy in another segment.
        if (at > 0 && rows.same(at - 1, at)) continue;
        const point = this.#reader.read(blocks[rows.blockNumber(at)]!, rows.row(at), metric.type);
        if (point !== undefined) yield { key: { ...key, ...recordKeyOf(rows.key(at)) }, point, series: head };
      }
      if (rows.count <= plan.limit) return;
      after = rows.key(rows.count - 1);
    }
  }
}

/** A series that matches a query. */
interface FoundSeries {
  readonly number: number;
  readonly key: SeriesKey;
  readonly head: SeriesHead;
}

/** Where the rows of a series in a block begin. */
interface Chain {
  readonly blockNumber: number;
  readonly lastRow: number;
}

/** The series that match, from the plan's cursor on, in order. */
async function matchingSeries(table: SeriesTable, plan: MetricPlan): Promise<FoundSeries[]> {
  const streams = new Uint8Array(table.streamCount);
  for (let stream = 0; stream < streams.length; stream++) {
    const metric = table.head(stream);
    const matches =
      (plan.name === undefined || metric.name === plan.name) &&
      (plan.type === undefined || metric.type === plan.type) &&
      (plan.service === undefined || serviceOf(metric) === plan.service);
    if (matches) streams[stream] = 1;
  }
  const found: FoundSeries[] = [];
  for (let number = 0; number < table.size; number++) {
    if (number % 256 === 255 && turnIsOver()) await nextTurn();
    const stream = table.streamOf(number);
    // A stream that came after the query started is not in the selection.
    if (streams[stream] !== 1) continue;
    const metric = table.head(stream);
    const { high, low } = table.id(number);
    const key = { name: metric.name, series: (BigInt(high) << 32n) | BigInt(low) };
    if (plan.after !== undefined && compareSeriesKeys(key, plan.after) < 0) continue;
    const labels = table.labels(number);
    if (!hasAttributes({ attributes: labels, resource: metric.resource }, plan.labels)) continue;
    found.push({ number, key, head: { metric, labels } });
  }
  return found.sort((a, b) => compareSeriesKeys(a.key, b.key));
}

/** Where the rows of some series begin, in each block that has any. */
function chainsOf(
  some: readonly FoundSeries[],
  blocks: readonly PlacedPointBlock[],
  seriesCount: number,
): Chain[][] {
  const chains: Chain[][] = some.map(() => []);
  const wanted = new Uint8Array(seriesCount);
  for (const [at, { number }] of some.entries()) wanted[number] = at + 1;
  for (const [blockNumber, { block }] of blocks.entries()) {
    for (let own = 0; own < block.seriesCount; own++) {
      const at = wanted[block.seriesNumbers[own]!]! - 1;
      if (at >= 0) chains[at]!.push({ blockNumber, lastRow: block.lastRows[own]! - 1 });
    }
  }
  return chains;
}

/** The newest rows of a series behind a place in the order. */
function newestOf(
  chains: readonly Chain[],
  blocks: readonly PlacedPointBlock[],
  plan: MetricPlan,
  after: RowKey | undefined,
  limit: number,
): NewestRows {
  let count = 0;
  for (const { blockNumber, lastRow } of chains) {
    const { previous } = blocks[blockNumber]!.block;
    for (let row = lastRow; row >= 0 && count < limit; row = previous[row]! - 1) count++;
  }
  const newest = new NewestRows(Math.max(Math.min(count, limit), 1));
  const minHigh = highHalf(plan.minStart);
  const minLow = lowHalf(plan.minStart);
  const maxHigh = plan.maxStart < 0n ? -1 : highHalf(plan.maxStart);
  const maxLow = lowHalf(plan.maxStart);
  for (const { blockNumber, lastRow } of chains) {
    const { records, requests, previous } = blocks[blockNumber]!.block;
    for (let row = lastRow; row >= 0; row = previous[row]! - 1) {
      const high = records[row * RECORD_WORDS + WORD_TIME_HIGH]!;
      const low = records[row * RECORD_WORDS + WORD_TIME_LOW]!;
      if (high < minHigh || (high === minHigh && low < minLow)) continue;
      if (high > maxHigh || (high === maxHigh && low > maxLow)) continue;
      if (newest.full && (high < newest.minHigh || (high === newest.minHigh && low < newest.minLow)))
        continue;
      const run = requests.runOf(row);
      const first = requests.high(run);
      const second = requests.low(run);
      const third = requests.indexOf(run, row);
      if (after !== undefined) {
        const order =
          after.timeHigh - high ||
          after.timeLow - low ||
          after.first - first ||
          after.second - second ||
          after.third - third;
        if (order <= 0) continue;
      }
      newest.push(high, low, first, second, third, blockNumber, row);
    }
  }
  newest.finish();
  return newest;
}
