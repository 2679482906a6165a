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
  what: 'A trace by its id, and the newest 100 failing spans of a service, decoded on both sides, beside node:sqlite with an index for each, a column a field, ids as text, and JSON for attributes, events and links.',

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
      for (const statement of [trace, failing]) {
        statement.setReadBigInts(true);
        statement.setReturnArrays(true);
      }
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
            const found = decodeRows(trace.all(traceId(number, spans)));
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
    decodeRows(trace.all(id)).sort((a, b) => Number(a.startTimeUnixNanos - b.startTimeUnixNanos)),
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

// What makes the peer faster was tried and kept: ids as text (as blobs, each costs an array when it is read) and
// NULL for no events and links took it from 800 to 430 us a page, rows as arrays to 220 us.
function fillSqlite(directory: string, requests: number): DatabaseSync {
  const maker = new RequestMaker();
  const database = new DatabaseSync(join(directory, 'spans.sqlite'));
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -262144;
    CREATE TABLE spans (
      trace_id TEXT, span_id TEXT, parent_span_id TEXT, trace_state TEXT, flags INTEGER, name TEXT, kind INTEGER,
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
    span.traceId,
    span.spanId,
    span.parentSpanId,
    span.traceState,
    span.flags,
    span.name,
    span.kind,
    span.startTimeUnixNanos,
    span.endTimeUnixNanos,
    JSON.stringify(span.attributes),
    jsonUnlessEmpty(span.events),
    jsonUnlessEmpty(span.links),
    span.status.code,
    span.status.message,
    span.resource.attributes['service.name'] as string,
    span.scope.name,
  );
}

// As in the store, resources and scopes are decoded once and shared.
const resources = new Map(SERVICES.map((service, index) => [service, spanOf(index * 64).resource]));
const scopes = new Map([0, 1].map((number) => [spanOf(number).scope.name, spanOf(number).scope]));

type Row = [
  traceId: string,
  spanId: string,
  parentSpanId: string,
  traceState: string,
  flags: bigint,
  name: string,
  kind: bigint,
  start: bigint,
  end: bigint,
  attributes: string,
  events: string | null,
  links: string | null,
  status: bigint,
  message: string,
  service: string,
  scope: string,
];

function decodeRows(rows: unknown): SpanData[] {
  return (rows as Row[]).map((row) => ({
    traceId: row[0],
    spanId: row[1],
    parentSpanId: row[2],
    traceState: row[3],
    flags: Number(row[4]),
    name: row[5],
    kind: Number(row[6]) as SpanKind,
    startTimeUnixNanos: row[7],
    endTimeUnixNanos: row[8],
    attributes: JSON.parse(row[9]),
    droppedAttributesCount: 0,
    events: row[10] === null ? NONE : JSON.parse(row[10]),
    droppedEventsCount: 0,
    links: row[11] === null ? NONE : JSON.parse(row[11]),
    droppedLinksCount: 0,
    status: { code: Number(row[12]) as StatusCode, message: row[13] },
    resource: resources.get(row[14])!,
    scope: scopes.get(row[15])!,
  }));
}

const NONE: readonly never[] = [];

function jsonUnlessEmpty(list: readonly unknown[]): string | null {
  return list.length === 0 ? null : JSON.stringify(list);
}
