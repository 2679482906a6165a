import assert from 'node:assert/strict';
import { globSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore, type TraceStore } from '@tracewell/store';
import type { Job } from '../../../packages/store/src/cold/job.ts';
import { WorkerPool } from '../../../packages/store/src/cold/worker-pool.ts';
import { newDirectory } from '../engine/directory.ts';
import { id, span } from '../query/spans.ts';
import { answers, FAST, HOUR, NOON, same, spans, text } from './answers.ts';

const DAMAGES = {
  'a truncated file': (path: string) => truncateSync(path, 100),
  'a file without bytes': (path: string) => truncateSync(path, 0),
  'a flipped byte in a page': (path: string) => flip(path, 200),
  'a flipped byte in the footer': (path: string) => flip(path, readFileSync(path).length - 40),
  'a file that is gone': (path: string) => rmSync(path),
};

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 0x20;
  writeFileSync(path, bytes);
}

for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`F24 ${what} is set aside; queries go on and say that they are partial`, async (t) => {
    const directory = newDirectory(t);
    {
      await using store = await openStore(directory, FAST);
      await store.insertSpans([...spans(0, 20), ...spans(20, 40, NOON + 5n * HOUR)]);
      await store.compact();
    }
    const files = globSync(`${directory}/cold/spans/**/*.parquet`).sort();
    assert.equal(files.length, 2);
    damage(files[0]!);
    const check = async (store: TraceStore): Promise<void> => {
      const page = await store.queryTraces();
      assert.equal(page.spans.length, 20);
      assert.equal(page.partial?.length, 1);
      // What is not touched by it is whole.
      assert.equal((await store.queryTraces({ startTime: NOON + 4n * HOUR })).partial, undefined);
      const trace = await store.getTrace(id(7) + id(5));
      assert.deepEqual([trace?.spans.length, trace?.partial?.length], [5, 1]);
      // It may have been in there.
      await assert.rejects(store.getTrace(id(7) + id(1)), { code: 'TW_COLD_DAMAGED' });
      assert.deepEqual(
        (await store.listServices()).map(({ spanCount }) => spanCount),
        [7, 6, 7],
      );
      const health = await store.health();
      assert.deepEqual([health.status, health.cold.damaged.length], ['degraded', 1]);
    };
    const store = await openStore(directory, FAST);
    await using onlooker = await openStore(directory, { readOnly: true });
    await check(store);
    await check(onlooker);
    const { setAside } = await store.maintain();
    assert.deepEqual(setAside, [files[0]]);
    assert.equal(globSync(`${directory}/cold/**/*.damaged`).length, what === 'a file that is gone' ? 0 : 1);
    for (const each of [store, onlooker]) await check(each);
    await store.compact();
    await store.close();
    await using again = await openStore(directory, FAST);
    await check(again);
  });
}

for (const how of ['exit', 'memory']) {
  test(`F25 a thread that ends by ${how} keeps its input, and another one does the job`, async (t) => {
    const directory = newDirectory(t);
    await using store = await openStore(directory, FAST);
    await store.insertSpans(spans(0, 20));
    const [log] = globSync(`${directory}/log/*/*.log`);
    const before = readFileSync(log!);
    const runner = new WorkerPool(new URL('workers/dies.ts', import.meta.url), 32);
    t.after(() => runner.close());
    const job: Job = {
      directory,
      segments: [{ path: log!, id: segmentId(before), bytes: before.length }],
      files: [],
      name: '0123456789ab',
    };
    writeFileSync(join(directory, 'deaths'), `${how} 99`);
    await assert.rejects(runner.run(job), { code: 'TW_COMPACTION_FAILED' });
    assert.deepEqual(readFileSync(log!), before);
    writeFileSync(join(directory, 'deaths'), `${how} 1`);
    const made = await runner.run(job);
    assert.deepEqual(
      made.map(({ file }) => file.rows),
      [20],
    );
  });
}

/** The id in the header of a segment. */
function segmentId(bytes: Buffer): string {
  return Buffer.from(bytes.subarray(8, 16)).reverse().toString('hex');
}

test('F27 queries that run while compaction takes away what they read answer as if nothing had happened', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, FAST);
  await using other = await openStore(directory, FAST);
  await using reader = await openStore(directory, { readOnly: true });
  for (let round = 0; round < 6; round++) {
    // Some again, and small files of the same hour, which are merged.
    await store.insertSpans(spans(round * 10, round * 10 + 15));
    await other.insertSpans(spans(round * 10 + 5, round * 10 + 20));
    const expected = await answers(reader);
    let compacted = false;
    const compacting = other.compact().finally(() => {
      compacted = true;
    });
    const asking = [store, other, reader].map(async (one) => {
      do same(await answers(one), expected);
      while (!compacted);
    });
    await Promise.all([compacting, ...asking]);
    for (const one of [store, other, reader]) same(await answers(one), expected);
  }
});

test('F27 retention that drops what a query reads leaves it its rows or takes them all', async (t) => {
  const directory = newDirectory(t);
  const keepNothing = { ...FAST, maintenance: { scheduled: false, retention: { spans: { maxAgeMs: 0 } } } };
  await using store = await openStore(directory, keepNothing);
  await using reader = await openStore(directory, { readOnly: true });
  await store.insertSpans(spans(0, 50));
  await store.compact();
  assert.equal((await reader.queryTraces()).spans.length, 50);
  const dry = await store.maintain({ dryRun: true });
  assert.deepEqual(
    dry.dropped.map(({ signal, rows, reason }) => [signal, rows, reason]),
    [['spans', 50, 'age']],
  );
  assert.equal((await reader.queryTraces()).spans.length, 50);
  const asking = Array.from({ length: 20 }, () => reader.queryTraces());
  const report = await store.maintain();
  assert.equal(text(report), text({ ...dry, dryRun: false }));
  for (const page of await Promise.all(asking)) {
    assert.equal(page.partial, undefined);
    assert.ok(page.spans.length === 50 || page.spans.length === 0, `${page.spans.length} spans`);
  }
  assert.deepEqual((await reader.queryTraces()).spans, []);
  assert.deepEqual(globSync(`${directory}/cold/**/*.parquet`), []);
});

test('F24 SQL goes on without a file that was removed while the store was open, and says so', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, FAST);
  const count = async () => {
    const { rows, partial } = await store.querySql('SELECT count(*) AS spans FROM spans');
    return [rows[0]?.spans, partial?.length];
  };
  await store.insertSpans([span({ spanId: id(1) })]);
  await store.compact();
  const [first] = globSync('cold/spans/*/*/*.parquet', { cwd: directory });
  await store.insertSpans([
    span({ spanId: id(2), startTimeUnixNanos: span().startTimeUnixNanos + 7_200_000_000_000n }),
  ]);
  await store.compact();
  assert.deepEqual(await count(), [2n, undefined]);
  rmSync(join(directory, first!));
  assert.deepEqual(await count(), [1n, 1]);
});
