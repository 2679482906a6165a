// Metric files in memory, and metrics that resemble each other enough for filters and copies to find something.
import assert from 'node:assert/strict';
import { decodeMetrics, encodeMetrics, type MetricData } from '@tracewell/otlp';
import fc from 'fast-check';
import { MetricFile } from '../../../../packages/store/src/cold/metrics/metric-file.ts';
import { PointSorter } from '../../../../packages/store/src/cold/metrics/point-sorter.ts';
import { writeMetricFile } from '../../../../packages/store/src/cold/metrics/write-metric-file.ts';
import { seriesId } from '../../../../packages/store/src/hot/metrics/series-id.ts';
import { requestId } from '../../../../packages/store/src/hot/request-id.ts';
import type { KeyedPoint } from '../../../../packages/store/src/query/metrics/find-metrics.ts';
import { comparePointKeys } from '../../../../packages/store/src/query/metrics/series-order.ts';
import { bare } from '../../../otlp/arbitrary.ts';
import { anyMetrics } from '../../../otlp/arbitrary-metrics.ts';
import { MemorySink, memoryFile } from '../../parquet/memory-file.ts';

/** A file of the points of some requests; `undefined` if there are none. */
export function fileOf(requests: readonly (readonly MetricData[])[]): MetricFile | undefined {
  const sorter = new PointSorter();
  for (const metrics of requests) sorter.add(encodeMetrics(metrics));
  const sink = new MemorySink();
  const summary = writeMetricFile(sorter, sink);
  if (summary === undefined) return undefined;
  assert.equal(summary.bytes, sink.size);
  return openFile(sink.bytes());
}

export function openFile(bytes: Uint8Array): MetricFile {
  return MetricFile.open(memoryFile(bytes), 'metrics.parquet');
}

const bigOf = ({ high, low }: { high: number; low: number }): bigint => (BigInt(high) << 32n) | BigInt(low);

/** The points of some requests in order, each request once: what a file of them should hold. */
export function keyed(requests: readonly (readonly MetricData[])[]): KeyedPoint[] {
  const all = new Map<string, KeyedPoint>();
  for (const metrics of requests) {
    const bytes = encodeMetrics(metrics);
    const request = bigOf(requestId(bytes));
    let index = 0;
    for (const metric of decodeMetrics(bytes)) {
      for (const point of metric.points) {
        const series = bigOf(seriesId(metric, point.attributes));
        const key = { name: metric.name, series, timeUnixNanos: point.timeUnixNanos, request, index };
        const head = { ...metric, points: [] } as MetricData;
        all.set(`${request} ${index}`, { key, point, series: { metric: head, labels: point.attributes } });
        index++;
      }
    }
  }
  return [...all.values()].sort((a, b) => comparePointKeys(a.key, b.key));
}

/** Points without what requests may say differently of the same series. */
export function withoutHeads(points: readonly KeyedPoint[]): unknown[] {
  return points.map(({ key, point, series }) => ({
    key,
    point,
    labels: series.labels,
    metric: { ...series.metric, description: '', metadata: {} },
  }));
}

export const TIMES = [
  0n,
  1_760_000_000_000_000_000n,
  1_760_000_000_000_000_001n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];

/** Some metrics with few names, times and labels. */
export const similarMetrics: fc.Arbitrary<MetricData[]> = anyMetrics.chain((metrics) =>
  fc.tuple(
    ...metrics.map((metric) =>
      fc
        .record({
          name: fc.constantFrom('requests', 'load'),
          unit: fc.constantFrom('1', 'ms'),
          service: fc.constantFrom('web', 'cart', undefined),
          times: fc.array(fc.constantFrom(...TIMES), { minLength: 3, maxLength: 3 }),
          labels: fc.constantFrom(bare([['a', 1]]), bare([['a', 'x']]), bare<unknown>([])),
        })
        .map(
          ({ name, unit, service, times, labels }) =>
            ({
              ...metric,
              name,
              unit,
              points: metric.points.map((point, index) => ({
                ...point,
                timeUnixNanos: times[index],
                attributes: labels,
              })),
              scope: { ...metric.scope, name: '', version: '', attributes: bare([]), schemaUrl: '' },
              resource: {
                ...metric.resource,
                schemaUrl: '',
                attributes: service === undefined ? bare([]) : bare([['service.name', service]]),
              },
            }) as MetricData,
        ),
    ),
  ),
);

/** What `queryMetrics` may be asked, some of which finds something. */
export const anyMetricQuery = fc.record(
  {
    service: fc.constantFrom('web', 'cart', 'unknown_service', 'nobody'),
    name: fc.constantFrom('requests', 'load', 'nothing'),
    type: fc.constantFrom('gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'),
    labels: fc.constantFrom({ a: 1 }, { a: 'x' }, { 'service.name': 'web' }, { b: 1 }),
    startTime: fc.constantFrom(...TIMES),
    endTime: fc.constantFrom(...TIMES),
  },
  { requiredKeys: [] },
);
