import assert from 'node:assert/strict';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore, type TraceStore, type VerifyProgress } from '@tracewell/store';
import { BlobStore } from '../../../packages/store/src/blobs/blob-store.ts';
import { nodeFileSystem } from '../../../packages/store/src/fs/node-file-system.ts';
import { newDirectory } from '../engine/directory.ts';
import { id, span } from '../query/spans.ts';

const OPTIONS = { segmentBytes: 64 << 10, search: { index: false } };

/** A store with hot and cold spans, a comment and a blob. */
async function filled(directory: string): Promise<TraceStore> {
  const store = await openStore(directory, OPTIONS);
  const insert = async (from: number): Promise<void> => {
    for (let batch = 0; batch < 10; batch++) {
      const spans = Array.from({ length: 100 }, (_, number) =>
        span({ spanId: id(from + batch * 100 + number + 1) }),
      );
      await store.insertSpans(spans);
    }
  };
  await insert(0);
  await store.compact();
  await insert(5000);
  await store.addComment({ traceId: span().traceId, author: 'ada', text: 'hello' });
  new BlobStore(nodeFileSystem, directory).put(new Uint8Array(100));
  return store;
}

/** Flips a bit in the middle of a file. */
function damage(path: string, at?: number): void {
  const bytes = readFileSync(path);
  bytes[at ?? bytes.length >> 1]! ^= 0x10;
  writeFileSync(path, bytes);
}

test('a sound store has no problems, and every part of it was looked at', async (t) => {
  await using store = await filled(newDirectory(t));
  const steps: VerifyProgress[] = [];
  const { ok, problems, checked } = await store.verify({ onProgress: (progress) => steps.push(progress) });
  assert.deepEqual(problems, []);
  assert.equal(ok, true);
  assert.equal(checked.rows, 1000);
  assert.equal(checked.frames, 11);
  assert.equal(checked.blobs, 1);
  assert.deepEqual(new Set(steps.map(({ part }) => part)), new Set(['log', 'cold', 'blobs']));
});

test('a bit that flipped is found, in the log, in a file and in a blob, with the path', async (t) => {
  for (const pattern of ['log/*/*.log', 'cold/*/*/*/*.parquet', 'blobs/*/*/*']) {
    const directory = newDirectory(t);
    await using store = await filled(directory);
    const path = globSync(pattern, { cwd: directory }).sort()[0]!;
    // In the log, within the first frame: frames behind it say that it was whole once.
    damage(join(directory, path), pattern.startsWith('log') ? 200 : undefined);
    const { ok, problems } = await store.verify();
    assert.equal(ok, false, pattern);
    const text = problems.map((problem) => `${problem.path}: ${problem.message}`).join('\n');
    assert.ok(text.includes(path.startsWith('log') ? path.slice(4) : path), text);
  }
});

test('a file that is gone is found', async (t) => {
  const directory = newDirectory(t);
  await using store = await filled(directory);
  const path = globSync('cold/*/*/*/*.parquet', { cwd: directory })[0]!;
  rmSync(join(directory, path));
  const { problems } = await store.verify();
  assert.deepEqual(
    problems.map((problem) => problem.path),
    [path],
  );
});

test('verifying ends when asked to, and refuses options that are none', async (t) => {
  await using store = await filled(newDirectory(t));
  await assert.rejects(store.verify({ abortSignal: AbortSignal.abort() }), { name: 'AbortError' });
  await assert.rejects(store.verify({ deep: true } as object), /verify: deep is no field of options/);
});

test('a store that is compacted and written to meanwhile is sound', async (t) => {
  await using store = await filled(newDirectory(t));
  const [{ problems }] = await Promise.all([
    store.verify(),
    store.compact(),
    store.insertSpans([span({ spanId: id(90_000) })]),
  ]);
  assert.deepEqual(problems, []);
});
