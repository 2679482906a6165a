import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { decodeTraces, encodeTraces } from '@tracewell/otlp';
import { Double, type SpanData, type SpanKind, StatusCode, traceTree } from '@tracewell/plugin';
import { openStore, type TraceStore } from '@tracewell/store';
import { alternate, type Bench, compare } from './harness.ts';
import {
  FIRST_START,
  idsOf,
  NO_FULL_TEXT,
  RequestMaker,
  SERVICES,
  SPANS_PER_REQUEST,
  spanOf,
} from './store-spans.ts';

const PAGE = 100;

const bench: Bench = {
  name: 'hot-query',
  what: 'A trace by its id as a tree, and the newest 100 failing spans of a service, as whole spans on both sides, beside node:sqlite with an index for each, a column a field, ids as text, attributes as JSON, and OTLP beside them for what JSON cannot say.',

  async run({ tiny, report }) {
    for (const spans of tiny ? [20_000] : [1_000_000, 5_000_000]) {
      const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
      const requests = Math.ceil(spans / SPANS_PER_REQUEST);
      const store = await fillStore(directory, requests);
      const database = fillSqlite(directory, requests);
      const trace = database.prepare(`SELECT ${COLUMNS} FROM spans WHERE trace_id = ?`);
      const failing = database.prepare(
        `SELECT ${COLUMNS} FROM spans WHERE service = ? AND status = 2 ORDER BY start DESC LIMIT ?`,
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

/** Both sides must return the same spans, also those that use all of what OTLP can say. */
async function assertSame(
  store: TraceStore,
  trace: StatementSync,
  failing: StatementSync,
  spans: number,
): Promise<void> {
  const byStart = (a: SpanData, b: SpanData): number => Number(a.startTimeUnixNanos - b.startTimeUnixNanos);
  for (const id of [traceId(3, spans), RICH_SPAN.traceId]) {
    assertEqual((await store.getTrace(id))!.spans, decodeRows(trace.all(id)).sort(byStart));
  }
  const page = await store.queryTraces({ service: SERVICES[0]!, status: StatusCode.ERROR, limit: PAGE });
  assertEqual(page.spans, decodeRows(failing.all(SERVICES[0]!, PAGE)));
}

/** As OTLP, which tells every type and number from every other. */
function assertEqual(ours: readonly SpanData[], theirs: readonly SpanData[]): void {
  assert.equal(Buffer.compare(encodeTraces(ours), encodeTraces(theirs)), 0);
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
  const store = await openStore(join(directory, 'store'), {
    durability: 'none',
    search: NO_FULL_TEXT,
  });
  await store.insertSpans([RICH_SPAN]);
  for (let number = 0; number < requests; number++) {
    await store.insertBatch({ bytes: maker.make(number), spanCount: SPANS_PER_REQUEST });
  }
  return store;
}

/** Older than all others, so that it is in no page. */
const RICH_SPAN: SpanData = {
  ...spanOf(0),
  traceId: 'ab'.repeat(16),
  startTimeUnixNanos: FIRST_START - 1n,
  attributes: {
    'a double': new Double(1),
    'a large integer': 2n ** 62n,
    bytes: Uint8Array.of(1, 2, 3),
    nested: [[1, 'x', true], { key: 0.5 }],
  },
  droppedAttributesCount: 1,
  events: [{ name: 'e', timeUnixNanos: FIRST_START, attributes: { a: 1 }, droppedAttributesCount: 0 }],
  links: [
    {
      traceId: idsOf(9).traceId,
      spanId: idsOf(9).spanId,
      traceState: '',
      flags: 1,
      attributes: {},
      droppedAttributesCount: 0,
    },
  ],
};

// What a row is decoded from, in the order of `Row`.
const COLUMNS =
  'trace_id, span_id, parent_span_id, trace_state, flags, name, kind, start, "end", attributes, status, message, resource, scope, otlp';

// What makes the peer faster was tried and kept: ids as text (as blobs, each costs an array when it is read) and
// NULL for what there is not took it from 800 to 430 us a page, rows as arrays to 220 us. With the Span message
// as one blob instead of the columns, decoded as the store decodes it, it takes an eighth longer than so.
function fillSqlite(directory: string, requests: number): DatabaseSync {
  const maker = new RequestMaker();
  const database = new DatabaseSync(join(directory, 'spans.sqlite'));
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -262144;
    CREATE TABLE spans (
      trace_id TEXT, span_id TEXT, parent_span_id TEXT, trace_state TEXT, flags INTEGER, name TEXT, kind INTEGER,
      start INTEGER, "end" INTEGER, attributes TEXT, status INTEGER, message TEXT, service TEXT,
      resource INTEGER, scope INTEGER, otlp BLOB
    );
  `);
  const insert = database.prepare(
    'INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  insertSpan(insert, RICH_SPAN);
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
    fitsColumns(span) ? JSON.stringify(span.attributes) : null,
    span.status.code,
    span.status.message,
    span.resource.attributes['service.name'] as string,
    RESOURCES.findIndex(
      (resource) => resource.attributes['service.name'] === span.resource.attributes['service.name'],
    ),
    SCOPES.findIndex((scope) => scope.name === span.scope.name),
    fitsColumns(span) ? null : encodeTraces([span]),
  );
}

/** Whether columns and JSON can say all of a span; if not, its OTLP stands beside them. */
function fitsColumns(span: SpanData): boolean {
  const { droppedAttributesCount, droppedEventsCount, droppedLinksCount } = span;
  const lists = span.events.length + span.links.length;
  return (
    lists + droppedAttributesCount + droppedEventsCount + droppedLinksCount === 0 &&
    Object.values(span.attributes).every(
      (value) => typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value),
    )
  );
}

// As in the store, resources and scopes are decoded once and shared.
const RESOURCES = SERVICES.map((_, index) => spanOf(index * 64).resource);
const SCOPES = [0, 1].map((number) => spanOf(number).scope);

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
  status: bigint,
  message: string,
  resource: bigint,
  scope: bigint,
  otlp: Uint8Array | null,
];

function decodeRows(rows: unknown): SpanData[] {
  return (rows as Row[]).map((row) => {
    if (row[14] !== null) return decodeTraces(row[14])[0]!;
    return {
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
      events: NONE,
      droppedEventsCount: 0,
      links: NONE,
      droppedLinksCount: 0,
      status: { code: Number(row[10]) as StatusCode, message: row[11] },
      resource: RESOURCES[Number(row[12])]!,
      scope: SCOPES[Number(row[13])]!,
    };
  });
}

const NONE: readonly never[] = [];
