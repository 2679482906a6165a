import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openStore, type StoreOptions, type TraceStore } from '@tracewell/store';
import { planCompaction } from '../../../packages/store/src/maintenance/plan-compaction.ts';
import { newDirectory } from '../engine/directory.ts';
import { answers, FAST, same, spans } from './answers.ts';

const OFTEN: StoreOptions = {
  ...FAST,
  maintenance: { intervalMs: 100, hotMaxAgeMs: 24 * 3600_000, hotMaxBytes: 512 << 20 },
};

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await wait(20);
}

const coldSpans = async (store: TraceStore): Promise<number> => (await store.health()).cold.rows.spans;

test('what is old goes cold by itself', async (t) => {
  await using store = await openStore(newDirectory(t), {
    ...OFTEN,
    maintenance: { intervalMs: 100, hotMaxAgeMs: 0 },
  });
  await store.insertSpans(spans(0, 20));
  const expected = await answers(store);
  await until(async () => (await coldSpans(store)) === 20);
  same(await answers(store), expected);
});

test('what is too much goes cold by itself, the oldest first', async (t) => {
  await using store = await openStore(newDirectory(t), {
    ...OFTEN,
    maintenance: { intervalMs: 100, hotMaxBytes: 200_000 },
  });
  for (let round = 0; round < 40; round++) await store.insertSpans(spans(round * 50, round * 50 + 50));
  await until(async () => (await store.health()).log.bytes <= 200_000);
  const hot = (await store.queryTraces({ limit: 1 })).spans[0]!.attributes.number;
  assert.equal(hot, 1999);
  const { cold, signals } = await store.health();
  assert.ok(cold.rows.spans > 0 && cold.rows.spans < 2000, `${cold.rows.spans} are cold`);
  assert.equal(signals.traces.count, 2000);
});

/** Another process that has the store open, with maintenance often; it inserts a span for each line. */
function startStore(t: TestContext, directory: string): ChildProcess {
  const script = fileURLToPath(new URL('schedule-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@tracewell/source', script, directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

test('a log whose writer was killed goes cold too, and keeps its end so that the next writer goes on', async (t) => {
  const directory = newDirectory(t);
  const child = startStore(t, directory);
  await once(createInterface({ input: child.stdout! }), 'line');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await using store = await openStore(directory, FAST);
  // The log of the dead one was taken over; another one dies beside it.
  const second = startStore(t, directory);
  await once(createInterface({ input: second.stdout! }), 'line');
  second.kill('SIGKILL');
  await once(second, 'exit');
  await store.insertSpans(spans(100, 110));
  const expected = await answers(store);
  await store.compact();
  assert.equal(await coldSpans(store), 30);
  same(await answers(store), expected);
  const before = (await store.health()).log.writers;
  assert.deepEqual(before.map(({ state }) => state).sort(), ['dead', 'own']);
  for (const { writer } of before) {
    const logs = readdirSync(join(directory, 'log', writer)).filter((name) => name.endsWith('.log'));
    assert.equal(logs.length, 1);
    assert.notEqual(logs[0], '0000000001.log');
  }
  await using next = await openStore(directory, FAST);
  await next.insertSpans(spans(200, 210));
  const after = (await next.health()).log.writers;
  assert.equal(after.length, 2);
  for (const { writer, lastSequence } of after) {
    assert.ok(lastSequence > before.find((one) => one.writer === writer)!.lastSequence - 1);
  }
  assert.equal((await store.health()).signals.traces.count, 40);
});

test('compactions of several stores at once follow each other, and one that is aborted leaves everything in place', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, FAST);
  await using other = await openStore(directory, FAST);
  await store.insertSpans(spans(0, 50));
  await other.insertSpans(spans(50, 100));
  const expected = await answers(store);
  const reason = new Error('enough');
  await assert.rejects(store.compact({ signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const atFirst = (): void => controller.abort(reason);
  await assert.rejects(store.compact({ signal: controller.signal, onProgress: atFirst }), reason);
  assert.equal((await store.health()).status, 'ok');
  same(await answers(store), expected);
  const seen: number[] = [];
  const onProgress = ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }): void => {
    seen.push(doneBytes / totalBytes);
    throw new Error('not heeded');
  };
  const results = await Promise.all([store.compact({ onProgress }), other.compact(), store.compact()]);
  // Each ends its own segments, and moves those of both that are ended.
  assert.ok(results.reduce((sum, { segments }) => sum + segments, 0) >= 2);
  assert.deepEqual([seen[0], seen.at(-1)], [0, 1]);
  assert.deepEqual(seen, [...seen].sort());
  same(await answers(other), expected);
  await assert.rejects(
    store.compact({ onprogress: () => {} } as object),
    /onprogress is no field of options/,
  );
  await assert.rejects(store.maintain({ dryRun: 1 } as object), /dryRun must be true or false, got 1/);
  await using reader = await openStore(directory, { readOnly: true });
  await assert.rejects(reader.compact(), { code: 'TW_LOG_READ_ONLY' });
});

test('a process that compacts on a schedule is not kept alive by it', async (t) => {
  const child = startStore(t, newDirectory(t));
  await once(createInterface({ input: child.stdout! }), 'line');
  child.stdin!.end();
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('of a log the oldest segments go first, never the last one, and none behind one that is held', () => {
  const segment = (writer: string, number: number, sealed = true) => ({
    writer,
    number,
    id: `${writer}${number}`,
    sealed,
    bytes: 100,
    read: () => new Uint8Array(),
    fill: () => {},
  });
  const segments = [
    segment('b', 2),
    segment('a', 3, false),
    segment('a', 1),
    segment('b', 1),
    segment('a', 2),
  ];
  const plan = (held: string[], limits?: { maxAgeMs: number; maxBytes: number }): string =>
    planCompaction(
      {
        segments,
        modifiedMs: ({ writer, number }) => number * 10 + (writer === 'a' ? 1 : 0),
        isHeld: ({ id }) => held.includes(id),
      },
      limits,
      100,
    )
      .flat()
      .map(({ id }) => id)
      .join(' ');
  assert.equal(plan([]), 'b1 a1 a2');
  assert.equal(plan(['a1']), 'b1');
  assert.equal(plan(['a2', 'b2']), 'b1 a1');
  assert.equal(plan([], { maxAgeMs: 90, maxBytes: 1000 }), 'b1');
  assert.equal(plan([], { maxAgeMs: 1000, maxBytes: 300 }), 'b1 a1');
});
