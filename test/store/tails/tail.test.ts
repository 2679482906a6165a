import assert from 'node:assert/strict';
import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeTraces } from '@tracewell/otlp';
import { ExportError, TracewellError } from '@tracewell/plugin';
import { type FrameHandler, openStore, type TraceStore } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { id, span } from '../query/spans.ts';
import { reframe } from './reframe.ts';

/** Inserts one span whose id is the number. */
async function insert(store: TraceStore, ...numbers: number[]): Promise<void> {
  for (const number of numbers) await store.insertSpans([span({ spanId: id(number) })]);
}

/** A handler, and the numbers of the spans that it got. */
function collector(): { got: number[]; take: FrameHandler } {
  const got: number[] = [];
  const take: FrameHandler = async (frames) => {
    for (const { content, payload } of frames) {
      if (content !== 'traces') continue;
      for (const { spanId } of decodeTraces(payload)) got.push(Number.parseInt(spanId, 16));
    }
  };
  return { got, take };
}

test('a tail gets what is there and what comes in, each frame once, in order', async (t) => {
  await using store = await openStore(newDirectory(t));
  await insert(store, 1, 2);
  const { got, take } = collector();
  await using tail = store.follow('one', take);
  await tail.flush();
  await insert(store, 3);
  await insert(store, 4);
  await tail.flush();
  assert.deepEqual(got, [1, 2, 3, 4]);
  assert.equal(tail.health()?.state, 'running');
  assert.equal(tail.health()?.lagBytes, 0);
});

test('a tail goes on where it was after its store was closed, also across segments', async (t) => {
  const directory = newDirectory(t);
  const { got, take } = collector();
  for (let round = 0; round < 5; round++) {
    await using store = await openStore(directory, { segmentBytes: 64 * 1024 });
    await using tail = store.follow('one', take);
    for (let n = 1; n <= 300; n++) await insert(store, round * 300 + n);
    await tail.flush();
  }
  assert.ok(readdirSync(join(directory, 'log', readdirSync(join(directory, 'log'))[0]!)).length > 4);
  assert.deepEqual(
    got,
    Array.from({ length: 1500 }, (_, i) => i + 1),
  );
});

test('a tail that begins now leaves out what was there, once; what came while nobody ran it comes later', async (t) => {
  const directory = newDirectory(t);
  const { got, take } = collector();
  {
    await using store = await openStore(directory);
    await insert(store, 1, 2);
    await using tail = store.follow('late', take, { from: 'now' });
    await tail.flush();
    await insert(store, 3);
    await tail.flush();
  }
  {
    await using store = await openStore(directory);
    await insert(store, 4);
  }
  await using store = await openStore(directory);
  await using tail = store.follow('late', take, { from: 'now' });
  await tail.flush();
  assert.deepEqual(got, [3, 4]);
});

test('a step that fails comes again, the same frames, and a flush tells why', async (t) => {
  await using store = await openStore(newDirectory(t));
  await insert(store, 1, 2);
  const { got, take } = collector();
  const sizes: number[] = [];
  const errors: unknown[] = [];
  let failures = 3;
  await using tail = store.follow(
    'one',
    async (frames, signal) => {
      sizes.push(frames.length);
      if (failures-- > 0) throw new Error('down');
      await take(frames, signal);
    },
    { initialDelayMs: 1, maxDelayMs: 2, onError: (error) => errors.push(error) },
  );
  await assert.rejects(tail.flush(), /down/);
  assert.match(String(tail.health()?.lastError), /down/);
  while (failures >= 0) await tail.flush().catch(() => {});
  await tail.flush();
  assert.deepEqual(got, [1, 2]);
  assert.deepEqual(sizes, [2, 2, 2, 2]);
  assert.equal(errors.length, 3);
  assert.equal(tail.health()?.lastError, undefined);
});

test('a flush does not break in on the time for which the other side asked to wait', async (t) => {
  await using store = await openStore(newDirectory(t));
  await insert(store, 1);
  let attempts = 0;
  await using tail = store.follow('one', async () => {
    attempts++;
    throw new ExportError('busy', { retryable: true, retryAfterMs: 60_000 });
  });
  await assert.rejects(tail.flush(), /busy/);
  await assert.rejects(tail.flush(), /busy/);
  assert.equal(attempts, 1);
});

test('of two stores that run a tail of one name one delivers, and the other takes over', async (t) => {
  const directory = newDirectory(t);
  const first = await openStore(directory);
  await using second = await openStore(directory);
  const a = collector();
  const b = collector();
  const tailOfFirst = first.follow('one', a.take);
  await insert(first, 1);
  await tailOfFirst.flush();
  await using tailOfSecond = second.follow('one', b.take);
  await insert(second, 2);
  // Delivered by the first, and so the second's flush resolves too.
  await tailOfSecond.flush();
  assert.deepEqual(a.got, [1, 2]);
  assert.equal(tailOfSecond.health()?.state, 'elsewhere');
  await first.close();
  await insert(second, 3);
  await tailOfSecond.flush();
  assert.deepEqual(b.got, [3]);
});

test('closing the store aborts what a tail has under way, and it is delivered again', async (t) => {
  const directory = newDirectory(t);
  {
    await using store = await openStore(directory);
    await insert(store, 1);
    const { promise, resolve } = Promise.withResolvers<void>();
    store.follow('one', (_, signal) => {
      resolve();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    await promise;
  }
  await using store = await openStore(directory);
  const { got, take } = collector();
  await using tail = store.follow('one', take);
  await tail.flush();
  assert.deepEqual(got, [1]);
});

test('positions that cannot be read are set aside, and everything is delivered again', async (t) => {
  const directory = newDirectory(t);
  const { got, take } = collector();
  {
    await using store = await openStore(directory);
    await insert(store, 1);
    await using tail = store.follow('one', take);
    await tail.flush();
  }
  const path = join(directory, 'tails', 'positions.db');
  for (const side of ['-wal', '-shm']) {
    try {
      unlinkSync(path + side);
    } catch {
      // Gone with the close.
    }
  }
  writeFileSync(path, 'this is no database, and long enough to be looked at as one '.repeat(100));
  await using store = await openStore(directory);
  await using tail = store.follow('one', take, { from: 'now' });
  await tail.flush();
  assert.deepEqual(got, [1, 1]);
  assert.ok(readdirSync(join(directory, 'tails')).some((name) => name.endsWith('.damaged')));
});

test('a position behind the end of a log that a power cut took back is not believed', async (t) => {
  const directory = newDirectory(t);
  const { got, take } = collector();
  {
    await using store = await openStore(directory);
    await insert(store, 1, 2, 3);
    await using tail = store.follow('one', take);
    await tail.flush();
  }
  // The log as it might be afterwards: shorter, with other frames where the lost ones were.
  const other = newDirectory(t);
  {
    await using store = await openStore(other);
    await insert(store, 1, 4, 5, 6, 7);
  }
  const [writer] = readdirSync(join(directory, 'log'));
  const [otherWriter] = readdirSync(join(other, 'log'));
  const path = join(directory, 'log', writer!, '0000000001.log');
  const bytes = readFileSync(join(other, 'log', otherWriter!, '0000000001.log'));
  writeFileSync(path, reframe(bytes, readFileSync(path)));
  await using store = await openStore(directory);
  await using tail = store.follow('one', take);
  await tail.flush();
  assert.deepEqual(got, [1, 2, 3, 1, 4, 5, 6, 7]);
});

test('health tells of all tails of the directory, and a removed one is gone', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory);
  await insert(store, 1);
  assert.deepEqual((await store.health()).tails, []);
  const { take } = collector();
  await using tail = store.follow('one', take);
  await tail.flush();
  await tail.stop();
  await insert(store, 2);
  const [health] = (await store.health()).tails;
  assert.equal(health?.state, 'stopped');
  assert.ok(health!.lagBytes > 100);
  assert.equal(health!.missedBytes, 0);
  assert.equal(health!.positions[0]?.segment, 1);
  {
    await using reader = await openStore(directory, { readOnly: true });
    assert.deepEqual((await reader.health()).tails, [health]);
    assert.throws(() => reader.follow('two', take), { code: 'TW_LOG_READ_ONLY' });
  }
  assert.equal(await store.removeTail('one'), true);
  assert.equal(await store.removeTail('one'), false);
  assert.deepEqual((await store.health()).tails, []);
});

test('wrong arguments are named', async (t) => {
  await using store = await openStore(newDirectory(t));
  const { take } = collector();
  assert.throws(() => store.follow('../x', take), RangeError);
  assert.throws(() => store.follow('UPPER', take), /must be 1 to 63 of a-z/);
  assert.throws(() => store.follow('x', 'no' as never), /handler must be a function, got "no"/);
  assert.throws(() => store.follow('x', take, { from: 'end' as never }), /from must be 'start' or 'now'/);
  assert.throws(() => store.follow('x', take, { retainBytes: -1 }), /retainBytes must be a whole number/);
  assert.throws(() => store.follow('x', take, { nope: 1 } as never), /nope is no field of options/);
  const tail = store.follow('x', take);
  assert.throws(() => store.follow('x', take), /runs in this store already/);
  await tail.stop();
  await assert.rejects(
    tail.flush(),
    (error) => error instanceof TracewellError && error.code === 'TW_TAIL_STOPPED',
  );
  await store.follow('x', take).stop();
});
