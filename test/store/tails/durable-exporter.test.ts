import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { otlpExporter } from '@tracewell/opentelemetry';
import { decodeTraces, encodeTraces } from '@tracewell/otlp';
import { type BatchExporter, ExportError, type SpanBatch } from '@tracewell/plugin';
import { durableExporter, openStore, type TraceStore } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { seededRandom } from '../fault-disk.ts';
import { id, span } from '../query/spans.ts';
import { type Collector, startCollector } from './collector.ts';

const FAST = { initialDelayMs: 5, maxDelayMs: 20, gatherMs: 0 };

async function insert(store: TraceStore, ...numbers: number[]): Promise<void> {
  for (const number of numbers) await store.insertSpans([span({ spanId: id(number) })]);
}

function otlp(collector: Collector): BatchExporter {
  return otlpExporter({ url: collector.url, timeoutMillis: 5000 });
}

/** Waits until a condition holds. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'waited for ten seconds');
    await sleep(5);
  }
}

test('a collector gets what is stored, in the bytes of the log', async (t) => {
  await using store = await openStore(newDirectory(t));
  const batches: SpanBatch[] = [];
  const delivery = durableExporter(store, {
    name: 'Any Name!',
    export: async (batch) => void batches.push(batch),
  });
  assert.equal(delivery.name, 'export-any-name-');
  await insert(store, 1, 2, 3);
  await delivery.flush();
  const stored = [1, 2, 3].map((number) => encodeTraces([span({ spanId: id(number) })]));
  assert.deepEqual(Buffer.concat(batches.map(({ bytes }) => bytes)), Buffer.concat(stored));
  assert.equal(delivery.stats().exported, 3);
  assert.equal(delivery.stats().lagBytes, 0);
  await delivery.shutdown();
});

test('small batches are sent together, up to a size', async (t) => {
  await using store = await openStore(newDirectory(t));
  const collector = await startCollector(t);
  await insert(store, ...Array.from({ length: 100 }, (_, i) => i + 1));
  const delivery = durableExporter(store, otlp(collector), { batchBytes: 4000, ...FAST });
  await delivery.flush();
  assert.equal(collector.arrived.size, 100);
  assert.ok(collector.requests.length < 20, `${collector.requests.length} requests`);
  assert.ok(collector.requests.length > 2, `${collector.requests.length} requests`);
  await delivery.shutdown();
});

test('what is stored while the collector is down arrives when it is back, once', async (t) => {
  await using store = await openStore(newDirectory(t));
  const collector = await startCollector(t);
  const errors: unknown[] = [];
  const delivery = durableExporter(store, otlp(collector), {
    ...FAST,
    onError: (error) => errors.push(error),
  });
  await insert(store, 1);
  await delivery.flush();
  await collector.goDown();
  await insert(store, 2, 3);
  await assert.rejects(delivery.flush(), { code: 'TW_EXPORT_FAILED' });
  assert.ok(delivery.stats().lagBytes > 0);
  assert.match(String(delivery.stats().lastError), /ECONNREFUSED/);
  await until(() => errors.length > 2);
  await collector.comeBack();
  await insert(store, 4);
  await until(() => collector.arrived.size === 4);
  await delivery.flush();
  assert.deepEqual([...collector.arrived.values()], [1, 1, 1, 1]);
  assert.equal(delivery.stats().lastError, undefined);
  await delivery.shutdown();
});

test('what was not delivered when the process ended is delivered by the next', async (t) => {
  const directory = newDirectory(t);
  const collector = await startCollector(t);
  await collector.goDown();
  {
    await using store = await openStore(directory);
    const delivery = durableExporter(store, otlp(collector), FAST);
    await insert(store, 1, 2);
    await delivery.shutdown({ timeoutMs: 100 });
  }
  await collector.comeBack();
  await using store = await openStore(directory);
  const delivery = durableExporter(store, otlp(collector), FAST);
  await delivery.flush();
  assert.deepEqual([...collector.arrived.values()], [1, 1]);
  await delivery.shutdown();
});

test('a busy collector is left alone for as long as it asks', async (t) => {
  await using store = await openStore(newDirectory(t));
  const collector = await startCollector(t);
  collector.mood = 'busy';
  const delivery = durableExporter(store, otlp(collector), FAST);
  await insert(store, 1);
  const before = Date.now();
  await assert.rejects(delivery.flush(), { retryAfterMs: 1000 });
  collector.mood = 'takes';
  await assert.rejects(delivery.flush(), { retryAfterMs: 1000 });
  await until(() => collector.arrived.size === 1);
  assert.ok(Date.now() - before >= 990, `${Date.now() - before} ms`);
  assert.equal(collector.attempts, 2);
  await delivery.shutdown();
});

test('what is refused for good is counted and not sent again', async (t) => {
  await using store = await openStore(newDirectory(t));
  const collector = await startCollector(t);
  const errors: unknown[] = [];
  const delivery = durableExporter(store, otlp(collector), {
    ...FAST,
    onError: (error) => errors.push(error),
  });
  collector.mood = 'refuses';
  await insert(store, 1, 2);
  await delivery.flush();
  const { exported, rejected, lastError } = delivery.stats();
  assert.deepEqual([exported, rejected], [0, 2]);
  assert.ok(lastError instanceof ExportError);
  assert.ok(errors.length >= 1);
  collector.mood = 'takes';
  await insert(store, 3);
  await delivery.flush();
  assert.deepEqual([...collector.arrived.keys()], [id(3)]);
  await delivery.shutdown();
});

test('of a step that failed in the middle only the rest is sent again', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory);
  await using other = await openStore(directory);
  // A step reads both logs, and one of these spans fills a batch.
  await store.insertSpans([span({ spanId: id(1), attributes: { text: 'x'.repeat(300) } })]);
  await other.insertSpans([span({ spanId: id(2), attributes: { text: 'x'.repeat(300) } })]);
  const attempts: string[] = [];
  const delivery = durableExporter(
    store,
    {
      name: 'x',
      export: async ({ bytes }) => {
        const [{ spanId } = span()] = decodeTraces(bytes);
        attempts.push(spanId);
        if (attempts.length === 2) throw new Error('not now');
      },
    },
    { ...FAST, batchBytes: 600 },
  );
  await until(() => delivery.stats().exported === 2);
  assert.equal(attempts.length, 3);
  assert.equal(attempts[1], attempts[2]);
  assert.notEqual(attempts[0], attempts[1]);
  await delivery.shutdown();
});

test('F54 an exporter that hangs is given up at its timeout, and shutdown returns by its deadline', async (t) => {
  await using store = await openStore(newDirectory(t));
  let attempts = 0;
  const delivery = durableExporter(
    store,
    {
      name: 'x',
      export: () => {
        attempts++;
        return new Promise(() => {});
      },
      shutdown: () => new Promise(() => {}),
    },
    { ...FAST, exportTimeoutMs: 20 },
  );
  await insert(store, 1);
  await assert.rejects(delivery.flush(), { code: 'TW_EXPORT_TIMEOUT' });
  await until(() => attempts > 2);
  const before = Date.now();
  await delivery.shutdown({ timeoutMs: 50 });
  assert.ok(Date.now() - before < 1000);
  assert.equal(delivery.stats().exported, 0);
});

test('one process delivers what all have stored', async (t) => {
  const directory = newDirectory(t);
  const collector = await startCollector(t);
  await using one = await openStore(directory);
  await using two = await openStore(directory);
  const first = durableExporter(one, otlp(collector), FAST);
  const second = durableExporter(two, otlp(collector), FAST);
  for (let round = 0; round < 5; round++) {
    await insert(one, 100 + round);
    await insert(two, 200 + round);
  }
  await Promise.all([first.flush(), second.flush()]);
  assert.equal(collector.arrived.size, 10);
  assert.deepEqual(new Set(collector.arrived.values()), new Set([1]));
  assert.deepEqual(
    [first.stats().exported, second.stats().exported].sort((a, b) => a - b),
    [0, 10],
  );
  await first.shutdown();
  await second.shutdown();
});

test('everything that was acknowledged arrives, whatever is killed and whatever is down', {
  timeout: 60_000,
}, async (t) => {
  const directory = newDirectory(t);
  const collector = await startCollector(t);
  const random = seededRandom(7);
  const acknowledged: string[] = [];
  for (let round = 0; round < 8; round++) {
    collector.mood = (['takes', 'takes', 'busy', 'breaks', 'hangs'] as const)[Math.floor(random() * 5)]!;
    if (random() < 0.3) await collector.goDown();
    const children = [0, 1]
      .slice(0, random() < 0.5 ? 1 : 2)
      .map((n) => startChild(directory, collector, round * 2 + n));
    for (const { child, ids, stored } of children) {
      await stored;
      await sleep(random() * 60);
      child.kill('SIGKILL');
      await once(child, 'close');
      acknowledged.push(...ids);
    }
    await collector.comeBack();
  }
  collector.mood = 'takes';
  await using store = await openStore(directory);
  const delivery = durableExporter(store, otlp(collector), { ...FAST, name: 'export-otlp' });
  await delivery.flush();
  const missing = acknowledged.filter((spanId) => !collector.arrived.has(spanId));
  assert.deepEqual(missing, []);
  assert.ok(acknowledged.length > 100, `${acknowledged.length} spans`);
  assert.equal(delivery.stats().missedBytes, 0);
  await delivery.shutdown();
});

/** A process that stores spans, delivers them, and tells of each that was acknowledged. */
function startChild(directory: string, collector: Collector, number: number) {
  const child: ChildProcess = spawn(
    process.execPath,
    [
      '--conditions=@tracewell/source',
      `${import.meta.dirname}/exporting-child.ts`,
      directory,
      collector.url,
      String(number),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ids: string[] = [];
  const { promise: stored, resolve } = Promise.withResolvers<void>();
  createInterface({ input: child.stdout! }).on('line', (line) => {
    ids.push(line);
    if (ids.length === 10) resolve();
  });
  return { child, ids, stored };
}
