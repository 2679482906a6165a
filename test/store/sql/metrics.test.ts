import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AggregationTemporality, type MetricData, type SumData } from '@tracewell/otlp';
import { openStore, type SqlRow, type SqlValue } from '@tracewell/store';
import fc from 'fast-check';
import { TEMPORALITIES } from '../../../packages/store/src/cold/metrics/columns.ts';
import { newDirectory } from '../engine/directory.ts';
import { arbitraryMetric, gauge } from '../query/metrics.ts';

const COLUMNS = `name, service_name, type, unit, temporality, is_monotonic, time, value, value_int, count, sum, min, max,
  bucket_counts, explicit_bounds, flags, attributes['color'] AS color`;

/** The rows of SQL for the points of a metric, as the store gives it back. */
function rowsOf(metric: MetricData): SqlRow[] {
  const service = metric.resource.attributes['service.name'];
  return metric.points.map((point) => {
    const { value } = point as { readonly value?: number | bigint | object };
    const isInteger = typeof value === 'bigint' || Number.isSafeInteger(value);
    const has = point as {
      readonly count?: bigint;
      readonly sum?: number;
      readonly min?: number;
      readonly max?: number;
      readonly bucketCounts?: bigint[];
      readonly explicitBounds?: number[];
    };
    return {
      name: metric.name,
      service_name: service === undefined ? 'unknown_service' : String(service),
      type: metric.type,
      unit: metric.unit,
      temporality: 'temporality' in metric ? TEMPORALITIES[metric.temporality]! : null,
      is_monotonic: 'isMonotonic' in metric ? metric.isMonotonic : null,
      time: time(point.timeUnixNanos),
      value: value === undefined ? null : Number(value),
      value_int: isInteger ? BigInt(value as number) : null,
      count: has.count ?? null,
      sum: has.sum ?? null,
      min: has.min ?? null,
      max: has.max ?? null,
      bucket_counts: metric.type === 'histogram' ? has.bucketCounts! : null,
      explicit_bounds: metric.type === 'histogram' ? has.explicitBounds! : null,
      flags: point.flags,
      color: (point.attributes.color as string | undefined) ?? null,
    };
  });
}

/** The largest time of SQL stands for all beyond, and is called so. */
function time(nanos: bigint): SqlValue {
  return nanos >= 2n ** 63n - 1n ? 'infinity' : nanos;
}

function sorted(rows: readonly SqlRow[]): string[] {
  const text = (_: string, value: unknown): unknown => {
    if (typeof value === 'bigint') return `${value}n`;
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  };
  return rows.map((row) => JSON.stringify(row, text)).sort();
}

describe('the table metrics', () => {
  test('has a column for everything that it documents', async (t) => {
    const store = await openStore(newDirectory(t));
    t.after(() => store.close());
    await store.insertMetrics([
      gauge(
        { name: 'queue.length', description: 'how many wait' },
        { timeUnixNanos: 1_760_000_000_123_456_789n, value: 17, attributes: { queue: 'mail' } },
      ),
    ]);
    const { rows, columns } = await store.querySql('SELECT * EXCLUDE (series) FROM metrics');
    assert.deepEqual(rows, [
      {
        time: 1_760_000_000_123_456_789n,
        start_time: null,
        service_name: 'shop',
        name: 'queue.length',
        type: 'gauge',
        unit: '{item}',
        description: 'how many wait',
        temporality: null,
        is_monotonic: null,
        value: 17,
        value_int: 17n,
        count: null,
        sum: null,
        min: null,
        max: null,
        bucket_counts: null,
        explicit_bounds: null,
        quantiles: null,
        quantile_values: null,
        attributes: { queue: 'mail' },
        resource_attributes: { 'service.name': 'shop', 'host.name': 'h' },
        scope_name: 'test',
        scope_version: null,
        flags: 0,
      },
    ]);
    const described = await store.querySql('DESCRIBE SELECT * EXCLUDE (series) FROM metrics');
    assert.deepEqual(
      described.rows.map((row) => [row.column_name, row.column_type]),
      columns.map(({ name, type }) => [name, type]),
    );
  });

  test('F21 has what queryMetrics finds, each point once, whatever is inserted again', async (t) => {
    const directory = newDirectory(t);
    const store = await openStore(directory, { segmentBytes: 64 * 1024, durability: 'none' });
    const other = await openStore(directory, { segmentBytes: 64 * 1024, durability: 'none' });
    t.after(() => Promise.all([store.close(), other.close()]));
    const requests: MetricData[][] = [];
    let fillers = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            metrics: fc.array(arbitraryMetric, { minLength: 1, maxLength: 5 }),
            again: fc.option(fc.nat(), { nil: undefined }),
            elsewhere: fc.boolean(),
          }),
          { maxLength: 4 },
        ),
        async (inserts) => {
          for (const { metrics, again, elsewhere } of inserts) {
            const request = again === undefined ? metrics : (requests[again % requests.length] ?? metrics);
            requests.push(request);
            const target = elsewhere ? other : store;
            await target.insertMetrics(request);
            // Ends the segment soon, so that copies lie in different ones.
            await target.insertMetrics([
              gauge({ name: 'filler', description: 'x'.repeat(20_000) }, { value: fillers++ }),
            ]);
          }
          const { rows } = await store.querySql(`SELECT ${COLUMNS} FROM metrics`);
          const { series } = await store.queryMetrics({ limit: 10_000 });
          assert.deepEqual(sorted(rows), sorted(series.flatMap(rowsOf)));
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('the table metrics_5m', () => {
  test('sums up five minutes of a series', async (t) => {
    const store = await openStore(newDirectory(t));
    t.after(() => store.close());
    const minute = 60_000_000_000n;
    const start = 1_760_000_100_000_000_000n;
    const values = [5, 1, 9, 2.5, 3, 7, 8];
    await store.insertMetrics([
      gauge(
        { name: 'load' },
        ...values.map((value, i) => ({ value, timeUnixNanos: start + BigInt(i) * minute })),
      ),
      {
        ...gauge({ name: 'load', service: 'pay' }),
        points: gauge({}, { value: 1, timeUnixNanos: start }).points,
      },
      {
        ...gauge({ name: 'jobs' }),
        type: 'sum',
        temporality: AggregationTemporality.CUMULATIVE,
        isMonotonic: true,
        points: gauge({}, { value: 40, timeUnixNanos: start }, { value: 50, timeUnixNanos: start + minute })
          .points,
      } as SumData,
    ]);
    const { rows } = await store.querySql(
      `SELECT service_name, name, epoch_ns(time) AS time, points, min, max, sum, count, last FROM metrics_5m
        ORDER BY service_name, name, time`,
    );
    const row = (
      service_name: string,
      name: string,
      time: bigint,
      points: bigint,
      ...of: number[]
    ): SqlRow => {
      const [min, max, sum, last] = of as [number, number, number, number];
      return { service_name, name, time, points, min, max, sum, count: points, last };
    };
    assert.deepEqual(rows, [
      row('pay', 'load', start, 1n, 1, 1, 1, 1),
      row('shop', 'jobs', start, 2n, 40, 50, 90, 50),
      row('shop', 'load', start, 5n, 1, 9, 20.5, 3),
      row('shop', 'load', start + 5n * minute, 2n, 7, 8, 15, 8),
    ]);
    const { columns } = await store.querySql('SELECT * FROM metrics_5m');
    const described = await store.querySql('DESCRIBE metrics_5m');
    assert.deepEqual(
      described.rows.map((each) => [each.column_name, each.column_type]),
      columns.map(({ name, type }) => [name, type]),
    );
  });
});
