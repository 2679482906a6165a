import assert from 'node:assert/strict';
import { existsSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type SpanData, StatusCode } from '@tracewell/plugin';
import { openStore, type TraceQuery, type TraceStore } from '@tracewell/store';
import fc from 'fast-check';
import { newDirectory } from '../engine/directory.ts';
import { id, span } from '../query/spans.ts';

/** A span with an exception. */
function failing(
  number: number,
  message: string,
  fields: Partial<SpanData> & { service?: string } = {},
): SpanData {
  return span({
    spanId: id(number),
    traceId: id(Math.ceil(number / 3)).padStart(32, '0'),
    startTimeUnixNanos: 1_000_000_000n + BigInt(number) * 1_000_000n,
    events: [
      {
        name: 'exception',
        timeUnixNanos: 1n,
        attributes: { 'exception.message': message, 'exception.type': 'Error' },
        droppedAttributesCount: 0,
      },
    ],
    ...fields,
  });
}

/** The numbers of the spans that a query finds. */
async function find(store: TraceStore, text: string, more: TraceQuery = {}): Promise<number[]> {
  const { spans } = await store.queryTraces({ text, ...more });
  return spans.map(({ spanId }) => Number.parseInt(spanId, 16));
}

test('spans are found by the words of their exceptions, statements, URLs and prompts, newest first', async (t) => {
  await using store = await openStore(newDirectory(t));
  await store.insertSpans([
    failing(1, 'Connection refused by 10.0.0.1'),
    failing(2, 'Timeout waiting for a connection from the pool'),
    span({ spanId: id(3), attributes: { 'db.query.text': 'SELECT * FROM orders WHERE user_id = $1' } }),
    span({ spanId: id(4), attributes: { 'url.full': 'https://shop.example/cart/checkout?step=2' } }),
    span({ spanId: id(5), attributes: { 'gen_ai.prompt.0.content': 'Write a haiku about connections' } }),
    span({ spanId: id(6), status: { code: StatusCode.ERROR, message: 'card declined' } }),
    span({ spanId: id(7), attributes: { 'http.route': 'connection' } }),
  ]);
  assert.deepEqual(await find(store, 'connection'), [2, 1]);
  assert.deepEqual(await find(store, 'connection*'), [2, 1, 5]);
  assert.deepEqual(await find(store, '"connection refused"'), [1]);
  assert.deepEqual(await find(store, 'connection NOT refused'), [2]);
  assert.deepEqual(await find(store, 'user_id orders'), [3]);
  assert.deepEqual(await find(store, 'checkout'), [4]);
  assert.deepEqual(await find(store, 'haiku'), [5]);
  assert.deepEqual(await find(store, 'declined OR checkout'), [6, 4]);
  assert.deepEqual(await find(store, 'nowhere'), []);
});

test('a page tells where each span matched, and the next page goes on behind it', async (t) => {
  await using store = await openStore(newDirectory(t));
  await store.insertSpans(Array.from({ length: 25 }, (_, i) => failing(i + 1, `boom number ${i + 1}`)));
  const all: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.queryTraces({
      text: 'boom',
      limit: 10,
      ...(cursor !== undefined && { cursor }),
    });
    for (const [index, { spanId }] of page.spans.entries()) {
      const number = Number.parseInt(spanId, 16);
      all.push(number);
      const { field, snippet, highlights } = page.matches![index]!;
      assert.equal(field, 'exception.message');
      assert.equal(snippet, `boom number ${number}`);
      assert.deepEqual(highlights, [[0, 4]]);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  assert.deepEqual(
    all,
    Array.from({ length: 25 }, (_, i) => 25 - i),
  );
});

test('a text goes with the other filters', async (t) => {
  await using store = await openStore(newDirectory(t));
  await store.insertSpans([
    failing(1, 'boom', { service: 'pay' }),
    failing(2, 'boom', { service: 'shop', status: { code: StatusCode.ERROR, message: '' } }),
    failing(3, 'boom', { service: 'shop' }),
    failing(4, 'boom', { service: 'shop', name: 'other' }),
  ]);
  assert.deepEqual(await find(store, 'boom', { service: 'pay' }), [1]);
  assert.deepEqual(await find(store, 'boom', { service: 'nobody' }), []);
  assert.deepEqual(await find(store, 'boom', { status: StatusCode.ERROR }), [2]);
  assert.deepEqual(await find(store, 'boom', { operation: 'other' }), [4]);
  assert.deepEqual(await find(store, 'boom', { startTime: 1_003_000_000n }), [4, 3]);
  assert.deepEqual(await find(store, 'boom', { endTime: 1_002_000_000n }), [1]);
});

test('by relevance, the best match comes first', async (t) => {
  await using store = await openStore(newDirectory(t));
  await store.insertSpans([
    failing(1, 'timeout timeout timeout'),
    failing(2, `timeout ${'and many other words '.repeat(30)}`),
    ...Array.from({ length: 20 }, (_, i) => failing(i + 3, 'all is well')),
  ]);
  assert.deepEqual(await find(store, 'timeout', { order: 'relevance' }), [1, 2]);
  assert.deepEqual(await find(store, 'timeout', { order: 'relevance', limit: 1 }), [1]);
  assert.deepEqual(await find(store, 'timeout'), [2, 1]);
  await assert.rejects(store.queryTraces({ order: 'relevance' }), /needs a text/);
  await assert.rejects(store.queryTraces({ text: 'a', order: 'best' as never }), /order must be/);
});

test('F49 bad syntax is an error of the query, with its position', async (t) => {
  await using store = await openStore(newDirectory(t));
  await assert.rejects(store.queryTraces({ text: 'a OR' }), { code: 'TW_SEARCH_SYNTAX', position: 4 });
  await assert.rejects(store.queryTraces({ text: 5 as never }), /text must be a string, got 5/);
});

test('a span that is stored twice is found once, and one that is finished later with its last text', async (t) => {
  await using store = await openStore(newDirectory(t));
  const unfinished = failing(1, 'first', { attributes: { 'tracewell.unfinished': true } });
  await store.insertSpans([unfinished]);
  // Indexed before its copies come, which want the same row.
  assert.deepEqual(await find(store, 'first'), [1]);
  await store.insertSpans([failing(1, 'first second')]);
  await store.insertSpans([failing(1, 'first second')]);
  assert.deepEqual(await find(store, 'first'), [1]);
  assert.deepEqual(await find(store, 'second'), [1]);
});

test('what another process stores is found, by one that only reads too', async (t) => {
  const directory = newDirectory(t);
  await using one = await openStore(directory);
  await using two = await openStore(directory);
  await using reader = await openStore(directory, { readOnly: true });
  await one.insertSpans([failing(1, 'from one')]);
  assert.deepEqual(await find(one, 'from'), [1]);
  await two.insertSpans([failing(2, 'from two')]);
  assert.deepEqual(await find(two, 'from'), [2, 1]);
  assert.deepEqual(await find(one, 'from'), [2, 1]);
  assert.deepEqual(await find(reader, 'from'), [2, 1]);
});

test('the index is kept: it goes on where it was', async (t) => {
  const directory = newDirectory(t);
  for (let round = 1; round <= 3; round++) {
    await using store = await openStore(directory);
    await store.insertSpans([failing(round, 'boom')]);
    assert.deepEqual(
      await find(store, 'boom'),
      Array.from({ length: round }, (_, i) => round - i),
    );
    const tail = (await store.health()).tails.find(({ name }) => name === 'search');
    assert.equal(tail?.lagBytes, 0);
  }
});

for (const [what, harm] of [
  ['deleted', (path: string) => rmSync(path)],
  ['overwritten', (path: string) => writeFileSync(path, 'no database at all '.repeat(1000))],
  ['cut', (path: string) => truncateSync(path, 5000)],
] as const) {
  test(`F30 an index that was ${what} is built anew, and nobody else notices`, async (t) => {
    const directory = newDirectory(t);
    {
      await using store = await openStore(directory);
      await store.insertSpans(Array.from({ length: 50 }, (_, i) => failing(i + 1, `boom ${i}`)));
      assert.equal((await find(store, 'boom')).length, 50);
    }
    for (const side of ['-wal', '-shm']) rmSync(join(directory, `search.db${side}`), { force: true });
    harm(join(directory, 'search.db'));
    await using store = await openStore(directory);
    await store.insertSpans([failing(51, 'boom')]);
    assert.equal((await find(store, 'boom')).length, 51);
    assert.equal((await store.queryTraces({})).spans.length, 51);
    assert.equal((await store.health()).status, 'ok');
  });
}

test('F30 an index that is deleted while it is open is built anew', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory);
  await store.insertSpans([failing(1, 'boom')]);
  assert.deepEqual(await find(store, 'boom'), [1]);
  for (const side of ['', '-wal', '-shm']) rmSync(join(directory, `search.db${side}`), { force: true });
  await store.insertSpans([failing(2, 'boom')]);
  assert.deepEqual(await find(store, 'boom'), [2, 1]);
  assert.ok(existsSync(join(directory, 'search.db')));
});

test('what is searched can be chosen; another choice builds the index anew', async (t) => {
  const directory = newDirectory(t);
  const spans = [span({ attributes: { 'app.note': 'hello', 'url.full': 'http://world' } })];
  {
    await using store = await openStore(directory);
    await store.insertSpans(spans);
    assert.equal((await find(store, 'hello')).length, 0);
    assert.equal((await find(store, 'world')).length, 1);
  }
  await using store = await openStore(directory, { search: { attributes: ['app.*'] } });
  assert.equal((await find(store, 'hello')).length, 1);
  assert.equal((await find(store, 'world')).length, 0);
  await assert.rejects(
    openStore(directory, { search: { attributes: 'x' as never } }),
    /search.attributes must be/,
  );
  await assert.rejects(openStore(directory, { search: { nope: 1 } as never }), /nope is no field of search/);
});

test('random spans and searches: what is found is what matches, in the order of all queries, page by page', async (t) => {
  const words = ['alpha', 'beta', 'Gamma', 'delta', 'gàmma', 'al'];
  const text = fc
    .array(fc.constantFrom(...words), { minLength: 1, maxLength: 5 })
    .map((some) => some.join(' '));
  const arbitrarySpan = fc
    .record({
      text,
      number: fc.integer({ min: 1, max: 40 }),
      start: fc.integer({ min: 0, max: 3 }),
      service: fc.constantFrom('a', 'b'),
    })
    .map(({ text, number, start, service }) =>
      failing(number, text, {
        startTimeUnixNanos: BigInt(start),
        endTimeUnixNanos: BigInt(start + 1),
        service,
      }),
    );
  const search = fc.constantFrom(
    'alpha',
    'al*',
    '"alpha beta"',
    'alpha NOT beta',
    'gamma OR delta',
    '(alpha OR beta) NOT gamma',
  );
  const means: Record<string, (text: string) => boolean> = {
    alpha: (some) => /\balpha\b/.test(some),
    'al*': (some) => /\bal/.test(some),
    '"alpha beta"': (some) => /\balpha beta\b/.test(some),
    'alpha NOT beta': (some) => /\balpha\b/.test(some) && !/\bbeta\b/.test(some),
    'gamma OR delta': (some) => /gamma|delta/.test(some),
    '(alpha OR beta) NOT gamma': (some) => /\balpha\b|\bbeta\b/.test(some) && !/gamma/.test(some),
  };
  const asked = fc.record({
    search,
    limit: fc.integer({ min: 1, max: 5 }),
    service: fc.constantFrom('a', undefined),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(arbitrarySpan, { maxLength: 8 }), { maxLength: 4 }),
      fc.array(asked, { maxLength: 4 }),
      async (batches, queries) => {
        const directory = newDirectory(t);
        await using store = await openStore(directory);
        for (const batch of batches) await store.insertSpans(batch);
        const { spans } = await store.queryTraces({ limit: 1000 });
        for (const { search, limit, service } of queries) {
          const expected = spans.filter(({ events, resource }) => {
            const some = String(events[0]!.attributes['exception.message'])
              .toLowerCase()
              .replaceAll('à', 'a');
            return (
              means[search]!(some) &&
              (service === undefined || resource.attributes['service.name'] === service)
            );
          });
          const found: SpanData[] = [];
          let cursor: string | undefined;
          do {
            const page: Awaited<ReturnType<TraceStore['queryTraces']>> = await store.queryTraces({
              text: search,
              limit,
              service,
              cursor,
            });
            found.push(...page.spans);
            cursor = page.cursor;
          } while (cursor !== undefined);
          assert.deepEqual(found.map(keyOf), expected.map(keyOf), search);
        }
      },
    ),
    { numRuns: 15 },
  );
});

function keyOf({ traceId, spanId, startTimeUnixNanos }: SpanData): string {
  return `${traceId} ${spanId} ${startTimeUnixNanos}`;
}
