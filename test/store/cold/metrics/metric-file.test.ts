import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricData } from '@tracewell/otlp';
import fc from 'fast-check';
import { mergeMetricFiles } from '../../../../packages/store/src/cold/metrics/merge-metric-files.ts';
import type { MetricFile } from '../../../../packages/store/src/cold/metrics/metric-file.ts';
import { hasAttributes } from '../../../../packages/store/src/query/attributes.ts';
import type { KeyedPoint } from '../../../../packages/store/src/query/metrics/find-metrics.ts';
import type { MetricQuery } from '../../../../packages/store/src/query/metrics/metric-query.ts';
import { type MetricPlan, planMetrics } from '../../../../packages/store/src/query/metrics/plan.ts';
import { comparePointKeys } from '../../../../packages/store/src/query/metrics/series-order.ts';
import { serviceOf } from '../../../../packages/store/src/query/service-of.ts';
import { anyMetrics } from '../../../otlp/arbitrary-metrics.ts';
import { gauge, numberPoint } from '../../../otlp/plain.ts';
import { MemorySink } from '../../parquet/memory-file.ts';
import { anyMetricQuery, fileOf, keyed, openFile, similarMetrics, TIMES, withoutHeads } from './files.ts';

// Shrinking takes minutes, since each step writes files.
fc.configureGlobal({ numRuns: 50, endOnFailure: true });

function pointsOf(file: MetricFile | undefined, plan: MetricPlan): KeyedPoint[] {
  return file === undefined ? [] : [...file.points(plan)].filter((each) => each !== undefined);
}

function allOf(file: MetricFile | undefined, query: MetricQuery = {}): KeyedPoint[] {
  return pointsOf(file, planMetrics(query, 0n));
}

/** The meaning of a query. */
function matches({ key, series }: KeyedPoint, plan: MetricPlan): boolean {
  const { metric, labels } = series;
  return (
    key.timeUnixNanos >= plan.minStart &&
    key.timeUnixNanos <= plan.maxStart &&
    (plan.name === undefined || metric.name === plan.name) &&
    (plan.type === undefined || metric.type === plan.type) &&
    (plan.service === undefined || serviceOf(metric) === plan.service) &&
    hasAttributes({ attributes: labels, resource: metric.resource }, plan.labels) &&
    (plan.after === undefined || comparePointKeys(key, plan.after) > 0)
  );
}

test('any points come back from a file as they were, in the order of series, each request once', () => {
  fc.assert(
    fc.property(fc.array(anyMetrics, { maxLength: 3 }), (requests) => {
      const file = fileOf([...requests, ...requests.slice(0, 1)]);
      assert.deepEqual(withoutHeads(allOf(file)), withoutHeads(keyed(requests)));
      file?.parquet.verify();
    }),
  );
});

test('a series comes back with the metadata and description of one of its requests', () => {
  const metric = gauge({ description: 'how long', metadata: { owner: 'x', deep: [1, { a: null }] } });
  const [found] = allOf(fileOf([[metric]]));
  assert.equal(found!.series.metric.description, 'how long');
  assert.deepEqual(JSON.stringify(found!.series.metric.metadata), JSON.stringify(metric.metadata));
});

test('a query finds in a metric file what a look at every point finds, from any place on', () => {
  fc.assert(
    fc.property(
      fc.array(similarMetrics, { minLength: 1, maxLength: 4 }),
      anyMetricQuery,
      fc.nat(12),
      (requests, query, place) => {
        const all = keyed(requests);
        const plan = { ...planMetrics(query as MetricQuery, 0n), after: all[place]?.key };
        assert.deepEqual(
          withoutHeads(pointsOf(fileOf(requests), plan)),
          withoutHeads(all.filter((each) => matches(each, plan))),
        );
      },
    ),
    { numRuns: 100 },
  );
});

test('merged metric files hold what the files held, copies once', () => {
  fc.assert(
    fc.property(fc.array(similarMetrics, { maxLength: 4 }), (parts) => {
      const both = [...parts, ...parts.slice(0, 1)];
      const files = both.map((metrics) => fileOf([metrics])).filter((file) => file !== undefined);
      const sink = new MemorySink();
      const summary = mergeMetricFiles(files, sink, new Map([['tracewell.from', 'parts']]));
      const expected = keyed(parts);
      if (summary === undefined) return assert.equal(expected.length, 0);
      const merged = openFile(sink.bytes());
      assert.deepEqual(withoutHeads(allOf(merged)), withoutHeads(expected));
      assert.equal(merged.parquet.keyValues.get('tracewell.from'), 'parts');
      const times = expected.map(({ key }) => key.timeUnixNanos).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      assert.deepEqual(
        [summary.rows, summary.minTimeUnixNanos, summary.maxTimeUnixNanos],
        [expected.length, times[0], times.at(-1)],
      );
      const again = new MemorySink();
      assert.equal(mergeMetricFiles([merged, merged], again)?.rows, expected.length);
      assert.deepEqual(withoutHeads(allOf(openFile(again.bytes()))), withoutHeads(expected));
    }),
  );
});

test('a list of metrics counts the series and points of files', () => {
  fc.assert(
    fc.property(
      fc.array(similarMetrics, { maxLength: 3 }),
      fc.constantFrom(...TIMES),
      (requests, minTime) => {
        const file = fileOf(requests);
        const tallies =
          file === undefined ? [] : [...file.tallies(minTime)].filter((each) => each !== undefined);
        const expected = Map.groupBy(
          keyed(requests).filter(({ key }) => key.timeUnixNanos >= minTime),
          ({ key }) => key.series,
        );
        assert.deepEqual(
          new Map(
            tallies.map(({ series, name, type, unit, service, points, firstUnixNanos, lastUnixNanos }) => [
              series,
              [name, type, unit, service, points, firstUnixNanos, lastUnixNanos],
            ]),
          ),
          new Map(
            [...expected].map(([series, points]) => {
              const { metric } = points[0]!.series;
              const times = points.map(({ key }) => key.timeUnixNanos);
              const { name, type, unit } = metric;
              return [series, [name, type, unit, serviceOf(metric), points.length, times.at(-1), times[0]]];
            }),
          ),
        );
      },
    ),
  );
});

test('many points make row groups and pages, of which a query reads those that may match', () => {
  const metrics: MetricData[] = ['cpu', 'disk', 'load'].flatMap((name) =>
    Array.from({ length: 300 }, (_, series) =>
      gauge({
        name,
        points: Array.from({ length: 100 }, (_, index) =>
          numberPoint({ timeUnixNanos: BigInt(index), value: series, attributes: { host: `h${series}` } }),
        ),
      }),
    ),
  );
  const file = fileOf([metrics])!;
  assert.equal(file.parquet.rowGroups, 2);
  const all = keyed([metrics]);
  for (const query of [
    { name: 'disk' },
    { labels: { host: 'h7' } },
    { name: 'cpu', labels: { host: 'h299' }, startTime: 10n, endTime: 20n },
    {},
  ]) {
    const plan = planMetrics(query, 0n);
    assert.deepEqual(
      withoutHeads(pointsOf(file, plan)),
      withoutHeads(all.filter((each) => matches(each, plan))),
    );
  }
});
