import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openStore } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { answers, FAST, HOUR, NOON, same, spans } from './answers.ts';

const template = mkdtempSync(join(tmpdir(), 'tracewell-killed-'));
let expected: Map<string, string>;
after(() => rmSync(template, { recursive: true, force: true }));

// A directory of which a part is cold; of what is hot, some is there already.
before(async () => {
  await using store = await openStore(template, FAST);
  const [first] = spans(0, 1);
  const unfinished = { ...first!, attributes: { ...first!.attributes, 'tracewell.unfinished': true } };
  await store.insertSpans([unfinished, ...spans(1, 40)]);
  await store.compact();
  await store.insertSpans([...spans(30, 60), first!]);
  await store.insertSpans(spans(60, 80, NOON + 4n * HOUR));
  expected = await answers(store);
});

function copyOfTemplate(t: TestContext): string {
  const directory = join(newDirectory(t), 'store');
  cpSync(template, directory, { recursive: true });
  return directory;
}

function start(directory: string, killStep?: string): ChildProcess {
  const script = fileURLToPath(new URL('compact-process.ts', import.meta.url));
  const env = { ...process.env, ...(killStep !== undefined && { TRACEWELL_TEST_KILL_STEP: killStep }) };
  const args = ['--conditions=@tracewell/source', script, directory];
  return spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
}

/** Compacts in another process; returns what it says, and the signal that ended it. */
async function compactElsewhere(directory: string, killStep?: string) {
  const child = start(directory, killStep);
  const exited = once(child, 'exit');
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (line === 'ready') child.stdin!.end('go\n');
    else lines.push(line);
  });
  const [, signal] = (await exited) as [number | null, NodeJS.Signals | null];
  return { lines, signal };
}

const STEPS = [
  'planned',
  'read',
  'written',
  'merged',
  'written:2',
  'renamed',
  'renamed:2',
  'synced',
  'published',
  'removed',
  'removed:2',
];

for (const step of STEPS) {
  test(`F22 a compaction that is killed at ${step} loses nothing, shows nothing twice, and is done by the next`, async (t) => {
    const directory = copyOfTemplate(t);
    await using onlooker = await openStore(directory, { readOnly: true });
    same(await answers(onlooker), expected);
    assert.equal((await compactElsewhere(directory, step)).signal, 'SIGKILL');
    same(await answers(onlooker), expected);

    // What the files say is enough, whatever was done by then.
    const copy = `${directory}-copy`;
    cpSync(directory, copy, { recursive: true });
    for (const file of globSync(`${copy}/meta.db*`)) rmSync(file);
    {
      await using without = await openStore(copy, { readOnly: true });
      same(await answers(without), expected);
    }

    await using next = await openStore(directory, FAST);
    same(await answers(next), expected);
    await next.compact();
    for (const store of [next, onlooker]) same(await answers(store), expected);
    const { cold } = await next.health();
    assert.equal(cold.rows.spans, 80);
    const files = globSync(`${directory}/cold/**/*`, { withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    assert.equal(files.length, cold.files, 'leftovers');
  });
}
