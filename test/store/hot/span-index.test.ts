import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SpanData, StatusCode } from '@tracewell/plugin';
import type { ServiceSummary, TraceQuery } from '@tracewell/store';
import fc from 'fast-check';
import { findSpans } from '../../../packages/store/src/query/spans/find-spans.ts';
import { findTrace } from '../../../packages/store/src/query/spans/find-trace.ts';
import { hotCounts, listServices } from '../../../packages/store/src/query/spans/list-services.ts';
import { planQuery } from '../../../packages/store/src/query/spans/plan.ts';
import { SpanReader } from '../../../packages/store/src/query/spans/span-reader.ts';
import { allPages, arbitraryQuery, Oracle } from '../query/oracle.ts';
import { arbitrarySpan, id, span } from '../query/spans.ts';
import { MemoryLog } from './memory-log.ts';

const reader = new SpanReader();

function find(log: MemoryLog, query: TraceQuery = {}): Promise<SpanData[]> {
  return allPages((page) => findSpans(log.index, planQuery(page, 0n), reader), query);
}

/** As the engine counts: who counts hides the copies first. */
async function servicesOf({ index }: MemoryLog): Promise<ServiceSummary[]> {
  for (const _ of index.reconcile());
  return listServices(index.operations, hotCounts(index, 0n));
}

async function assertSame(log: MemoryLog, oracle: Oracle, queries: readonly TraceQuery[]): Promise<void> {
  for (const query of queries)
    assert.deepEqual((await find(log, query)).map(plain), oracle.all(query).map(plain));
  for (const traceId of new Set(oracle.all().map((one) => one.traceId))) {
    const trace = await findTrace(log.index, traceId, reader);
    assert.deepEqual(trace.map(plain), oracle.trace(traceId).map(plain));
  }
  assert.deepEqual(await servicesOf(log), oracle.services());
  assert.equal(log.index.spanCount(), oracle.size);
}

/** Decoded attributes have no prototype; deepEqual minds. */
function plain(value: SpanData): unknown {
  return JSON.parse(JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)));
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      insert: fc.array(arbitrarySpan, { maxLength: 12 }),
      writer: fc.constantFrom('a', 'b', 'c'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ seal: fc.constantFrom('a', 'b', 'c') }) },
  { weight: 1, arbitrary: fc.record({ reopen: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ reconcile: true }) },
);

test('the index answers as a plain list of all spans would', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 20 }),
      fc.array(arbitraryQuery, { maxLength: 6 }),
      async (steps, queries) => {
        const log = new MemoryLog();
        const oracle = new Oracle();
        for (const one of steps) {
          if ('insert' in one) {
            log.append(one.writer, one.insert);
            oracle.insert(one.insert);
          } else if ('seal' in one) log.seal(one.seal);
          else if ('reopen' in one) log.reopen(one.reopen);
          else for (const _ of log.index.reconcile());
        }
        await assertSame(log, oracle, queries);
      },
    ),
    { numRuns: 300 },
  );
});

test('a segment of many blocks keeps every span, in memory and saved', async () => {
  const log = new MemoryLog();
  const spans = Array.from({ length: 150_000 }, (_, number) =>
    span({
      traceId: id(1) + id((number >> 3) + 1),
      spanId: id(number + 1),
      name: `operation ${number % 300}`,
      startTimeUnixNanos: BigInt(number) * 1000n,
      endTimeUnixNanos: BigInt(number) * 1000n + 5n,
    }),
  );
  for (let from = 0; from < spans.length; from += 1000) log.append('a', spans.slice(from, from + 1000));
  for (const when of ['active', 'saved', 'scanned']) {
    if (when === 'saved') log.seal('a');
    if (when !== 'active') log.reopen(when === 'scanned');
    assert.equal(log.index.spanCount(), spans.length, when);
    const page = await findSpans(
      log.index,
      planQuery({ operation: 'operation 7', limit: 10_000 }, 0n),
      reader,
    );
    assert.equal(page.spans.length, 500, when);
    assert.equal(page.spans[0]!.spanId, id(149_707 + 1), when);
    const trace = await findTrace(log.index, id(1) + id(12_345), reader);
    assert.deepEqual(
      trace.map((one) => one.spanId),
      spans.slice(12_344 * 8, 12_345 * 8).map((one) => one.spanId),
      when,
    );
  }
});

test('F21 a batch that comes again counts once: in its block, in another segment, from another writer', async () => {
  for (const [first, second] of [
    ['a', 'a'],
    ['a', 'b'],
  ] as const) {
    for (const seal of [false, true]) {
      const log = new MemoryLog();
      const spans = Array.from({ length: 40 }, (_, number) => span({ spanId: id(number + 1) }));
      log.append(first, spans);
      if (seal) log.seal(first);
      log.append(second, spans);
      log.append(second, spans);
      assert.equal((await find(log)).length, 40);
      assert.equal((await servicesOf(log))[0]!.spanCount, 40);
      assert.equal(log.index.spanCount(), 40);
      assert.equal(log.index.stats().copies, 80);
    }
  }
});

test('F21 many copies in blocks of several writers are found, whatever is counted in between', async () => {
  const log = new MemoryLog();
  const spans = Array.from({ length: 12_000 }, (_, number) =>
    span({ spanId: id(number + 1), startTimeUnixNanos: BigInt(number) }),
  );
  for (const [round, writer] of ['a', 'b', 'a', 'c'].entries()) {
    log.append(writer, spans.slice(0, 10_000 + round * 500));
    if (round === 1) log.seal('a');
    if (round !== 2) for (const _ of log.index.reconcile());
  }
  assert.equal(log.index.spanCount(), 11_500);
  log.reopen();
  assert.equal((await servicesOf(log))[0]!.spanCount, 11_500);
});

test('F19 a frame that stopped half way is entered whole when it is offered again, each span once', async () => {
  const log = new MemoryLog();
  const spans = Array.from({ length: 20 }, (_, number) => span({ spanId: id(number + 1) }));
  log.append('a', spans.slice(0, 10));
  // Looking at the earlier copy of a span is the one thing that can fail for a reason from outside.
  log.failNextRead('a');
  assert.throws(
    () => log.append('a', [...spans.slice(10, 15), spans[3]!, ...spans.slice(15)]),
    /input\/output/,
  );
  log.offerAgain('a');
  assert.equal(log.index.spanCount(), 20);
  assert.equal((await find(log)).length, 20);
  assert.equal(log.index.stats().copies, 1);
});

test('a copy is shown again when the segment that stood for it goes', async () => {
  const log = new MemoryLog();
  for (const writer of ['a', 'b', 'c']) {
    log.append(writer, [span()]);
    for (const _ of log.index.reconcile());
    assert.equal(log.index.spanCount(), 1);
  }
  log.remove('a', 1);
  for (const _ of log.index.reconcile());
  assert.equal(log.index.spanCount(), 1);
  assert.equal((await find(log)).length, 1);
});

test('spans that the index cannot tell apart are paged by their whole ids', async () => {
  const log = new MemoryLog();
  const oracle = new Oracle();
  for (let number = 0; number < 40; number++) {
    // Only the first halves of the ids differ.
    const traceId = id((number * 7) % 40) + id(5);
    const spans = [
      span({ traceId, spanId: '0000000100000001' }),
      span({ traceId, spanId: '0000000200000001' }),
    ];
    log.append(number % 2 === 0 ? 'a' : 'b', spans);
    oracle.insert(spans);
  }
  for (const limit of [1, 2, 7, 79, 80, 100]) {
    const found = await find(log, { limit });
    assert.deepEqual(found.map(plain), oracle.all().map(plain), `limit ${limit}`);
  }
});

test('a finished copy stands for an unfinished one, whichever came first', async () => {
  const open = span({ attributes: { 'tracewell.unfinished': true } });
  const finished = span({
    endTimeUnixNanos: 9_000_000_000n,
    status: { code: StatusCode.ERROR, message: 'late' },
  });
  for (const order of [
    [open, finished],
    [finished, open],
  ]) {
    for (const writers of [
      ['a', 'a'],
      ['a', 'b'],
    ]) {
      const log = new MemoryLog();
      log.append(writers[0]!, [order[0]!]);
      log.append(writers[1]!, [order[1]!]);
      const found = await find(log);
      assert.equal(found.length, 1);
      assert.equal(found[0]!.endTimeUnixNanos, 9_000_000_000n);
      assert.equal((await find(log, { status: StatusCode.ERROR })).length, 1);
      // The copy that gave way is not found by what it said.
      assert.deepEqual(await find(log, { status: StatusCode.UNSET }), []);
      assert.equal((await servicesOf(log))[0]!.spanCount, 1);
    }
  }
});

test('spans that share their ids but not their start are two spans', async () => {
  const log = new MemoryLog();
  log.append('a', [span(), span({ startTimeUnixNanos: 1_000_000_001n })]);
  assert.equal((await find(log)).length, 2);
});

test('F29 starts at both ends of time, ends before starts and a clock that goes back are stored and found', async () => {
  const log = new MemoryLog();
  const starts = [
    0n,
    2n ** 63n - 1n,
    2n ** 64n - 1n,
    1_760_000_000_000_000_000n,
    1_600_000_000_000_000_000n,
    1n,
  ];
  const spans = starts.map((start, number) =>
    span({
      spanId: id(number + 1),
      startTimeUnixNanos: start,
      endTimeUnixNanos: start === 0n ? 0n : start - 1n,
    }),
  );
  for (const one of spans) log.append('a', [one]);
  const sorted = [...starts].sort((a, b) => (a > b ? -1 : 1));
  assert.deepEqual(
    (await find(log, { limit: 2 })).map((one) => one.startTimeUnixNanos),
    sorted,
  );
  for (const start of starts) {
    const window = { startTime: start, ...(start < 2n ** 64n - 1n ? { endTime: start + 1n } : {}) };
    assert.deepEqual(
      (await find(log, window)).map((one) => one.startTimeUnixNanos),
      [start],
    );
  }
  assert.equal((await find(log, { maxDurationMs: 0 })).length, starts.length);
  assert.deepEqual((await findTrace(log.index, span().traceId, reader)).length, starts.length);
});

test('names beyond the bound on distinct ones are found all the same', async () => {
  const log = new MemoryLog();
  const spans = Array.from({ length: 140_000 }, (_, number) =>
    span({ spanId: id(number + 1), name: `GET /orders/${number}`, startTimeUnixNanos: BigInt(number) }),
  );
  for (let from = 0; from < spans.length; from += 5000) log.append('a', spans.slice(from, from + 5000));
  for (const number of [5, 131_071, 131_072, 139_999]) {
    const found = await find(log, { operation: `GET /orders/${number}` });
    assert.deepEqual(
      found.map((one) => one.spanId),
      [id(number + 1)],
    );
  }
  assert.equal((await servicesOf(log))[0]!.operations.length, 131_072);
  log.seal('a');
  log.reopen();
  assert.equal((await find(log, { operation: 'GET /orders/139999' })).length, 1);
  const long = 'x'.repeat(5000);
  log.append('a', [span({ name: long, startTimeUnixNanos: 999_999_999n })]);
  assert.equal((await find(log, { operation: long })).length, 1);
});

test('a saved index of another version, or cut short, is refused', () => {
  const log = new MemoryLog();
  log.append('a', [span()]);
  log.seal('a');
  const segment = [...log.index.blocks()][0]!.index.segment;
  const whole = new Uint8Array(Buffer.concat(log.index.save(segment)!));
  const other = whole.slice();
  other[4] = 99;
  assert.equal(log.index.load(segment, other), false);
  for (let length = 0; length < whole.length; length += 8) {
    assert.equal(log.index.load(segment, whole.slice(0, length)), false, `${length} bytes`);
  }
  assert.equal(log.index.load(segment, whole), true);
});
