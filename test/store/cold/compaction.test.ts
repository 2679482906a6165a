import assert from 'node:assert/strict';
import { globSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { StatusCode } from '@tracewell/plugin';
import { openStore, type TraceStore } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { id, span } from '../query/spans.ts';
import { answers, FAST, HOUR, NOON, same, spans, text } from './answers.ts';

test('what is compacted is found as before, by this store, another one, one that only reads, and after reopening', async (t) => {
  const directory = newDirectory(t);
  const store = await openStore(directory, FAST);
  await using other = await openStore(directory, FAST);
  await using reader = await openStore(directory, { readOnly: true });
  await store.insertSpans(spans(0, 200));
  await store.insertSpans(spans(200, 400, NOON + 5n * HOUR));
  const before = await answers(store);
  same(await answers(reader), before);
  const result = await store.compact();
  assert.ok(result.segments >= 1);
  assert.ok(result.files >= 2, `${result.files} files`);
  assert.equal(globSync(`${directory}/cold/spans/date=*/hour=*/*.parquet`).length, result.files);
  for (const one of [store, other, reader]) same(await answers(one), before);
  assert.equal((await store.health()).cold.rows.spans, 400);
  await store.close();
  await using again = await openStore(directory, FAST);
  same(await answers(again), before);
  assert.equal((await again.health()).status, 'ok');
  assert.deepEqual((await other.health()).log.removedLogs, 0);
});

test('logs, metrics and comments go cold with the spans, and are found as before', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, FAST);
  const time = NOON + 3n * HOUR;
  const traceId = id(7) + id(1);
  await store.insertSpans(spans(0, 5));
  const comment = await store.addComment({ traceId, author: 'ada', text: 'why?', time });
  const { resource, scope } = span({ service: 'shop' });
  const base = { flags: 0, droppedAttributesCount: 0, resource, scope };
  await store.insertLogs(
    Array.from({ length: 50 }, (_, number) => ({
      ...base,
      timeUnixNanos: time + BigInt(number),
      observedTimeUnixNanos: time,
      severityNumber: 9,
      severityText: 'INFO',
      body: `line ${number}`,
      attributes: { number },
      traceId,
      spanId: id(1),
      eventName: '',
    })),
  );
  await store.insertMetrics([
    {
      type: 'gauge',
      name: 'queue.length',
      description: '',
      unit: '1',
      metadata: {},
      points: Array.from({ length: 20 }, (_, number) => ({
        attributes: { queue: number % 2 === 0 ? 'a' : 'b' },
        startTimeUnixNanos: 0n,
        timeUnixNanos: time + BigInt(number) * 1_000_000n,
        flags: 0,
        value: number,
        exemplars: [],
      })),
      resource,
      scope,
    },
  ]);
  const ask = async (): Promise<Map<string, string>> =>
    new Map([
      ['logs', text(await allLogs(store))],
      ['filtered', text(await store.queryLogs({ service: 'shop', contains: 'line 7' }))],
      ['metrics', text(await store.queryMetrics({ name: 'queue.length' }))],
      ['comments', text(await store.getComments(traceId))],
      ['trace', text(await store.getTrace(traceId))],
      [
        'health',
        text(
          (({ signals, comments }) => [signals.logs.count, signals.metrics.count, comments])(
            await store.health(),
          ),
        ),
      ],
    ]);
  const before = await ask();
  assert.equal(before.get('health'), '[50,20,1]');
  assert.ok((await store.compact()).files >= 4);
  same(await ask(), before);
  assert.deepEqual((await store.health()).cold.rows, {
    spans: 5,
    logs: 50,
    metrics: 20,
    metrics_5m: 0,
    comments: 1,
  });
  // The same comment again, as after an acknowledgement that got lost.
  await store.addComment({ traceId, author: 'ada', text: 'why?', time, id: comment.id });
  assert.equal(text(await store.getComments(traceId)), before.get('comments'));
  await store.compact();
  same(await ask(), before);
});

async function allLogs(store: TraceStore): Promise<unknown[]> {
  const found: unknown[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.queryLogs({ limit: 7, ...(cursor !== undefined && { cursor }) });
    found.push(...page.logs);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

const DAMAGES = {
  'full of something else': (path: string) => writeFileSync(path, 'x'.repeat(20_000)),
  'cut in the middle': (path: string) => truncateSync(path, 6000),
  empty: (path: string) => truncateSync(path, 0),
  gone: (path: string) => rmSync(path),
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`F11 a meta.db that is ${what} is made again from the other files`, async (t) => {
    const directory = newDirectory(t);
    let expected: Map<string, string>;
    {
      await using store = await openStore(directory, FAST);
      await store.insertSpans(spans(0, 20));
      await store.compact();
      await store.insertSpans(spans(15, 30));
      expected = await answers(store);
    }
    for (const side of globSync(`${directory}/meta.db-*`)) rmSync(side);
    damage(`${directory}/meta.db`);
    {
      await using reader = await openStore(directory, { readOnly: true });
      same(await answers(reader), expected);
    }
    await using store = await openStore(directory, FAST);
    same(await answers(store), expected);
    await store.compact();
    same(await answers(store), expected);
    await using reader = await openStore(directory, { readOnly: true });
    same(await answers(reader), expected);
    assert.equal((await store.health()).cold.rows.spans, 30);
  });
}

test('small files of an hour become larger ones, and segments of many hours and odd times go where they belong', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, FAST);
  let merged = 0;
  for (let round = 0; round < 10; round++) {
    await store.insertSpans(spans(round * 5, round * 5 + 5));
    merged += (await store.compact()).merged;
  }
  assert.equal(merged, 8);
  assert.equal(globSync(`${directory}/cold/spans/**/*.parquet`).length, 3);
  const odd = [0n, 2n ** 63n - 1n, 2n ** 64n - 1n].map((startTimeUnixNanos, number) =>
    span({ traceId: id(9) + id(1), spanId: id(number + 1), startTimeUnixNanos, endTimeUnixNanos: 5n }),
  );
  await store.insertSpans(odd);
  const expected = await answers(store);
  await store.compact();
  same(await answers(store), expected);
  assert.deepEqual(globSync('cold/spans/*/*', { cwd: directory }).sort(), [
    'cold/spans/date=1970-01-01/hour=00',
    'cold/spans/date=2025-10-09/hour=09',
    'cold/spans/date=2262-04-11/hour=23',
    'cold/spans/date=2554-07-21/hour=23',
  ]);
});

test('a finished copy stands for an unfinished one in the other tier, also where only the unfinished one matches', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  const [one, two] = spans(0, 2).map((each) => ({
    finished: { ...each, status: { code: StatusCode.ERROR, message: 'no' } },
    unfinished: { ...each, attributes: { ...each.attributes, 'tracewell.unfinished': true } },
  }));
  await store.insertSpans([one!.unfinished, two!.finished]);
  await store.compact();
  await store.insertSpans([one!.finished, two!.unfinished]);
  for (const when of ['in two tiers', 'in one']) {
    assert.deepEqual((await store.queryTraces({ status: StatusCode.UNSET })).spans, [], when);
    assert.equal((await store.queryTraces({ status: StatusCode.ERROR })).spans.length, 2);
    assert.deepEqual(
      (await store.listServices()).map(({ spanCount, errorCount }) => [spanCount, errorCount]),
      [
        [1, 1],
        [1, 1],
      ],
      when,
    );
    assert.equal((await store.health()).signals.traces.count, 2);
    await store.compact();
  }
});

test('F11 a meta.db that is deleted while the store is open costs nothing, whatever is done next', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, {
    search: { index: false },
    maintenance: { scheduled: false },
  });
  const insert = (from: number, count: number): Promise<unknown> =>
    store.insertSpans(Array.from({ length: count }, (_, number) => span({ spanId: id(from + number + 1) })));
  const count = async (): Promise<number> => (await store.querySummary()).spanCount;
  await insert(0, 100);
  await store.compact();
  for (const [round, name] of ['meta.db', 'meta.db*'].entries()) {
    for (const file of globSync(`${directory}/${name}`)) rmSync(file);
    assert.equal(await count(), 100 + round);
    await insert(5000 + round, 1);
    await store.compact();
    assert.equal(await count(), 101 + round);
    await store.maintain();
    assert.equal(await count(), 101 + round);
  }
  assert.deepEqual((await store.verify()).problems, []);
});
