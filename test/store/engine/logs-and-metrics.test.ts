import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeLogs, encodeMetrics } from '@tracewell/otlp';
import { openStore } from '@tracewell/store';
import { log } from '../query/logs.ts';
import { gauge } from '../query/metrics.ts';
import { id } from '../query/spans.ts';
import { newDirectory } from './directory.ts';

const FAST = { durability: 'none', search: { index: false } } as const;

test('points of series beyond maxSeries are refused, told and counted; the others of the request are stored', async (t) => {
  const directory = newDirectory(t);
  const of = (...numbers: number[]) => [gauge({}, ...numbers.map((number) => ({ attributes: { number } })))];
  {
    await using store = await openStore(directory, { ...FAST, maxSeries: 3 });
    assert.deepEqual(await store.insertMetrics(of(1, 2)), { accepted: 2, rejected: 0, reasons: [] });
    const partly = await store.insertOtlp('metrics', encodeMetrics(of(2, 3, 4, 5)));
    assert.deepEqual(partly, { accepted: 2, rejected: 2, reasons: ['more than 3 series (maxSeries)'] });
    const { status, signals } = await store.health();
    const { count, rejected, series, maxSeries } = signals.metrics;
    assert.deepEqual([status, count, rejected, series, maxSeries], ['ok', 4, 2, 3, 3]);
    // None of it: nothing is written.
    const before = (await store.health()).log.bytes;
    assert.equal((await store.insertMetrics(of(6))).accepted, 0);
    assert.equal((await store.health()).log.bytes, before);
  }
  // What is stored is found, whatever the bound is now.
  await using store = await openStore(directory, { ...FAST, maxSeries: 1 });
  assert.equal((await store.queryMetrics()).series.length, 3);
  assert.equal((await store.insertMetrics(of(1, 9))).accepted, 1);
  for (const maxSeries of [0, 1.5, '5', 10_000_001]) {
    const open = openStore(directory, { ...FAST, maxSeries: maxSeries as number });
    await assert.rejects(
      open,
      /^RangeError: openStore: maxSeries must be a whole number from 1 to 10000000, got /,
    );
  }
});

test('a request that is too large for a frame is split; a record that is, is refused', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  const body = 'x'.repeat(1 << 20);
  const logs = Array.from({ length: 20 }, (_, number) => log({ timeUnixNanos: BigInt(number), body }));
  assert.equal((await store.insertLogs(logs)).accepted, 20);
  assert.equal((await store.insertLogs(logs)).accepted, 20);
  assert.equal((await store.queryLogs()).logs.length, 20);
  const points = Array.from({ length: 20 }, (_, number) => ({ attributes: { number, body } }));
  assert.equal((await store.insertMetrics([gauge({}, ...points)])).accepted, 20);
  assert.equal((await store.queryMetrics({ labels: { number: 7 } })).series.length, 1);
  await assert.rejects(
    store.insertLogs([log({ body: 'x'.repeat(17 << 20) })]),
    /^RangeError: A log record of \d+ bytes is larger than the 16777216 that fit the log$/,
  );
});

test('a flipped byte in a sealed segment costs the records that it touches, not the query', async (t) => {
  const directory = newDirectory(t);
  const filler = log({ body: 'x'.repeat(70 << 10), timeUnixNanos: 5n });
  {
    await using store = await openStore(directory, { ...FAST, segmentBytes: 64 << 10 });
    await store.insertLogs([
      log({ body: 'damaged', timeUnixNanos: 7n }),
      log({ body: 'healthy', timeUnixNanos: 6n }),
    ]);
    await store.insertMetrics([gauge({}, { timeUnixNanos: 1n, value: 0x77777777 }, { timeUnixNanos: 2n })]);
    await store.insertLogs([filler]);
  }
  const [file] = globSync('log/*/*1.log', { cwd: directory }).map((name) => join(directory, name));
  const bytes = readFileSync(file!);
  // The length of the body, and the key of the value.
  bytes[bytes.indexOf('damaged') - 1] = 0x7f;
  bytes[bytes.indexOf(Buffer.alloc(4, 0x77)) - 1] = 0x07;
  writeFileSync(file!, bytes);

  await using store = await openStore(directory, { ...FAST, segmentBytes: 64 << 10 });
  assert.deepEqual(
    (await store.queryLogs()).logs.map(({ timeUnixNanos }) => timeUnixNanos),
    [6n, 5n],
  );
  assert.deepEqual(
    (await store.queryMetrics()).series.flatMap(({ points }) =>
      points.map(({ timeUnixNanos }) => timeUnixNanos),
    ),
    [2n],
  );
  const { status, signals } = await store.health();
  assert.deepEqual([status, signals.logs.unreadable, signals.metrics.unreadable], ['degraded', 1, 1]);
});

test('a query over many records lets others run', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  for (let request = 0; request < 20; request++) {
    const logs = Array.from({ length: 1000 }, (_, number) =>
      log({ timeUnixNanos: BigInt(request * 1000 + number), traceId: id(1) + id(number + 1) }),
    );
    await store.insertOtlp('logs', encodeLogs(logs));
    const points = Array.from({ length: 1000 }, (_, number) => ({ attributes: { request, number } }));
    await store.insertOtlp('metrics', encodeMetrics([gauge({}, ...points)]));
  }
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  t.after(() => clearInterval(timer));
  const took = async (query: () => Promise<unknown>): Promise<void> => {
    const before = turns;
    const start = performance.now();
    await query();
    const ms = performance.now() - start;
    // A turn of a query is 4 ms; what is sorted or put together at once may take longer.
    assert.ok(ms < 50 || turns > before, `${query} had ${ms} ms for itself`);
  };
  await took(async () => assert.deepEqual((await store.queryLogs({ attributes: { gone: 1 } })).logs, []));
  await took(async () => assert.deepEqual((await store.queryLogs({ contains: 'gone' })).logs, []));
  await took(async () => assert.deepEqual((await store.queryMetrics({ labels: { gone: 1 } })).series, []));
  await took(async () => assert.equal((await store.queryMetrics({ limit: 10_000 })).series.length, 10_000));
  assert.equal((await store.listMetrics())[0]?.seriesCount, 20_000);
});
