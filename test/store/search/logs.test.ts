import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LogData, SeverityNumber } from '@tracewell/otlp';
import { type LogQuery, openStore, type TraceStore } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { resourceOf, span } from '../query/spans.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

/** A record at a time, in milliseconds, with a body. */
function record(
  ms: number,
  body: LogData['body'],
  fields: Partial<LogData> & { readonly service?: string } = {},
): LogData {
  const { service = 'shop', ...rest } = fields;
  return {
    timeUnixNanos: 1_000_000_000n + BigInt(ms) * 1_000_000n,
    observedTimeUnixNanos: 0n,
    severityNumber: SeverityNumber.INFO,
    severityText: '',
    body,
    attributes: {},
    droppedAttributesCount: 0,
    flags: 0,
    traceId: '',
    spanId: '',
    eventName: '',
    resource: resourceOf(service),
    scope: { name: '', version: '', attributes: {}, droppedAttributesCount: 0, schemaUrl: '' },
    ...rest,
  };
}

async function find(store: TraceStore, text: string, more: LogQuery = {}): Promise<unknown[]> {
  const { logs } = await store.queryLogs({ text, ...more });
  return logs.map(({ body }) => body);
}

async function opened(t: TestContext, ...logs: LogData[]): Promise<TraceStore> {
  const store = await openStore(newDirectory(t));
  t.after(() => store.close());
  await store.insertLogs(logs);
  return store;
}

test('log records are found by the words of their bodies and exceptions, newest first', async (t) => {
  const store = await opened(
    t,
    record(1, 'Payment failed: card declined'),
    record(2, 'payment took 30 ms', { traceId: TRACE, spanId: '00f067aa0ba902b7' }),
    record(3, { event: 'payment', reason: ['limit', 'reached'] }),
    record(4, 'all is well', { attributes: { 'exception.message': 'ECONNREFUSED by payment' } }),
    record(5, undefined),
    record(6, 7),
  );
  const found = await store.queryLogs({ text: 'payment NOT declined' });
  assert.deepEqual(
    found.logs.map(({ timeUnixNanos }) => (timeUnixNanos - 1_000_000_000n) / 1_000_000n),
    [4n, 3n, 2n],
  );
  assert.deepEqual(await find(store, '"card declined"'), ['Payment failed: card declined']);
  assert.deepEqual(await find(store, 'econn*'), ['all is well']);
  assert.deepEqual(await find(store, 'payment took', { traceId: TRACE }), ['payment took 30 ms']);
  assert.deepEqual(await find(store, 'payment', { traceId: 'f'.repeat(32) }), []);
  assert.deepEqual(await find(store, 'nowhere'), []);
  const page = await store.queryLogs({ text: 'econn*' });
  assert.deepEqual(page.matches, [
    { field: 'exception.message', snippet: 'ECONNREFUSED by payment', highlights: [[0, 12]] },
  ]);
});

test('pages of log records of the same nanosecond skip none and repeat none', async (t) => {
  const store = await opened(t);
  for (let n = 0; n < 12; n++)
    await store.insertLogs([record(n % 2, `line ${n}`), record(n % 2, `other ${n}`)]);
  const all: unknown[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.queryLogs({ text: 'line', limit: 5, ...(cursor !== undefined && { cursor }) });
    all.push(...page.logs.map(({ body }) => body));
    cursor = page.cursor;
  } while (cursor !== undefined);
  const { logs } = await store.queryLogs({ contains: 'line' });
  assert.deepEqual(
    all,
    logs.map(({ body }) => body),
  );
  assert.equal(all.length, 12);
});

test('a text goes with the other filters, and with relevance', async (t) => {
  const store = await opened(
    t,
    record(1, 'boom boom boom'),
    record(2, `boom ${'and more words '.repeat(20)}`, { severityNumber: SeverityNumber.ERROR }),
    record(3, 'boom elsewhere', { service: 'pay' }),
    ...Array.from({ length: 20 }, (_, n) => record(10 + n, 'nothing')),
  );
  assert.equal((await find(store, 'boom', { minSeverity: SeverityNumber.ERROR })).length, 1);
  assert.deepEqual(await find(store, 'boom', { service: 'pay' }), ['boom elsewhere']);
  assert.deepEqual(await find(store, 'boom', { contains: 'boom b' }), ['boom boom boom']);
  assert.deepEqual((await find(store, 'boom', { order: 'relevance' }))[0], 'boom boom boom');
  await assert.rejects(store.queryLogs({ text: '(' }), { code: 'TW_SEARCH_SYNTAX', position: 1 });
  await assert.rejects(store.queryLogs({ order: 'relevance' }), /queryLogs: order 'relevance' needs a text/);
});

test('spans and log records are found after they went to the cold tier, the same as before', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, { segmentBytes: 64 * 1024 });
  await store.insertLogs(
    Array.from({ length: 200 }, (_, n) => record(n, `line number ${n} ${'x'.repeat(300)}`)),
  );
  await store.insertSpans(
    Array.from({ length: 100 }, (_, n) =>
      span({
        spanId: (n + 1).toString(16).padStart(16, '0'),
        startTimeUnixNanos: 1_000_000_000n + BigInt(n),
        attributes: { 'db.query.text': `select ${n} from items`, pad: 'x'.repeat(300) },
      }),
    ),
  );
  const ask = async () => [
    await find(store, 'line NOT 7', { limit: 1000 }),
    (await store.queryTraces({ text: 'items 7*', limit: 1000 })).spans.map(({ spanId }) => spanId),
  ];
  const before = await ask();
  assert.equal(before[0]!.length, 199);
  assert.equal(before[1]!.length, 11);
  await store.compact();
  assert.ok((await store.health()).cold.rows.logs > 0);
  assert.deepEqual(await ask(), before);
});

test('F30 an index that is deleted is built anew from the cold tier too, and goes on after it was interrupted', async (t) => {
  const directory = newDirectory(t);
  {
    await using store = await openStore(directory, { segmentBytes: 64 * 1024 });
    await store.insertLogs(Array.from({ length: 300 }, (_, n) => record(n, `line ${n} ${'x'.repeat(200)}`)));
    await store.insertSpans(
      Array.from({ length: 300 }, (_, n) =>
        span({
          spanId: (n + 1).toString(16).padStart(16, '0'),
          attributes: { 'db.query.text': `select ${n}` },
        }),
      ),
    );
    await store.compact();
    await store.insertLogs([record(1000, 'line of the hot tier')]);
    assert.equal((await find(store, 'line', { limit: 1000 })).length, 301);
  }
  for (const side of ['', '-wal', '-shm']) rmSync(join(directory, `search.db${side}`), { force: true });
  // Closed at once, perhaps before it is whole.
  {
    await using store = await openStore(directory);
    await find(store, 'line');
  }
  await using store = await openStore(directory);
  while ((await store.queryLogs({ text: 'line' })).searchLag !== undefined) await sleep(10);
  assert.equal((await find(store, 'line', { limit: 1000 })).length, 301);
  assert.equal((await store.queryTraces({ text: 'select', limit: 1000 })).spans.length, 300);
});

test('what retention has dropped is forgotten', async (t) => {
  const directory = newDirectory(t);
  const now = BigInt(Date.now()) * 1_000_000n;
  const options = { maintenance: { scheduled: false, retention: { spans: { maxAgeMs: 86_400_000 } } } };
  const stored = (spanId: string, startTimeUnixNanos: bigint) =>
    span({
      spanId,
      startTimeUnixNanos,
      endTimeUnixNanos: startTimeUnixNanos + 1n,
      attributes: { 'db.query.text': 'select' },
    });
  {
    await using store = await openStore(directory, options);
    await store.insertSpans([stored('0000000000000001', now - 3n * 86_400_000_000_000n)]);
    await store.insertSpans([stored('0000000000000002', now)]);
    assert.equal((await store.queryTraces({ text: 'select' })).spans.length, 2);
    await store.compact();
    await store.maintain();
    assert.equal((await store.queryTraces({ text: 'select' })).spans.length, 1);
  }
  await using store = await openStore(directory, options);
  assert.equal((await store.queryTraces({ text: 'select' })).spans.length, 1);
  const database = new DatabaseSync(join(directory, 'search.db'), { readOnly: true });
  t.after(() => database.close());
  const counted = database.prepare(
    'SELECT (SELECT count(*) FROM records) + (SELECT count(*) FROM span_words) AS n',
  );
  while (counted.get()!.n !== 2) await sleep(10);
});
