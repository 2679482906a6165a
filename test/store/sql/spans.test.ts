import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { SpanData } from '@tracewell/plugin';
import { openStore, type SqlRow, type TraceStore } from '@tracewell/store';
import fc from 'fast-check';
import { KINDS, STATUS_CODES } from '../../../packages/store/src/cold/spans/columns.ts';
import { newDirectory } from '../engine/directory.ts';
import { arbitrarySpan, id, span } from '../query/spans.ts';

/** The last start that a time of SQL can say. Later ones are all one to it. */
const LAST_START = 2n ** 63n - 2n;

/** The columns of spans of generative AI, of one that is none. */
const NO_GEN_AI: SqlRow = {
  gen_ai_provider: null,
  gen_ai_model: null,
  gen_ai_operation: null,
  gen_ai_input_tokens: null,
  gen_ai_output_tokens: null,
};

/** A row of SQL, of a span as the store gives it back. */
function rowOf(found: SpanData): SqlRow {
  const duration = found.endTimeUnixNanos - found.startTimeUnixNanos;
  const { code, message } = found.status;
  return {
    trace_id: found.traceId,
    span_id: found.spanId,
    parent_span_id: found.parentSpanId || null,
    service_name: String(found.resource.attributes['service.name'] ?? 'unknown_service'),
    name: found.name,
    kind: KINDS[found.kind]!,
    status_code: STATUS_CODES[code]!,
    status_message: message || null,
    start_time: found.startTimeUnixNanos,
    duration_ns: duration < 0n ? 0n : duration,
    color: String(found.attributes.color),
  };
}

const COLUMNS = `trace_id, span_id, parent_span_id, service_name, name, kind, status_code, status_message,
  start_time, duration_ns, attributes['color'] AS color`;

async function rowsBySql(store: TraceStore): Promise<readonly SqlRow[]> {
  const { rows, truncated } = await store.querySql(
    `SELECT ${COLUMNS} FROM spans ORDER BY start_time, trace_id, span_id`,
  );
  assert.equal(truncated, false);
  return rows;
}

async function rowsByQuery(store: TraceStore): Promise<readonly SqlRow[]> {
  const { spans } = await store.queryTraces({ limit: 10_000 });
  const rows = spans.map(rowOf);
  const key = (row: SqlRow): string =>
    `${String(row.start_time).padStart(20, '0')} ${row.trace_id} ${row.span_id}`;
  return rows.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

describe('the table spans', () => {
  test('has a column for everything that it documents', async (t) => {
    const store = await openStore(newDirectory(t));
    t.after(() => store.close());
    await store.insertSpans([
      span({
        traceId: 'A'.repeat(32).toLowerCase(),
        spanId: id(7),
        parentSpanId: id(1),
        name: 'GET /users/{id}',
        kind: 2,
        startTimeUnixNanos: 1_760_000_000_123_456_789n,
        endTimeUnixNanos: 1_760_000_000_125_000_000n,
        status: { code: 2, message: 'gone' },
        attributes: { 'http.route': '/users/{id}', n: 1, big: 2n ** 62n, ok: true, list: ['a', 1] },
        traceState: 'a=b',
        flags: 257,
        events: [
          {
            name: 'exception',
            timeUnixNanos: 1n,
            attributes: { 'exception.type': 'TypeError', 'exception.message': 'no' },
            droppedAttributesCount: 0,
          },
        ],
        scope: {
          name: 'lib',
          version: '1.2',
          attributes: {},
          droppedAttributesCount: 0,
          schemaUrl: '',
        },
      }),
    ]);
    const { rows, columns } = await store.querySql('SELECT * FROM spans');
    assert.deepEqual(rows, [
      {
        trace_id: 'a'.repeat(32),
        span_id: id(7),
        parent_span_id: id(1),
        service_name: 'shop',
        name: 'GET /users/{id}',
        kind: 'SERVER',
        status_code: 'ERROR',
        status_message: 'gone',
        start_time: 1_760_000_000_123_456_789n,
        end_time: 1_760_000_000_125_000_000n,
        duration_ns: 1_543_211n,
        duration_ms: 1.543211,
        attributes: {
          'http.route': '/users/{id}',
          n: '1',
          big: String(2n ** 62n),
          ok: 'true',
          list: '["a",1]',
        },
        resource_attributes: { 'service.name': 'shop', 'host.name': 'h' },
        scope_name: 'lib',
        scope_version: '1.2',
        exception_type: 'TypeError',
        exception_message: 'no',
        event_count: 1,
        link_count: 0,
        trace_state: 'a=b',
        flags: 257,
        ...NO_GEN_AI,
        payloads: [],
      },
    ]);
    const described = await store.querySql('DESCRIBE spans');
    assert.deepEqual(
      described.rows.map((row) => [row.column_name, row.column_type]),
      columns.map(({ name, type }) => [name, type]),
    );
  });

  test('is empty in an empty store, with the same columns', async (t) => {
    const store = await openStore(newDirectory(t));
    t.after(() => store.close());
    const before = await store.querySql('SELECT * FROM spans');
    assert.deepEqual(before.rows, []);
    await store.insertSpans([span()]);
    assert.deepEqual((await store.querySql('SELECT * FROM spans')).columns, before.columns);
  });

  test('is up to date with every insert, of other stores of the directory too', async (t) => {
    const directory = newDirectory(t);
    const store = await openStore(directory);
    const other = await openStore(directory);
    t.after(() => Promise.all([store.close(), other.close()]));
    for (let count = 1; count <= 40; count++) {
      await (count % 2 === 0 ? store : other).insertSpans([span({ spanId: id(count) })]);
      const { rows } = await store.querySql('SELECT count(*) AS n FROM spans');
      assert.deepEqual(rows, [{ n: BigInt(count) }]);
    }
  });

  test('can be read while it is written', async (t) => {
    const store = await openStore(newDirectory(t), { segmentBytes: 64 * 1024 });
    t.after(() => store.close());
    let stored = 0;
    const writing = (async () => {
      while (stored < 3000) {
        await store.insertSpans(
          Array.from({ length: 10 }, (_, i) => span({ spanId: id(stored + i + 1), name: 'x'.repeat(100) })),
        );
        stored += 10;
      }
    })();
    while (stored < 3000) {
      const atLeast = stored;
      const counts = await Promise.all(
        [1, 2, 3].map(() =>
          store.querySql('SELECT count(*) AS n, count(DISTINCT span_id) AS ids FROM spans'),
        ),
      );
      for (const { rows } of counts) {
        assert.equal(rows[0]?.n, rows[0]?.ids);
        assert.ok(Number(rows[0]?.n) >= atLeast);
      }
    }
    await writing;
  });

  test('can be asked from a worker thread, and through a store that only reads', async (t) => {
    const directory = newDirectory(t);
    const store = await openStore(directory);
    t.after(() => store.close());
    await store.insertSpans([span({ name: 'found' })]);
    const thread = new Worker(new URL('./thread.ts', import.meta.url), { workerData: directory });
    const [rows] = await once(thread, 'message');
    assert.deepEqual(rows, [{ name: 'found' }]);
    const [code] = await once(thread, 'exit');
    assert.equal(code, 0);
  });

  test('is whole although somebody cleans the temporary directory up', async (t) => {
    const [directory, temporary] = [newDirectory(t), newDirectory(t)];
    const before = process.env.TMPDIR;
    process.env.TMPDIR = temporary;
    const store = await openStore(directory);
    t.after(() => store.close());
    await store.insertSpans([span()]);
    const count = async (): Promise<unknown> =>
      (await store.querySql('SELECT count(*) AS n FROM spans')).rows[0]?.n;
    assert.equal(await count(), 1n);
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    const [own] = readdirSync(temporary);
    for (const name of readdirSync(join(temporary, own!))) rmSync(join(temporary, own!, name));
    assert.equal(await count(), 1n);
  });

  test('F21 counts a span once, whatever is inserted again, and into whichever segment', async (t) => {
    const directory = newDirectory(t);
    // Small segments, so that copies lie in different ones.
    const store = await openStore(directory, { segmentBytes: 64 * 1024, durability: 'none' });
    const other = await openStore(directory, { segmentBytes: 64 * 1024, durability: 'none' });
    t.after(() => Promise.all([store.close(), other.close()]));
    const filler = span({ attributes: { color: 'x', filler: 'x'.repeat(20_000) } });
    let fillers = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ spans: fc.array(arbitrarySpan, { maxLength: 20 }), elsewhere: fc.boolean() }), {
          maxLength: 6,
        }),
        async (inserts) => {
          for (const { spans, elsewhere } of inserts) {
            const known = spans.filter(({ startTimeUnixNanos }) => startTimeUnixNanos <= LAST_START);
            await (elsewhere ? other : store).insertSpans([
              ...known,
              { ...filler, spanId: id(0xf000 + fillers++) },
            ]);
          }
          assert.deepEqual(await rowsBySql(store), await rowsByQuery(store));
        },
      ),
      { numRuns: 30 },
    );
  });
});
