import { encodeMetrics, METRIC_TYPES, type MetricData, type MetricPointData } from '@tracewell/otlp';
import { TracewellError } from '@tracewell/plugin';
import { check, type Rule, same, shown } from '@tracewell/plugin/conformance';
import type { MetricQuery, MetricSeries } from '../../query/metrics/metric-query.ts';
import { isWantedPoint, serviceOf } from '../oracle.ts';
import { allPages, checkCursors, checkOrder } from '../pages.ts';
import type { Random } from '../random.ts';
import { sampleMetrics, wholeMetrics } from '../samples.ts';
import type { StoreTrial } from '../store-trial.ts';

/** A point with what its series is: what a list of series becomes when it is taken apart. */
interface LonePoint {
  readonly metric: Omit<MetricData, 'points'>;
  readonly point: MetricPointData;
}

function lonePoints(metrics: readonly MetricData[]): LonePoint[] {
  return metrics.flatMap(({ points, ...metric }) => points.map((point) => ({ metric, point })));
}

/** The same of an answer; checks that each point has the labels of its series. */
function foundPoints(series: readonly MetricSeries[]): LonePoint[] {
  return series.flatMap(({ points, labels, ...metric }) =>
    points.map((point: MetricPointData) => {
      same(point.attributes, labels, 'the attributes of a point, which are the labels of its series');
      return { metric: metric as Omit<MetricData, 'points'>, point };
    }),
  );
}

function wantedPoints(metrics: readonly MetricData[], query: MetricQuery): LonePoint[] {
  return lonePoints(metrics).filter(({ metric, point }) => isWantedPoint(metric as MetricData, point, query));
}

/** One filter of each kind, and then combinations. */
function queries(random: Random, metrics: readonly MetricData[], start: bigint): MetricQuery[] {
  const time = () => random.pick(random.pick(metrics).points as readonly MetricPointData[]).timeUnixNanos;
  const filters = (): Required<Omit<MetricQuery, 'lastSeconds' | 'limit' | 'cursor'>> => ({
    service: random.pick(['shop', 'ünïcode', 'unknown_service', 'nobody']),
    name: random.pick(['requests', 'memory', 'nothing']),
    type: random.pick(METRIC_TYPES),
    labels: random.pick([
      { color: 'red' },
      { size: 1 },
      { size: 2.5, color: 'red' },
      { 'host.name': 'host-1' },
      { gone: 'x' },
    ]),
    startTime: time(),
    endTime: random.pick([time(), new Date(Number(start / 1_000_000n) + 500)]),
  });
  const single = Object.entries(filters()).map(([key, value]): MetricQuery => ({ [key]: value }));
  const combined = Array.from({ length: 40 }, (): MetricQuery => random.some(filters(), 3));
  return [{}, ...single, ...combined];
}

/** Inserts random metrics by several requests. */
async function insertSample(trial: StoreTrial, count = 60): Promise<MetricData[]> {
  const metrics = sampleMetrics(trial.random, count, trial.start);
  for (let from = 0; from < count; from += 15) {
    const part = metrics.slice(from, from + 15);
    const { accepted } = await trial.call('insertMetrics()', () => trial.store.insertMetrics(part));
    same(accepted, lonePoints(part).length, 'the number of accepted points');
  }
  return metrics;
}

export const metricRules: readonly Rule<StoreTrial>[] = [
  {
    id: 'metric-fidelity',
    contract: 'whatever OTLP can say of a metric of any type comes back as it was',
    remedy: 'keep the OTLP bytes, or a column for every field and type',
    async run(trial) {
      const metrics = wholeMetrics(trial.start);
      await trial.call('insertMetrics()', () => trial.store.insertMetrics(metrics));
      const store = await trial.settled();
      for (const metric of metrics) {
        const { name } = metric;
        const { series } = await trial.call('queryMetrics()', () => store.queryMetrics({ name }));
        same(series.length, 1, `the number of series of ${name}`);
        const { labels, ...found } = series[0]!;
        same(labels, metric.points[0]!.attributes, `the labels of ${name}`);
        same(found, { ...metric, points: metric.points.toReversed() }, `the series ${name}`);
      }
    },
  },
  {
    id: 'metric-filters',
    contract: 'queryMetrics finds the points that match every field of the query, and no others',
    remedy: 'compare with what the docs of MetricQuery say of the field',
    async run(trial) {
      const all = await insertSample(trial);
      const store = await trial.settled();
      for (const query of queries(trial.random, all, trial.start)) {
        const { series } = await trial.call('queryMetrics()', () =>
          store.queryMetrics({ ...query, limit: 1000 }),
        );
        trial.sameSet(foundPoints(series), wantedPoints(all, query), `the points found by ${shown(query)}`);
      }
      const recent = await store.queryMetrics({ lastSeconds: 7200 });
      same(
        foundPoints(recent.series).length,
        lonePoints(all).length,
        'the number of points of the last two hours',
      );
      same((await store.queryMetrics({ lastSeconds: 60 })).series, [], 'the series of the last minute');
    },
  },
  {
    id: 'metric-series',
    contract:
      'points of the same name, type, unit, temporality, resource, scope and labels, in any order, are one series, and no others are',
    remedy: 'know a series by all of these, with its labels sorted',
    async run(trial) {
      const [gauge] = wholeMetrics(trial.start) as [Extract<MetricData, { type: 'gauge' }>];
      const [point] = gauge.points;
      const plain = { ...gauge, unit: '', points: [{ ...point!, attributes: { a: 1, b: 'x' } }] };
      const same1 = { ...plain, points: [{ ...point!, attributes: { b: 'x', a: 1 }, value: 2 }] };
      const others: MetricData[] = [
        { ...plain, unit: 'ms' },
        { ...plain, type: 'sum', temporality: 1, isMonotonic: false },
        { ...plain, type: 'sum', temporality: 2, isMonotonic: false },
        { ...plain, type: 'sum', temporality: 2, isMonotonic: true },
        { ...plain, scope: { ...plain.scope, version: '2' } },
        { ...plain, resource: { ...plain.resource, attributes: {} } },
        { ...plain, points: [{ ...point!, attributes: { a: 1 } }] },
        { ...plain, points: [{ ...point!, attributes: { a: '1', b: 'x' } }] },
      ];
      for (const metric of [plain, same1, ...others]) {
        await trial.call('insertMetrics()', () => trial.store.insertMetrics([metric]));
      }
      const store = await trial.settled();
      const { series } = await trial.call('queryMetrics()', () => store.queryMetrics({ name: gauge.name }));
      same(series.length, 1 + others.length, 'the number of series');
      const counts = series.map((one) => one.points.length).sort();
      same(counts, [...others.map(() => 1), 2], 'the numbers of points of the series');
    },
  },
  {
    id: 'metric-order',
    contract:
      'series come in the order of their names and always in the same, the points of each newest first',
    remedy: 'sort by the name, then by something that is the same in every file and process',
    async run(trial) {
      await insertSample(trial);
      const store = await trial.settled();
      const ask = async () => (await trial.call('queryMetrics()', () => store.queryMetrics())).series;
      const series = await ask();
      const names = series.map(({ name }) => name);
      same(names, names.toSorted(), 'the names of the series');
      same(await ask(), series, 'the series asked for again');
      for (const { points } of series) {
        checkOrder<MetricPointData>(points, points, (point) => point.timeUnixNanos, 'points');
      }
    },
  },
  {
    id: 'metric-pages',
    contract:
      'the pages of queryMetrics together are the points that match, each once, and the last has no cursor',
    remedy: 'let the cursor name a place in the order; a series goes on in the next page',
    async run(trial) {
      const all = await insertSample(trial);
      const store = await trial.settled();
      for (const limit of [1, 7, 40, 1000]) {
        for (const query of [{}, { service: 'shop' }, { labels: { color: 'red' } }] satisfies MetricQuery[]) {
          if (limit === 1 && query.service === undefined) continue;
          const points = await allPages(trial, limit, async (cursor) => {
            const page = await store.queryMetrics({ ...query, limit, cursor });
            return { rows: foundPoints(page.series), cursor: page.cursor };
          });
          trial.sameSet(
            points,
            wantedPoints(all, query),
            `the points on the pages of ${limit} of ${shown(query)}`,
          );
        }
      }
    },
  },
  {
    id: 'metric-once',
    contract: 'an insert of metrics that is made again, as a retry does, counts once',
    remedy: 'know a point by the bytes of its request and its place in it',
    async run(trial) {
      const metrics = sampleMetrics(trial.random, 20, trial.start);
      const points = lonePoints(metrics);
      for (let time = 0; time < 3; time++) {
        const { accepted, rejected } = await trial.call('insertMetrics()', () =>
          trial.store.insertMetrics(metrics),
        );
        same(
          [accepted, rejected],
          [points.length, 0],
          'what is accepted and rejected of points that are there already',
        );
        await trial.settled();
      }
      const store = await trial.settled();
      const { series } = await trial.call('queryMetrics()', () => store.queryMetrics());
      trial.sameSet(foundPoints(series), points, 'the points found by queryMetrics');
      same((await store.health()).signals.metrics.count, points.length, 'the number of points by health');
      const listed = await store.listMetrics();
      same(
        listed.reduce((sum, { pointCount }) => sum + pointCount, 0),
        points.length,
        'the number of points by listMetrics',
      );
    },
  },
  {
    id: 'metric-list',
    contract: 'listMetrics tells of each metric what it is, who measured it, how often and when',
    remedy: 'count over everything that is stored, by name, type and unit',
    async run(trial) {
      const all = await insertSample(trial);
      const store = await trial.settled();
      const wanted = (metrics: readonly MetricData[]) =>
        [...Map.groupBy(metrics, ({ name, type, unit }) => JSON.stringify([name, type, unit]))]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([, group]) => {
            const points = lonePoints(group);
            const times = points.map(({ point }) => point.timeUnixNanos).sort((a, b) => (a < b ? -1 : 1));
            const { name, type, unit, description } = group[0]!;
            return {
              name,
              type,
              unit,
              description,
              services: [...new Set(group.map(serviceOf))].sort(),
              seriesCount: undefined,
              pointCount: points.length,
              firstSeenUnixNanos: times[0],
              lastSeenUnixNanos: times.at(-1),
            };
          });
      for (const options of [{}, { lastSeconds: 7200 }, { service: 'shop' }]) {
        const metrics = 'service' in options ? all.filter((metric) => serviceOf(metric) === 'shop') : all;
        const listed = await trial.call('listMetrics()', () => store.listMetrics(options));
        for (const { name, type, unit, seriesCount } of listed) {
          const { series } = await store.queryMetrics({
            name,
            type,
            ...('service' in options ? options : {}),
          });
          const own = series.filter((one) => one.unit === unit);
          same(seriesCount, own.length, `the number of series of ${name}, ${type}, ${shown(unit)}`);
        }
        const found = listed.map((one) => ({ ...one, seriesCount: undefined }));
        trial.sameSet(found, wanted(metrics), `the metrics listed by ${shown(options)}`);
        same(
          found.map(({ name }) => name),
          found.map(({ name }) => name).toSorted(),
          'the names of the metrics',
        );
      }
      same(await store.listMetrics({ lastSeconds: 60 }), [], 'the metrics of the last minute');
    },
  },
  {
    id: 'metric-otlp',
    contract: 'insertOtlp stores an OTLP request of metrics, and refuses what is no request',
    remedy: 'check the bytes before anything of them is stored',
    async run(trial) {
      const metrics = wholeMetrics(trial.start);
      const bytes = encodeMetrics(metrics);
      const result = await trial.call('insertOtlp()', () => trial.store.insertOtlp('metrics', bytes));
      same(result, { accepted: 60, rejected: 0, reasons: [] }, 'the result');
      const broken = bytes.subarray(0, bytes.length - 3);
      const error = await trial.rejection('insertOtlp()', () => trial.store.insertOtlp('metrics', broken));
      const isRefusal = error instanceof TracewellError && error.code.startsWith('TW_DECODE_');
      check(isRefusal, `insertOtlp of broken bytes rejected with ${shown(error)}`);
      const store = await trial.settled();
      const { series } = await store.queryMetrics();
      trial.sameSet(foundPoints(series), lonePoints(metrics), 'the points of the request');
    },
  },
  {
    id: 'metric-cursors',
    contract: 'a cursor of points is a text that can be kept, and nothing else is a cursor',
    remedy: 'write the place in the order into the cursor, and check what comes back',
    async run(trial) {
      await insertSample(trial);
      await checkCursors(trial, 'queryMetrics', (store, cursor) => store.queryMetrics({ limit: 10, cursor }));
    },
  },
];
