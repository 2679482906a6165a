import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { openStore } from '@tracewell/store';
import { span } from '../query/spans.ts';
import { newDirectory } from './directory.ts';

function start(t: TestContext, ...args: string[]) {
  const child = spawn(
    process.execPath,
    ['--conditions=@tracewell/source', `${import.meta.dirname}/child.ts`, ...args],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    line: async (): Promise<string> => (await lines.next()).value ?? '',
    say: (): boolean => child.stdin.write('go\n'),
  };
}

test('a trace that crosses three processes is whole within a second, for all of them and for one that only reads', async (t) => {
  const directory = newDirectory(t);
  await using own = await openStore(directory);
  const processes = ['a', 'b', 'c'].map((service) => start(t, directory, 'serve', service));
  for (const one of processes) assert.equal(await one.line(), 'ready');
  await using reader = await openStore(directory, { readOnly: true });
  for (let round = 1; round <= 3; round++) {
    for (const one of processes) one.say();
    const stored = await Promise.all(processes.map((one) => one.line()));
    for (const line of stored) assert.match(line, /^stored/);
    for (const store of [own, reader]) {
      const trace = await store.getTrace(span().traceId);
      assert.deepEqual([...(trace?.services ?? [])].sort(), ['a', 'b', 'c']);
      assert.equal(trace?.spans.length, 3 * round);
    }
    const age = Date.now() - Math.max(...stored.map((line) => Number(line.split(' ')[1])));
    assert.ok(age < 1000, `seen ${age} ms after the last was stored`);
  }
  // One of them is killed; what it stored stays.
  processes[1]!.child.kill('SIGKILL');
  await once(processes[1]!.child, 'exit');
  assert.equal((await own.getTrace(span().traceId))?.spans.length, 9);
  await using next = await openStore(directory);
  assert.equal((await next.getTrace(span().traceId))?.spans.length, 9);
});

test('F53 what is exported in the last moment is stored, and so is what was in flight', async (t) => {
  for (const count of [1, 2, 50]) {
    const directory = newDirectory(t);
    const { child } = start(t, directory, 'exit', 'a', String(count));
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    await using store = await openStore(directory);
    assert.equal((await store.queryTraces()).spans.length, count);
    assert.equal((await store.health()).status, 'ok');
  }
});
