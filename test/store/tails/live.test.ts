import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LogData, SeverityNumber } from '@tracewell/otlp';
import { type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import { type LiveTail, openStore, type TraceStore } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { id, resourceOf, span } from '../query/spans.ts';

async function insert(store: TraceStore, ...numbers: number[]): Promise<void> {
  for (const number of numbers) await store.insertSpans([span({ spanId: id(number) })]);
}

/** The next so many spans, as numbers. */
async function take(live: LiveTail<SpanData>, count: number): Promise<number[]> {
  const got: number[] = [];
  while (got.length < count) {
    const { value, done } = await live.next();
    if (done) break;
    got.push(Number.parseInt(value.spanId, 16));
  }
  return got;
}

test('a live tail gives what comes in from now on, from every process', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory);
  await using other = await openStore(directory);
  await insert(store, 1);
  await insert(other, 2);
  const live = store.tailTraces();
  const first = live.next();
  await insert(store, 3);
  assert.equal((await first).value?.spanId, id(3));
  await insert(other, 4);
  assert.deepEqual(await take(live, 1), [4]);
  await using third = await openStore(directory);
  await insert(third, 5, 6);
  assert.deepEqual(await take(live, 2), [5, 6]);
  assert.equal(live.dropped, 0);
});

test('the first spans of a new store are seen', async (t) => {
  await using store = await openStore(newDirectory(t));
  const live = store.tailTraces();
  await insert(store, 1);
  assert.deepEqual(await take(live, 1), [1]);
});

test('a live tail gives only what matches its filter', async (t) => {
  await using store = await openStore(newDirectory(t));
  const live = store.tailTraces({
    service: 'pay',
    operation: 'charge',
    status: StatusCode.ERROR,
    kind: SpanKind.CLIENT,
    minDurationMs: 2,
    maxDurationMs: 20,
    attributes: { tenant: 'a' },
  });
  const match = {
    service: 'pay',
    name: 'charge',
    status: { code: StatusCode.ERROR, message: '' },
    kind: SpanKind.CLIENT,
    attributes: { tenant: 'a' },
  };
  await store.insertSpans([
    span({ ...match, spanId: id(1), service: 'shop' }),
    span({ ...match, spanId: id(2), name: 'refund' }),
    span({ ...match, spanId: id(3), status: { code: StatusCode.OK, message: '' } }),
    span({ ...match, spanId: id(4), kind: SpanKind.SERVER }),
    span({ ...match, spanId: id(5), endTimeUnixNanos: 1_001_000_000n }),
    span({ ...match, spanId: id(6), endTimeUnixNanos: 2_000_000_000n }),
    span({ ...match, spanId: id(7), attributes: { tenant: 'b' } }),
    span({ ...match, spanId: id(8) }),
  ]);
  assert.deepEqual(await take(live, 1), [8]);
});

test('a reader that is too slow goes on at the end, and is told how many it passed over', async (t) => {
  await using store = await openStore(newDirectory(t));
  const live = store.tailTraces({}, { maxLagBytes: 2000 });
  const first = live.next();
  await insert(store, 1);
  await first;
  await insert(store, ...Array.from({ length: 100 }, (_, i) => i + 2));
  const next = live.next();
  await sleep(20);
  await insert(store, 1000);
  assert.equal((await next).value?.spanId, id(1000));
  assert.equal(live.dropped, 100);
});

test('a live tail ends with break, return, its signal and the store', async (t) => {
  const store = await openStore(newDirectory(t));
  await insert(store, 1);
  for (const end of ['break', 'return', 'signal', 'aborted', 'close'] as const) {
    const controller = new AbortController();
    if (end === 'aborted') controller.abort();
    const live = store.tailTraces({}, { signal: controller.signal });
    if (end === 'break') {
      setImmediate(() => void insert(store, 2));
      for await (const { spanId } of live) {
        assert.equal(spanId, id(2));
        break;
      }
    } else {
      const waiting = live.next();
      setTimeout(() => {
        if (end === 'return') void live.return();
        if (end === 'signal') controller.abort();
        if (end === 'close') void store.close();
      }, 10);
      assert.deepEqual(await waiting, { done: true, value: undefined });
    }
    assert.deepEqual(await live.next(), { done: true, value: undefined });
  }
  assert.throws(() => store.tailTraces(), { code: 'TW_STORE_CLOSED' });
});

test('a store that only reads has live tails too', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory);
  await using reader = await openStore(directory, { readOnly: true });
  const live = reader.tailTraces();
  const next = live.next();
  await sleep(5);
  await insert(store, 1);
  assert.equal((await next).value?.spanId, id(1));
});

test('log records have live tails too, with filters of their own', async (t) => {
  await using store = await openStore(newDirectory(t));
  const live = store.tailLogs({ service: 'shop', minSeverity: SeverityNumber.ERROR, contains: 'boom' });
  const record: LogData = {
    timeUnixNanos: 1n,
    observedTimeUnixNanos: 0n,
    severityNumber: SeverityNumber.ERROR,
    severityText: '',
    body: 'a boom',
    attributes: {},
    droppedAttributesCount: 0,
    flags: 0,
    traceId: '',
    spanId: '',
    eventName: '',
    resource: resourceOf('shop'),
    scope: { name: '', version: '', attributes: {}, droppedAttributesCount: 0, schemaUrl: '' },
  };
  await insert(store, 1);
  await store.insertLogs([
    { ...record, resource: resourceOf('pay') },
    { ...record, severityNumber: SeverityNumber.WARN },
    { ...record, body: 'quiet' },
    { ...record, body: 'the boom' },
  ]);
  assert.equal((await live.next()).value?.body, 'the boom');
  assert.throws(() => store.tailLogs({ text: 'x' } as never), /text is no field of filter/);
});

test('wrong arguments are named', async (t) => {
  await using store = await openStore(newDirectory(t));
  assert.throws(() => store.tailTraces({ limit: 1 } as never), /limit is no field of filter/);
  assert.throws(() => store.tailTraces({ service: 1 } as never), /service must be a string, got 1/);
  assert.throws(() => store.tailTraces({}, { maxLagBytes: -1 }), /maxLagBytes must be a whole number/);
  assert.throws(() => store.tailTraces({}, { signal: 1 as never }), /signal must be an AbortSignal, got 1/);
});
