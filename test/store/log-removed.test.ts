/** A directory that is removed from outside while it is open: what every developer does between two tries. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import { encodeTraces } from '@tracewell/otlp';
import { openStore, type StoreOptions, type TraceStore } from '@tracewell/store';
import { id, span } from './query/spans.ts';

let parent: string;
let directory: string;
beforeEach((t) => {
  parent = mkdtempSync(join(tmpdir(), 'tracewell-removed-'));
  directory = join(parent, '.tracewell');
  const made = parent;
  (t as TestContext).after(() => rmSync(made, { recursive: true, force: true }));
});

function remove(): void {
  rmSync(directory, { recursive: true });
}

let spans = 0;
function insert(store: TraceStore): Promise<{ accepted: number }> {
  return store.insertSpans([span({ spanId: id(++spans) })]);
}

function insertSync(store: TraceStore): void {
  store.insertBatchSync({ bytes: encodeTraces([span({ spanId: id(++spans) })]), spanCount: 1 });
}

/** How many spans somebody finds who opens the directory now. */
async function found(): Promise<number> {
  await using reader = await openStore(directory, { readOnly: true });
  return (await reader.health()).signals.traces.count;
}

describe('a directory that is removed while a store has it open', () => {
  for (const durability of ['commit', 'interval', 'none'] as const) {
    it(`is made again for the next insert, with durability ${durability}`, async () => {
      await using store = await openStore(directory, { durability });
      await insert(store);
      remove();
      assert.equal((await insert(store)).accepted, 1);
      assert.equal(await found(), 1);
      await insert(store);
      assert.equal(await found(), 2);
      await store.flush();
      const { status, signals, log } = await store.health();
      assert.deepEqual(
        [status, signals.traces.count, log.status, log.removedLogs],
        ['degraded', 2, 'open', 1],
      );
    });
  }

  it('is made again for inserts that wait, in flight and at process exit', async () => {
    await using store = await openStore(directory);
    await insert(store);
    remove();
    const waiting = [insert(store), insert(store)];
    await Promise.resolve();
    waiting.push(insert(store));
    insertSync(store);
    assert.equal(await found(), 4);
    assert.deepEqual(await Promise.all(waiting), Array(3).fill({ accepted: 1, rejected: 0, reasons: [] }));
    remove();
    insertSync(store);
    assert.equal(await found(), 1);
  });

  it('is made again before the first insert, and time after time', async () => {
    await using store = await openStore(directory);
    for (let time = 0; time < 12; time++) {
      remove();
      await Promise.all([insert(store), insert(store)]);
      assert.equal(await found(), 2);
    }
  });

  it('is made again where only the segment was removed, or all was moved away', async () => {
    await using store = await openStore(directory);
    await insert(store);
    const log = join(directory, 'log', readdirSync(join(directory, 'log'))[0]!);
    rmSync(join(log, '0000000001.log'));
    await insert(store);
    assert.equal(await found(), 1);
    renameSync(directory, join(parent, 'moved'));
    await insert(store);
    assert.equal(await found(), 1);
  });

  it('is locked again, so that several writers go on side by side', async () => {
    await using one = await openStore(directory);
    await using two = await openStore(directory);
    await Promise.all([insert(one), insert(two)]);
    remove();
    await Promise.all([insert(one), insert(two)]);
    await using three = await openStore(directory);
    await insert(three);
    for (const store of [one, two, three]) assert.equal((await store.health()).signals.traces.count, 3);
    assert.equal((await three.health()).log.writers.filter(({ state }) => state === 'live').length, 2);
    assert.equal(await found(), 3);
  });

  it('answers no query from what was removed, and health tells; nothing is made for a query', async () => {
    const options: StoreOptions = { segmentBytes: 64 << 10 };
    await using writer = await openStore(directory, options);
    await using reader = await openStore(directory, { readOnly: true });
    for (let more = 0; more < 30; more++) {
      await writer.insertSpans([span({ spanId: id(++spans), attributes: { x: 'x'.repeat(20_000) } })]);
    }
    await using other = await openStore(directory, options);
    for (const store of [writer, reader, other])
      assert.equal((await store.health()).signals.traces.count, 30);
    remove();
    for (const store of [writer, reader, other]) {
      assert.deepEqual((await store.queryTraces()).spans, []);
      const health = await store.health();
      assert.deepEqual(
        [health.status, health.signals.traces.count, health.log.removedLogs],
        ['degraded', 0, 1],
      );
    }
    assert.ok(!existsSync(directory));
    await insert(writer);
    for (const store of [writer, reader, other]) assert.equal((await store.queryTraces()).spans.length, 1);
  });

  it('refuses inserts with a way out while it cannot be made again, and goes on once it can', async () => {
    await using store = await openStore(directory);
    await insert(store);
    remove();
    writeFileSync(directory, 'in the way');
    const removed = { code: 'TW_LOG_REMOVED', message: /was removed.*cannot be made again: .*put it back/ };
    await assert.rejects(insert(store), removed);
    await assert.rejects(insert(store), removed);
    assert.throws(() => insertSync(store), removed);
    const { status, log } = await store.health();
    assert.deepEqual([status, log.writeError?.message.includes('was removed')], ['refusing-writes', true]);
    rmSync(directory);
    await insert(store);
    assert.equal(await found(), 1);
    assert.equal((await store.health()).log.status, 'open');
  });

  it('makes no directory above it again', async () => {
    await using store = await openStore(directory);
    await insert(store);
    rmSync(parent, { recursive: true });
    await assert.rejects(insert(store), { code: 'TW_LOG_REMOVED' });
    assert.ok(!existsSync(parent));
    mkdirSync(parent);
    await insert(store);
    assert.equal(await found(), 1);
  });

  it('closes without a word', async () => {
    const store = await openStore(directory, { durability: 'interval' });
    await insert(store);
    remove();
    await store.close();
    assert.ok(!existsSync(directory));
  });
});
