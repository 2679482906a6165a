// Benchmarks that nobody runs rot: here each runs for a moment, and what it prints has to be a result. The
// figures mean nothing.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { BenchResult } from '../../bench/harness.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const names = globSync('bench/*.bench.ts', { cwd: root })
  .map((file) => file.slice('bench/'.length, -'.bench.ts'.length))
  .sort();

const flags = ['--conditions=@tracewell/source', '--expose-gc'];
const { NODE_TEST_CONTEXT: _, ...env } = process.env;
const bench = (...args: string[]) =>
  run(process.execPath, [...flags, join(root, 'bench/run.ts'), ...args], {
    cwd: root,
    env,
    timeout: 90_000,
  });

for (const name of names) {
  test(`the benchmark ${name} runs`, async () => {
    const { stdout } = await bench(name, '--tiny', '--json');
    const results = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as BenchResult);
    assert.ok(results.length > 0);
    for (const result of results) {
      const line = JSON.stringify(result);
      assert.deepEqual(Object.keys(result).sort(), [
        'bench',
        'metric',
        'ours',
        'peer',
        'ratio',
        'theirs',
        'unit',
      ]);
      assert.equal(result.bench, name);
      for (const text of [result.metric, result.peer, result.unit]) assert.ok(text.length > 0, line);
      for (const figure of [result.ours, result.theirs, result.ratio]) {
        assert.ok(Number.isFinite(figure) && figure >= 0, line);
      }
    }
  });
}

test('a benchmark that does not exist is named, with those that do', async () => {
  const failure = (await bench('none').catch((error: unknown) => error)) as { code: number; stderr: string };
  assert.equal(failure.code, 2);
  assert.match(failure.stderr, /none/);
  for (const name of names) assert.match(failure.stderr, new RegExp(`\\b${name}\\b`));
});
