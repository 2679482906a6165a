import assert from 'node:assert/strict';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeTraces } from '@tracewell/otlp';
import { type SpanData, StatusCode, type TracewellError } from '@tracewell/plugin';
import { openStore, type Store, type StoreOptions, type TraceQuery, type TraceStore } from '@tracewell/store';
import fc from 'fast-check';
import { SpanIndex } from '../../../packages/store/src/hot/spans/span-index.ts';
import { allPages, arbitraryQuery, Oracle } from '../query/oracle.ts';
import { arbitrarySpan, id, span } from '../query/spans.ts';
import { newDirectory } from './directory.ts';

const FAST: StoreOptions = { durability: 'none', segmentBytes: 64 << 10 };

function find(store: Store, query: TraceQuery = {}): Promise<SpanData[]> {
  return allPages((page) => store.queryTraces(page), query);
}

function plain(spans: readonly SpanData[] | undefined): unknown {
  return JSON.parse(JSON.stringify(spans ?? [], (_, part) => (typeof part === 'bigint' ? `${part}n` : part)));
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      insert: fc.array(arbitrarySpan, { maxLength: 12 }),
      by: fc.nat(2),
      sync: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ reopen: fc.nat(2) }) },
);

test('several stores on one directory answer as a plain list of all spans would, also to one that only reads', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 12 }),
      fc.array(arbitraryQuery, { minLength: 1, maxLength: 4 }),
      async (steps, queries) => {
        const directory = newDirectory(t);
        const oracle = new Oracle();
        const stores = await Promise.all([0, 1, 2].map(() => openStore(directory, FAST)));
        try {
          for (const one of steps) {
            if ('insert' in one) {
              const store = stores[one.by]!;
              const bytes = encodeTraces(one.insert);
              if (one.sync) store.insertBatchSync({ bytes, spanCount: one.insert.length });
              else await store.insertSpans(one.insert);
              oracle.insert(one.insert);
            } else {
              await stores[one.reopen]!.close();
              stores[one.reopen] = await openStore(directory, FAST);
            }
          }
          const readers = [...stores, await openStore(directory, { readOnly: true })];
          stores.push(readers.at(-1)!);
          for (const store of readers) {
            for (const query of queries)
              assert.deepEqual(plain(await find(store, query)), plain(oracle.all(query)));
            for (const traceId of new Set(oracle.all().map((one) => one.traceId))) {
              assert.deepEqual(plain((await store.getTrace(traceId))?.spans), plain(oracle.trace(traceId)));
            }
            assert.deepEqual(await store.listServices(), oracle.services());
            assert.equal((await store.health()).signals.traces.count, oracle.size);
          }
        } finally {
          await Promise.all(stores.map((store) => store.close()));
        }
      },
    ),
    { numRuns: 25 },
  );
});

/** Spans numbered `from` to `to`, one millisecond apart, of traces of ten. */
function numbered(from: number, to: number): SpanData[] {
  return Array.from({ length: to - from }, (_, index) => {
    const number = from + index;
    return span({
      traceId: id(7) + id(Math.floor(number / 10) + 1),
      spanId: id(number + 1),
      startTimeUnixNanos: BigInt(number) * 1_000_000n,
      endTimeUnixNanos: BigInt(number) * 1_000_000n + 5n,
      status: { code: number % 10 === 3 ? StatusCode.ERROR : StatusCode.UNSET, message: '' },
    });
  });
}

test('pages neither repeat nor skip a span while spans are inserted before, between and behind them', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  await store.insertSpans(numbered(1000, 2000));
  const seen: string[] = [];
  let cursor: string | undefined;
  let round = 0;
  do {
    const page = await store.queryTraces({ limit: 64, ...(cursor === undefined ? {} : { cursor }) });
    seen.push(...page.spans.map((one) => one.spanId));
    cursor = page.cursor;
    // Newer and older than everything, and in between.
    await store.insertSpans([...numbered(3000 + round, 3001 + round), ...numbered(round, round + 1)]);
    const between = numbered(1500, 1501)[0]!;
    await store.insertSpans([{ ...between, spanId: id(100_000 + round) }]);
    round++;
  } while (cursor !== undefined);
  assert.equal(new Set(seen).size, seen.length);
  for (const one of numbered(1000, 2000)) assert.ok(seen.includes(one.spanId));
});

test('queries while inserting see every acknowledged span and never half a batch', async (t) => {
  await using store = await openStore(newDirectory(t), { segmentBytes: 64 << 10 });
  let acknowledged = 0;
  let done = false;
  const inserting = (async () => {
    for (let batch = 0; batch < 60; batch++) {
      await store.insertSpans(numbered(batch * 100, batch * 100 + 100));
      acknowledged = (batch + 1) * 100;
    }
    done = true;
  })();
  while (!done) {
    const before = acknowledged;
    const spans = await find(store, { limit: 1000 });
    assert.ok(spans.length >= before, `${spans.length} of ${before}`);
    assert.equal(spans.length % 100, 0);
  }
  await inserting;
});

test('what one store has acknowledged is found by another at once, also right after a query that found nothing', async (t) => {
  const directory = newDirectory(t);
  const [writer, reader] = [await openStore(directory, FAST), await openStore(directory)];
  try {
    for (let round = 1; round <= 100; round++) {
      const one = span({ traceId: id(round).repeat(2) });
      await reader.getTrace(one.traceId);
      if (round % 2 === 0) await writer.insertSpans([one]);
      else writer.insertBatchSync({ bytes: encodeTraces([one]), spanCount: 1 });
      assert.equal((await reader.getTrace(one.traceId))?.spans.length, 1, `round ${round}`);
    }
  } finally {
    await writer.close();
    await reader.close();
  }
});

test('a trace comes whole, as a tree, with what it says about itself', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  const root = span({ spanId: id(1), startTimeUnixNanos: 100n, endTimeUnixNanos: 5_000_100n });
  const child = span({
    service: 'pay',
    spanId: id(2),
    parentSpanId: id(1),
    startTimeUnixNanos: 200n,
    endTimeUnixNanos: 6_000_100n,
    status: { code: StatusCode.ERROR, message: 'no' },
  });
  await store.insertSpans([child]);
  await store.insertSpans([root]);
  const trace = (await store.getTrace(root.traceId.toUpperCase()))!;
  assert.deepEqual(
    trace.spans.map((one) => one.spanId),
    [id(1), id(2)],
  );
  assert.deepEqual(
    trace.roots.map((node) => [node.span.spanId, node.children[0]?.span.spanId]),
    [[id(1), id(2)]],
  );
  assert.deepEqual(
    [trace.startTimeUnixNanos, trace.endTimeUnixNanos, trace.durationMs, trace.services, trace.hasError],
    [100n, 6_000_100n, 6, ['shop', 'pay'], true],
  );
  assert.equal(await store.getTrace(id(0) + id(99)), undefined);
});

test('lastSeconds counts back from now, in queries and in the list of services', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  const now = BigInt(Date.now()) * 1_000_000n;
  const ago = (seconds: bigint): Partial<SpanData> => {
    const start = now - seconds * 1_000_000_000n;
    return { startTimeUnixNanos: start, endTimeUnixNanos: start };
  };
  await store.insertSpans([
    span({ ...ago(5n), spanId: id(1) }),
    span({ ...ago(100n), spanId: id(2), service: 'old' }),
  ]);
  assert.deepEqual(
    (await find(store, { lastSeconds: 50 })).map((one) => one.spanId),
    [id(1)],
  );
  assert.deepEqual(
    (await store.listServices({ lastSeconds: 50 })).map((one) => one.name),
    ['shop'],
  );
  assert.deepEqual(
    (await store.listServices({ lastSeconds: 500 })).map((one) => one.name),
    ['old', 'shop'],
  );
  assert.equal(
    (await find(store, { startTime: new Date(Date.now() - 50_000), endTime: new Date() })).length,
    1,
  );
});

test('F39 a span with an invalid id is left out and explained, the others are stored', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  const bytes = Buffer.from(encodeTraces(numbered(0, 1000)));
  const at = bytes.indexOf(Buffer.from(id(501), 'hex'));
  bytes.fill(0, at, at + 8);
  assert.deepEqual(await store.insertOtlp('traces', bytes), {
    accepted: 999,
    rejected: 1,
    reasons: ['invalid span id'],
  });
  assert.equal((await find(store, { limit: 500 })).length, 999);
  assert.equal((await store.health()).signals.traces.rejected, 1);
});

test('bytes that are no OTLP are refused and leave nothing behind', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  const whole = encodeTraces(numbered(0, 20));
  for (let length = 1; length < whole.length; length += 13) {
    await assert.rejects(store.insertOtlp('traces', whole.subarray(0, length)), {
      code: 'TW_DECODE_INVALID',
    });
  }
  assert.deepEqual(await find(store), []);
  assert.equal((await store.health()).log.bytes, 0);
  assert.deepEqual(await store.insertOtlp('traces', new Uint8Array()), {
    accepted: 0,
    rejected: 0,
    reasons: [],
  });
});

test('F38 an attribute that is broken inside is refused; from a trusted batch it is left out, and health tells', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  const bytes = Buffer.from(
    encodeTraces([span({ spanId: id(1) }), span({ spanId: id(2), attributes: { key: 'abcdefgh' } })]),
  );
  // The length of the string reaches beyond the attribute.
  bytes[bytes.indexOf('abcdefgh') - 1] = 100;
  await assert.rejects(store.insertOtlp('traces', bytes), { code: 'TW_DECODE_INVALID' });
  assert.deepEqual(await find(store), []);
  await store.insertBatch({ bytes, spanCount: 2 });
  assert.deepEqual(
    (await find(store)).map((one) => one.spanId),
    [id(1)],
  );
  const health = await store.health();
  assert.deepEqual([health.signals.traces.unreadable, health.status], [1, 'degraded']);
});

test('a request larger than a frame is stored whole', async (t) => {
  await using store = await openStore(newDirectory(t), { durability: 'none' });
  const spans = numbered(0, 40).map((one) => ({ ...one, attributes: { body: 'x'.repeat(1 << 19) } }));
  assert.equal((await store.insertSpans(spans)).accepted, 40);
  assert.equal((await store.queryTraces()).spans.length, 40);
  const huge = { ...spans[0]!, attributes: { body: 'x'.repeat(17 << 20) } };
  await assert.rejects(store.insertSpans([huge]), RangeError);
});

test('F21 an insert that is repeated counts once, also by another store and after reopening', async (t) => {
  const directory = newDirectory(t);
  const spans = numbered(0, 100);
  {
    await using first = await openStore(directory, FAST);
    await using second = await openStore(directory, FAST);
    await first.insertSpans(spans);
    await first.insertSpans(spans);
    await second.insertSpans(spans);
  }
  await using third = await openStore(directory, FAST);
  await third.insertSpans(spans);
  assert.equal((await find(third)).length, 100);
  assert.equal((await third.listServices())[0]!.spanCount, 100);
  assert.equal((await third.listServices())[0]!.errorCount, 10);
  const health = await third.health();
  assert.deepEqual(
    [health.signals.traces.count, health.signals.traces.copies, health.status],
    [100, 300, 'ok'],
  );
});

test('F19 an insert that the index did not take is taken before the next one, not skipped', async (t) => {
  await using store = await openStore(newDirectory(t));
  await store.insertSpans(numbered(0, 10));
  const addFrame = t.mock.method(SpanIndex.prototype, 'addFrame');
  addFrame.mock.mockImplementationOnce(() => {
    throw new RangeError('Array buffer allocation failed');
  });
  const [first, second] = await Promise.allSettled([
    store.insertSpans(numbered(10, 20)),
    store.insertSpans(numbered(20, 30)),
  ]);
  assert.equal(first.status === 'rejected' && first.reason.code, 'TW_LOG_APPLY_FAILED');
  await store.insertSpans(numbered(30, 40));
  assert.deepEqual(plain(await find(store)), plain(numbered(0, 40).reverse()));
  // What was refused is in the log: repeating it changes nothing.
  await store.insertSpans(numbered(10, 20));
  assert.equal((await store.health()).signals.traces.count, 40);
  assert.equal(addFrame.mock.callCount() > 3, true, second.status);
});

test('F11 an index file that is damaged, cut or gone is made again from the log', async (t) => {
  const directory = newDirectory(t);
  {
    await using store = await openStore(directory, { segmentBytes: 64 << 10 });
    for (let batch = 0; batch < 120; batch++)
      await store.insertSpans(numbered(batch * 100, batch * 100 + 100));
  }
  const files = globSync(`${directory}/log/*/*.idx`).sort();
  assert.ok(files.length >= 4, `${files.length} index files`);
  const damaged = readFileSync(files[0]!);
  damaged[damaged.length >> 1]! ^= 0x10;
  writeFileSync(files[0]!, damaged);
  writeFileSync(files[1]!, readFileSync(files[1]!).subarray(0, 100));
  writeFileSync(files[2]!, '');
  rmSync(files[3]!);
  await using store = await openStore(directory);
  const spans = await find(store, { limit: 1000 });
  assert.deepEqual(plain(spans), plain(numbered(0, 12_000).reverse()));
  assert.equal((await store.health()).status, 'ok');
});

test('a new directory is for its owner alone, and Git passes over it; one that is there stays as it is', async (t) => {
  const parent = newDirectory(t);
  const [made, there] = [join(parent, 'above', 'made'), join(parent, 'there')];
  mkdirSync(there, 0o750);
  for (const directory of [made, there]) await (await openStore(directory)).close();
  const modeOf = (path: string): number => statSync(path).mode & 0o777;
  assert.equal(readFileSync(join(made, '.gitignore'), 'utf8'), '*\n');
  assert.ok(!existsSync(join(there, '.gitignore')));
  if (process.platform === 'win32') return;
  assert.equal(modeOf(made), 0o700);
  assert.equal(modeOf(there), 0o750 & ~process.umask());
  assert.equal(modeOf(join(parent, 'above')), 0o777 & ~process.umask());
});

test('a closed store says so, and closing twice is closing once', async (t) => {
  const store = await openStore(newDirectory(t), FAST);
  await store.insertSpans(numbered(0, 20_000));
  // Long enough to let others run in between, and so to be under way when the store closes.
  const settled: string[] = [];
  const running = store.queryTraces({ limit: 10_000 }).finally(() => settled.push('query'));
  const closing = [store.close(), store.close()].map((one) => one.then(() => settled.push('close')));
  await Promise.all(closing);
  assert.deepEqual(settled, ['query', 'close', 'close']);
  assert.equal((await running).spans.length, 10_000);
  const closed = { code: 'TW_STORE_CLOSED' };
  await assert.rejects(store.insertSpans(numbered(0, 1)), closed);
  await assert.rejects(store.queryTraces(), closed);
  await assert.rejects(store.getTrace(id(1) + id(1)), closed);
  await assert.rejects(store.listServices(), closed);
  await assert.rejects(store.flush(), closed);
  assert.throws(() => store.insertBatchSync({ bytes: new Uint8Array(), spanCount: 0 }), closed);
  assert.equal((await store.health()).status, 'closed');
});

test('a store that only reads refuses inserts', async (t) => {
  const directory = newDirectory(t);
  await using writer = await openStore(directory, FAST);
  await writer.insertSpans(numbered(0, 10));
  await using reader = await openStore(directory, { readOnly: true });
  assert.equal((await find(reader)).length, 10);
  await assert.rejects(reader.insertSpans(numbered(0, 1)), { code: 'TW_LOG_READ_ONLY' });
  await writer.insertSpans(numbered(10, 20));
  assert.equal((await find(reader)).length, 20);
});

test('what cannot be opened is named, with a code and a way out', async (t) => {
  const directory = newDirectory(t);
  const store = await openStore(directory);
  await store.insertSpans(numbered(0, 1));
  await store.close();
  const [segment] = globSync(`${directory}/log/*/*.log`);
  rmSync(segment!);
  mkdirSync(segment!);
  const file = join(directory, 'file');
  writeFileSync(file, '');
  for (const readOnly of [true, false]) {
    for (const [opened, named] of [
      [directory, segment!],
      [file, file],
    ] as const) {
      await assert.rejects(openStore(opened, { readOnly }), (error: TracewellError) => {
        assert.equal(error.code, 'TW_STORE_OPEN_FAILED');
        return error.message.includes(`'${named}`) && /; see to that path, or name/.test(error.message);
      });
    }
  }
});

test('a wrong argument is refused and named', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  const wrong: [query: Record<string, unknown>, field: RegExp][] = [
    [{ service: 1 }, /service/],
    [{ operation: null }, /operation/],
    [{ status: 3 }, /status/],
    [{ kind: 'server' }, /kind/],
    [{ minDurationMs: -1 }, /minDurationMs/],
    [{ maxDurationMs: Number.NaN }, /maxDurationMs/],
    [{ minDurationMs: '5' }, /minDurationMs/],
    [{ attributes: [] }, /attributes/],
    [{ startTime: 5 }, /startTime/],
    [{ startTime: -1n }, /startTime/],
    [{ endTime: new Date(Number.NaN) }, /endTime/],
    [{ lastSeconds: 0 }, /lastSeconds/],
    [{ lastSeconds: 5, startTime: 0n }, /lastSeconds/],
    [{ limit: 0 }, /limit/],
    [{ limit: 10_001 }, /limit/],
    [{ limit: 1.5 }, /limit/],
    [{ limit: '5' }, /limit must be a whole number from 1 to 10000, got "5"$/],
    [{ lastSeconds: 'x' }, /lastSeconds must be .*, got "x"$/],
    [{ lastSeconds: 5n }, /lastSeconds must be .*, got 5n$/],
    [{ status: 'ERROR' }, /status must be a number of StatusCode, got "ERROR"$/],
    [{ endTime: '2026-01-01' }, /endTime must be .*, got "2026-01-01"$/],
    [{ cursor: 'next' }, /cursor/],
    [{ cursor: '' }, /cursor/],
    [{ name: 'x' }, /name is no field of query; there are service, operation/],
  ];
  for (const [query, field] of wrong) {
    const call = store.queryTraces(query as TraceQuery);
    await assert.rejects(
      call,
      (error) => (error instanceof TypeError || error instanceof RangeError) && field.test(error.message),
    );
  }
  await assert.rejects(store.getTrace('abc'), /traceId/);
  await assert.rejects(store.listServices({ lastSeconds: -1 }), /lastSeconds/);
  await assert.rejects(store.listServices({ lastSecond: 1 } as object), /lastSecond is no field of options/);
  await assert.rejects(store.insertOtlp('profiles' as 'traces', new Uint8Array()), /signal/);
  await assert.rejects(store.insertSpans({} as SpanData[]), /spans/);
  await assert.rejects(openStore(''), /directory/);
  await assert.rejects(
    openStore(newDirectory(t), null as unknown as StoreOptions),
    /options must be an object, got null/,
  );
});

test('attributes match by value: numbers of any type, bytes, lists, maps, and those of the resource', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  const attributes = {
    n: 5,
    big: 2n ** 60n,
    flag: false,
    bytes: Uint8Array.of(1, 2),
    list: ['a', 1],
    map: { x: 1 },
    none: null,
  };
  await store.insertSpans([span({ attributes })]);
  const found = async (wanted: Record<string, unknown>): Promise<number> =>
    (await store.queryTraces({ attributes: wanted as SpanData['attributes'] })).spans.length;
  for (const wanted of [attributes, { n: 5n }, { 'host.name': 'h' }, { n: undefined }])
    assert.equal(await found(wanted), 1);
  const others = [
    { n: '5' },
    { flag: 0 },
    { bytes: Uint8Array.of(1) },
    { list: ['a'] },
    { map: { x: 1, y: 2 } },
    { none: 0 },
    { gone: null },
  ];
  for (const wanted of [...others, JSON.parse('{"__proto__": {}}')])
    assert.equal(await found(wanted), 0, JSON.stringify(wanted));
});

test('a query that decodes much lets others run', async (t) => {
  await using store: TraceStore = await openStore(newDirectory(t), FAST);
  for (let batch = 0; batch < 20; batch++)
    await store.insertSpans(numbered(batch * 1000, batch * 1000 + 1000));
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  t.after(() => clearInterval(timer));
  assert.deepEqual((await store.queryTraces({ attributes: { gone: 1 } })).spans, []);
  assert.ok(longest > 0 && longest < 100, `the event loop stood still for ${longest} ms`);
});

test('a flipped byte in a sealed segment costs the spans that it touches, not the query', async (t) => {
  const directory = newDirectory(t);
  const filler = 'x'.repeat(70 << 10);
  const first = await openStore(directory, FAST);
  await first.insertSpans([span({ spanId: id(1), service: 'damaged' })]);
  await first.insertSpans([span({ spanId: id(2), service: 'healthy', attributes: { filler } })]);
  await first.insertSpans([span({ spanId: id(3), service: 'healthy' })]);
  await first.close();

  // The length in front of the key, in a segment whose index file is trusted.
  const [file] = globSync('log/*/*1.log', { cwd: directory }).map((name) => join(directory, name));
  const bytes = readFileSync(file!);
  bytes[bytes.indexOf('service.name') - 1] = 0x7f;
  writeFileSync(file!, bytes);

  await using store = await openStore(directory, FAST);
  const spans = await find(store);
  assert.deepEqual(
    spans.map((found) => found.resource.attributes['service.name']),
    ['healthy', 'healthy'],
  );
  const health = await store.health();
  assert.deepEqual([health.signals.traces.unreadable > 0, health.status], [true, 'degraded']);
});
