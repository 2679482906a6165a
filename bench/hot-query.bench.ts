import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { decodeTraces } from '@tracewell/otlp';
import { type SpanData, type SpanKind, StatusCode, traceTree } from '@tracewell/plugin';
import { openStore, type TraceStore } from '@tracewell/store';
import { alternate, type Bench, compare } from './harness.ts';
import { idsOf, RequestMaker, SERVICES, SPANS_PER_REQUEST, spanOf } from './store-spans.ts';

const PAGE = 100;

const bench: Bench = {
  name: 'hot-query',
  what: 'A trace by its id, and the newest 100 failing spans of a service, decoded on both sides, beside node:sqlite with an index for each, a column a field, and JSON for attributes, events and links.',

  async run({ tiny, report }) {
    for (const spans of tiny ? [20_000] : [1_000_000, 5_000_000]) {
      const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
      const requests = Math.ceil(spans / SPANS_PER_REQUEST);
      const store = await fillStore(directory, requests);
      const database = fillSqlite(directory, requests);
      const trace = database.prepare('SELECT * FROM spans WHERE trace_id = ?');
      const failing = database.prepare(
        'SELECT * FROM spans WHERE service = ? AND status = 2 ORDER BY start DESC LIMIT ?',
      );
      trace.setReadBigInts(true);
      failing.setReadBigInts(true);
      await assertSame(store, trace, failing, spans);
      const size = `${spans / 1_000_000}M spans`;
      const rounds = tiny ? 1 : 9;

      const traces = await alternate(rounds, {
        ours: () =>
          timed(
            tiny ? 20 : 500,
            async (number) => (await store.getTrace(traceId(number, spans)))!.spans.length,
          ),
        theirs: () =>
          timed(tiny ? 20 : 500, async (number) => {
            const found = decodeRows(trace.all(Buffer.from(traceId(number, spans), 'hex')));
            traceTree(found);
            return found.length;
          }),
      });
      report(
        compare(
          'hot-query',
          `trace by id, ${size}`,
          'us',
          'lower',
          traces.ours,
          'node:sqlite',
          traces.theirs,
        ),
      );

      const pages = await alternate(rounds, {
        ours: () =>
          timed(tiny ? 20 : 200, async (number) => {
            const service = SERVICES[number % SERVICES.length]!;
            return (await store.queryTraces({ service, status: StatusCode.ERROR, limit: PAGE })).spans.length;
          }),
        theirs: () =>
          timed(tiny ? 20 : 200, async (number) => {
            const service = SERVICES[number % SERVICES.length]!;
            return decodeRows(failing.all(service, PAGE)).length;
          }),
      });
      report(
        compare(
          'hot-query',
          `newest ${PAGE} failing, ${size}`,
          'us',
          'lower',
          pages.ours,
          'node:sqlite',
          pages.theirs,
        ),
      );

      database.close();
      await store.close();
      await rm(directory, { recursive: true });
    }
  },
};

export default bench;

/** Both sides must return the same spans. */
async function assertSame(
  store: TraceStore,
  trace: StatementSync,
  failing: StatementSync,
  spans: number,
): Promise<void> {
  // Decoded attributes have no prototype on one side; what they hold counts.
  const plain = (found: readonly SpanData[]): string =>
    JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  const id = traceId(3, spans);
  const page = await store.queryTraces({ service: SERVICES[0]!, status: StatusCode.ERROR, limit: PAGE });
  const ours = [(await store.getTrace(id))!.spans, page.spans];
  const theirs = [
    decodeRows(trace.all(Buffer.from(id, 'hex'))).sort((a, b) =>
      Number(a.startTimeUnixNanos - b.startTimeUnixNanos),
    ),
    decodeRows(failing.all(SERVICES[0]!, PAGE)),
  ];
  for (const [index, found] of ours.entries()) assert.deepEqual(plain(found), plain(theirs[index]!));
}

/** Microseconds a query. Every query must find something. */
async function timed(queries: number, query: (number: number) => Promise<number>): Promise<number> {
  const start = performance.now();
  for (let number = 0; number < queries; number++) {
    if ((await query(number)) === 0) throw new Error(`query ${number} found nothing`);
  }
  return ((performance.now() - start) * 1000) / queries;
}

/** A trace from anywhere, another one for each number. */
function traceId(number: number, spans: number): string {
  return idsOf((number * 7_919_017) % spans).traceId;
}

async function fillStore(directory: string, requests: number): Promise<TraceStore> {
  const maker = new RequestMaker();
  const store = await openStore(join(directory, 'store'), { durability: 'none' });
  for (let number = 0; number < requests; number++) {
    await store.insertBatch({ bytes: maker.make(number), spanCount: SPANS_PER_REQUEST });
  }
  return store;
}

function fillSqlite(directory: string, requests: number): DatabaseSync {
  const maker = new RequestMaker();
  const database = new DatabaseSync(join(directory, 'spans.sqlite'));
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -262144;
    CREATE TABLE spans (
      trace_id BLOB, span_id BLOB, parent_span_id BLOB, trace_state TEXT, flags INTEGER, name TEXT, kind INTEGER,
      start INTEGER, "end" INTEGER, attributes TEXT, events TEXT, links TEXT, status INTEGER, message TEXT,
      service TEXT, scope TEXT
    );
  `);
  const insert = database.prepare(
    'INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  for (let from = 0; from < requests; from += 100) {
    database.exec('BEGIN');
    for (let number = from; number < Math.min(from + 100, requests); number++) {
      for (const span of decodeTraces(maker.make(number))) insertSpan(insert, span);
    }
    database.exec('COMMIT');
  }
  database.exec(`
    CREATE INDEX by_trace ON spans (trace_id);
    CREATE INDEX by_service ON spans (service, status, start);
    ANALYZE;
  `);
  return database;
}

function insertSpan(insert: StatementSync, span: SpanData): void {
  insert.run(
    Buffer.from(span.traceId, 'hex'),
    Buffer.from(span.spanId, 'hex'),
    Buffer.from(span.parentSpanId, 'hex'),
    span.traceState,
    span.flags,
    span.name,
    span.kind,
    span.startTimeUnixNanos,
    span.endTimeUnixNanos,
    JSON.stringify(span.attributes),
    JSON.stringify(span.events),
    JSON.stringify(span.links),
    span.status.code,
    span.status.message,
    span.resource.attributes['service.name'] as string,
    span.scope.name,
  );
}

// As in the store, resources and scopes are decoded once and shared.
const resources = new Map(SERVICES.map((service, index) => [service, spanOf(index * 64).resource]));
const scopes = new Map([0, 1].map((number) => [spanOf(number).scope.name, spanOf(number).scope]));

interface Row {
  readonly trace_id: Uint8Array;
  readonly span_id: Uint8Array;
  readonly parent_span_id: Uint8Array;
  readonly trace_state: string;
  readonly flags: bigint;
  readonly name: string;
  readonly kind: bigint;
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: string;
  readonly events: string;
  readonly links: string;
  readonly status: bigint;
  readonly message: string;
  readonly service: string;
  readonly scope: string;
}

function decodeRows(rows: unknown): SpanData[] {
  return (rows as Row[]).map((row) => ({
    traceId: hex(row.trace_id),
    spanId: hex(row.span_id),
    parentSpanId: hex(row.parent_span_id),
    traceState: row.trace_state,
    flags: Number(row.flags),
    name: row.name,
    kind: Number(row.kind) as SpanKind,
    startTimeUnixNanos: row.start,
    endTimeUnixNanos: row.end,
    attributes: JSON.parse(row.attributes),
    droppedAttributesCount: 0,
    events: JSON.parse(row.events),
    droppedEventsCount: 0,
    links: JSON.parse(row.links),
    droppedLinksCount: 0,
    status: { code: Number(row.status) as StatusCode, message: row.message },
    resource: resources.get(row.service)!,
    scope: scopes.get(row.scope)!,
  }));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
