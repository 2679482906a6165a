import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { encodeTraces } from '@tracewell/otlp';
import { nodeFileSystem } from '../../../packages/store/src/fs/node-file-system.ts';
import { openLog } from '../../../packages/store/src/log/log.ts';
import { FrameKind, type Log } from '../../../packages/store/src/log/types.ts';
import { ParquetFile } from '../../../packages/store/src/parquet/file.ts';
import { HotFiles } from '../../../packages/store/src/sql/hot-files.ts';
import type { HotSegment } from '../../../packages/store/src/sql/hot-segment.ts';
import { sqlSnapshot } from '../../../packages/store/src/sql/snapshot.ts';
import { ROW_FILES } from '../../../packages/store/src/sql/tables.ts';
import { newDirectory } from '../engine/directory.ts';
import { id, span } from '../query/spans.ts';

const SPANS = [...ROW_FILES].find(({ signal }) => signal === 'spans')!;
const WANTED = (): boolean => true;

/** A log that spans are appended to, and a place for files. */
async function newLog(t: TestContext): Promise<{
  append: (count: number) => Promise<void>;
  segments: () => readonly HotSegment[];
  files: string;
}> {
  const directory = newDirectory(t);
  const ignore = { addFrame: () => {}, load: () => false, save: () => undefined, remove: () => {} };
  const log: Log = await openLog(directory, ignore, { durability: 'none', segmentBytes: 256 * 1024 });
  t.after(() => log.close());
  let last = 0;
  return {
    async append(count) {
      const spans = Array.from({ length: count }, () => span({ spanId: id(++last) }));
      await log.append(FrameKind.TRACES, encodeTraces(spans));
    },
    segments: () => {
      const none = (): [] => [];
      return sqlSnapshot(directory, { segments: () => log.segments(), cold: none, readable: none }).hot;
    },
    files: join(newDirectory(t), 'files'),
  };
}

function rowsIn(paths: readonly string[]): number {
  let rows = 0;
  for (const path of paths) {
    const file = nodeFileSystem.openSync(path, 'read');
    rows += ParquetFile.open(file, path).rows;
    file.closeSync();
  }
  return rows;
}

describe('the files of what is hot', () => {
  test('have every row once, are few, and grow with what comes', async (t) => {
    const { append, segments, files } = await newLog(t);
    const hot = new HotFiles(files);
    let written = 0;
    const known = new Set<string>();
    for (let step = 1; step <= 100; step++) {
      await append(10);
      const held = await hot.files(SPANS, segments(), WANTED);
      assert.equal(rowsIn(held.paths), step * 10);
      assert.ok(held.paths.length <= 8, `${held.paths.length} files after ${step} steps`);
      for (const path of held.paths) {
        if (known.has(path)) continue;
        known.add(path);
        written += rowsIn([path]);
      }
      held.release();
    }
    // Each row again and again, but not with every step.
    assert.ok(written < 1000 * 12, `${written} rows were written`);
    assert.ok(segments().length > 0);
  });

  test('are not written again when nothing has come, nor by the next process', async (t) => {
    const { append, segments, files } = await newLog(t);
    const hot = new HotFiles(files);
    for (let step = 0; step < 20; step++) {
      await append(100);
      (await hot.files(SPANS, segments(), WANTED)).release();
    }
    const state = (): string =>
      readdirSync(files)
        .map((name) => `${name} ${statSync(join(files, name)).mtimeMs}`)
        .sort()
        .join();
    const before = state();
    const { paths } = await hot.files(SPANS, segments(), WANTED);
    assert.equal(state(), before);
    // What a killed process had not finished.
    const [{ id: segmentId }] = segments() as [HotSegment];
    for (const name of [`${segmentId}-spans-0-999.parquet`, `${segmentId}-spans-0-998.tmp`]) {
      writeFileSync(join(files, name), 'half');
    }
    const next = new HotFiles(files);
    assert.equal(state(), before);
    assert.deepEqual((await next.files(SPANS, segments(), WANTED)).paths, paths);
    assert.equal(state(), before);
  });

  test('stay while a query holds them', async (t) => {
    const { append, segments, files } = await newLog(t);
    const hot = new HotFiles(files);
    await append(10);
    const held = await hot.files(SPANS, segments(), WANTED);
    const [path] = held.paths as [string];
    await append(10);
    const after = await hot.files(SPANS, segments(), WANTED);
    assert.ok(!after.paths.includes(path));
    assert.equal(rowsIn(held.paths), 10);
    held.release();
    assert.ok(!existsSync(path));
    hot.retain([]);
    assert.deepEqual((await hot.files(SPANS, [], WANTED)).paths, []);
    assert.equal(rowsIn(after.paths), 20);
    after.release();
    assert.deepEqual(readdirSync(files), []);
  });

  test('are made again when somebody has removed them', async (t) => {
    const { append, segments, files } = await newLog(t);
    const hot = new HotFiles(files);
    await append(10);
    const { paths, forgetLost } = await hot.files(SPANS, segments(), WANTED);
    assert.equal(forgetLost(), false);
    rmSync(paths[0]!);
    assert.equal(forgetLost(), true);
    assert.equal(rowsIn((await hot.files(SPANS, segments(), WANTED)).paths), 10);
  });

  test('keep what is done when nobody wants them any more', async (t) => {
    const { append, segments, files } = await newLog(t);
    const hot = new HotFiles(files);
    while (segments().length < 4) await append(100);
    let asked = 0;
    await assert.rejects(hot.files(SPANS, segments(), () => ++asked <= 2));
    assert.equal(readdirSync(files).filter((name) => name.endsWith('.done')).length, 2);
    const { paths } = await hot.files(SPANS, segments(), WANTED);
    assert.equal(paths.length, segments().length);
  });
});
