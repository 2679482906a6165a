import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, utimesSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openStore } from '@tracewell/store';
import { answers, FAST, same, spans } from '../cold/answers.ts';
import { newDirectory } from '../engine/directory.ts';

/** Compacts in another process, which is killed at a step. */
async function killedAt(directory: string, step: string): Promise<NodeJS.Signals | null> {
  const script = fileURLToPath(new URL('../cold/compact-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@tracewell/source', script, directory], {
    env: { ...process.env, TRACEWELL_TEST_KILL_STEP: step },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') child.stdin.end('go\n');
  });
  const [, signal] = (await exited) as [number | null, NodeJS.Signals | null];
  return signal;
}

/** A directory with hot spans of which each has a payload, some of them the same, and some cold. */
async function prepared(t: TestContext): Promise<{ directory: string; expected: Map<string, string> }> {
  const directory = newDirectory(t);
  const store = await openStore(directory, FAST);
  const all = spans(0, 30).map((span, number) => ({
    ...span,
    // First: attributes that no column says come back before the others.
    attributes: { 'gen_ai.prompt': `${number % 10} `.repeat(5000), ...span.attributes },
  }));
  await store.insertSpans(all.slice(0, 12));
  await store.compact();
  await store.insertSpans(all.slice(8));
  const expected = await answers(store);
  await store.close();
  return { directory, expected };
}

// Between any blob and the file that names it, and between that file and its being visible.
for (const step of ['read', 'payloads', 'written', 'merged', 'renamed', 'published', 'removed']) {
  test(`F28 what was stored for rows that were not visible when the process was killed at ${step} survives a collection`, async (t) => {
    const { directory, expected } = await prepared(t);
    assert.equal(await killedAt(directory, step), 'SIGKILL');
    {
      await using store = await openStore(directory, FAST);
      same(await answers(store), expected);
      const blobs = globSync(`${directory}/blobs/*/*/*`).length;
      assert.equal(blobs, 10);
      assert.equal((await store.maintain()).payloads!.unnamed, 0);
      same(await answers(store), expected);
      await store.compact();
      same(await answers(store), expected);
      assert.ok((await store.verify()).ok);
    }
    // And after the grace, when only names count.
    const hoursAgo = Date.now() / 1000 - 2 * 3600;
    for (const path of globSync(`${directory}/blobs/*/*/*`)) utimesSync(path, hoursAgo, hoursAgo);
    await using store = await openStore(directory, FAST);
    const { payloads } = await store.maintain();
    assert.deepEqual([payloads!.unnamed, payloads!.kept], [0, 10]);
    same(await answers(store), expected);
  });
}

test('F28 a payload whose storing began before a collection and whose grace is over when its row comes is stored again', async (t) => {
  const { directory, expected } = await prepared(t);
  assert.equal(await killedAt(directory, 'payloads'), 'SIGKILL');
  const hoursAgo = Date.now() / 1000 - 2 * 3600;
  for (const path of globSync(`${directory}/blobs/*/*/*`)) utimesSync(path, hoursAgo, hoursAgo);
  await using store = await openStore(directory, FAST);
  const before = globSync(`${directory}/blobs/*/*/*`).length;
  const { payloads } = await store.maintain();
  // Those that only the rows name that are still hot; they are in the log.
  assert.equal(payloads!.unnamed, before - payloads!.kept);
  same(await answers(store), expected);
  await store.compact();
  same(await answers(store), expected);
  assert.ok((await store.verify()).ok);
});
