import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { MetricData } from '@tracewell/otlp';
import { openStore, type TraceStore } from '@tracewell/store';
import { ParquetFile } from '../../../packages/store/src/parquet/file.ts';
import { gauge, numberPoint } from '../../otlp/plain.ts';
import { newDirectory } from '../engine/directory.ts';
import { memoryFile } from '../parquet/memory-file.ts';
import { type Cell, cellsOf } from '../parquet/tables.ts';
import { FAST, HOUR, NOON } from './answers.ts';

const MINUTE = HOUR / 60n;

/** A gauge with a point a minute in an hour of the day, whose values count on from `first`. */
function anHour(hour: bigint, first: number): MetricData {
  const points = Array.from({ length: 60 }, (_, minute) =>
    numberPoint({ timeUnixNanos: NOON + hour * HOUR + BigInt(minute) * MINUTE, value: first + minute }),
  );
  return gauge({ name: 'queue.length', points });
}

/** The figures of all rollups of a store, by time. */
function rollupsOf(directory: string): Cell[][] {
  const columns = ['time', 'points', 'sum', 'min', 'max', 'last'];
  return globSync(`${directory}/cold/metrics_5m/date=*/*.parquet`)
    .flatMap((path) => {
      const file = ParquetFile.open(memoryFile(readFileSync(path)), path);
      const cells = columns.map((name) => {
        const schema = file.schema.find((column) => column.name === name)!;
        return cellsOf(schema, file.readColumn(0, name), file.rows);
      });
      return Array.from({ length: file.rows }, (_, row) => cells.map((column) => column[row]!));
    })
    .sort(([a], [b]) => (a! < b! ? -1 : 1));
}

const expected = (hour: bigint, first: number): Cell[][] =>
  Array.from({ length: 12 }, (_, part) => {
    const low = first + part * 5;
    return [NOON + hour * HOUR + BigInt(part) * 5n * MINUTE, 5n, 5 * low + 10, low, low + 4, low + 4];
  });

async function pointsOf(store: TraceStore): Promise<number> {
  const { series } = await store.queryMetrics({ name: 'queue.length', limit: 10_000 });
  return series.reduce((count, { points }) => count + points.length, 0);
}

test('metrics that are too old stay as rollups of their day, each point in one of the two', async (t) => {
  const directory = newDirectory(t);
  const retention = { metrics: { maxBytes: 0 } };
  const options = { ...FAST, maintenance: { scheduled: false, retention } };
  await using store = await openStore(directory, options);
  await store.insertMetrics([anHour(0n, 0), anHour(1n, 1000)]);
  await store.compact();
  assert.equal(await pointsOf(store), 120);
  const dry = await store.maintain({ dryRun: true });
  assert.equal(dry.dropped.length, 2);
  assert.equal(await pointsOf(store), 120);
  await store.maintain();
  assert.equal(await pointsOf(store), 0);
  assert.deepEqual(rollupsOf(directory), [...expected(0n, 0), ...expected(1n, 1000)]);
  assert.deepEqual(globSync(`${directory}/cold/metrics/**/*.parquet`), []);
  assert.equal((await store.health()).cold.rows.metrics_5m, 24);

  // More points of the same hour, and of another day.
  await store.insertMetrics([
    gauge({ name: 'queue.length', points: [numberPoint({ timeUnixNanos: NOON + 1n, value: -1 })] }),
    anHour(24n, 0),
  ]);
  await store.compact();
  await store.maintain();
  const found = rollupsOf(directory);
  assert.equal(found.length, 36);
  assert.deepEqual(found[0], [NOON, 6n, 9, -1, 4, 4]);
  assert.equal(globSync(`${directory}/cold/metrics_5m/date=*/*.parquet`).length, 2);
});
