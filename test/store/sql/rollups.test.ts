import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeMetrics, type MetricData } from '@tracewell/otlp';
import fc from 'fast-check';
import { PointSorter } from '../../../packages/store/src/cold/metrics/point-sorter.ts';
import { writeMetricFile } from '../../../packages/store/src/cold/metrics/write-metric-file.ts';
import { rollUp } from '../../../packages/store/src/cold/rollups/roll-up.ts';
import { nodeFileSystem } from '../../../packages/store/src/fs/node-file-system.ts';
import { ParquetFile } from '../../../packages/store/src/parquet/file.ts';
import { planSql } from '../../../packages/store/src/sql/plan.ts';
import { SqlProcess } from '../../../packages/store/src/sql/sql-process.ts';
import { newDirectory } from '../engine/directory.ts';
import { arbitraryMetric } from '../query/metrics.ts';

test('metrics_5m says the same whether points are there, rolled up, or some of them the one and some the other', async (t) => {
  const directory = newDirectory(t);
  mkdirSync(join(directory, 'cold'));
  const sql = new SqlProcess(directory);
  t.after(() => sql.close());
  let files = 0;
  const write = (write: (sink: { write: (bytes: Uint8Array) => void }) => unknown): string => {
    const path = join(directory, 'cold', `${files++}.parquet`);
    const fd = openSync(path, 'w');
    write({ write: (bytes) => void writeSync(fd, bytes) });
    closeSync(fd);
    return path;
  };
  const writePoints = (metrics: readonly MetricData[]): string => {
    const sorter = new PointSorter();
    sorter.add(encodeMetrics(metrics));
    return write((sink) => writeMetricFile(sorter, sink));
  };
  const rolled = (path: string): string => {
    const file = nodeFileSystem.openSync(path, 'read');
    const rollups = write((sink) => rollUp([ParquetFile.open(file, path)], [], sink));
    file.closeSync();
    return rollups;
  };
  const ask = async (metrics: readonly string[], rollups: readonly string[]): Promise<unknown> => {
    const cold = { metrics: { paths: metrics, missing: 0 }, metrics_5m: { paths: rollups, missing: 0 } };
    const statement = `SELECT * EXCLUDE (last, sum), round(sum, 3) AS sum FROM metrics_5m ORDER BY name, series, time`;
    const { rows, partial } = await sql.run(planSql(statement, {}), async () => ({ cold, hot: [] }));
    assert.deepEqual(partial, []);
    return rows;
  };
  const some = fc.array(arbitraryMetric, { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(some, some, async (first, second) => {
      // Values of which sums come out the same in any order.
      const [a, b] = [writePoints(finite(first)), writePoints(finite(second))];
      const points = await ask([a, b], []);
      assert.deepEqual(await ask([], [rolled(a), rolled(b)]), points);
      assert.deepEqual(await ask([a], [rolled(b)]), points);
    }),
    { numRuns: 20, endOnFailure: true },
  );
});

/** Without values that no sum can hold together with others. */
function finite(metrics: readonly MetricData[]): MetricData[] {
  const plain = (value: unknown): unknown => {
    if (typeof value === 'bigint') return value > 2n ** 40n || value < 0n ? 3n : value;
    if (typeof value !== 'number') return value;
    // Which of 0 and -0 is the smaller one is nobody's business.
    return !Number.isFinite(value) || Math.abs(value) > 1e15 ? 3 : value + 0;
  };
  return metrics.map((metric) => ({
    ...metric,
    points: metric.points.map((point) =>
      Object.fromEntries(
        Object.entries(point).map(([key, value]) => [key, key.includes('Unix') ? value : plain(value)]),
      ),
    ),
  })) as unknown as MetricData[];
}
