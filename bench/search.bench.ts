import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { encodeTraces } from '@tracewell/otlp';
import type { SpanData } from '@tracewell/plugin';
import { openStore, type TraceStore } from '@tracewell/store';
import { alternate, type Bench, compare } from './harness.ts';
import { spanOf } from './store-spans.ts';

const PAGE = 100;
const SPANS_PER_REQUEST = 512;

/** What is looked for, and the same in SQL. */
const SEARCHES = [
  { name: 'rare word', text: 'order987', sql: `text ILIKE '%order987 %'` },
  { name: 'common word', text: 'refused', sql: `text ILIKE '%refused%'` },
  { name: 'phrase', text: '"deadlock detected"', sql: `text ILIKE '%deadlock detected%'` },
  { name: 'two words', text: 'refused tenant7', sql: `text ILIKE '%refused%' AND text ILIKE '%tenant7 %'` },
  { name: 'prefix', text: 'order98*', sql: `text ILIKE '%order98%'` },
  { name: 'nothing', text: 'nowhere', sql: `text ILIKE '%nowhere%'` },
] as const;

const bench: Bench = {
  name: 'search',
  what: 'The messages of half a million exceptions stored and searched: the newest 100 spans with a word, a phrase, two words, a prefix, as whole spans, beside the texts in a DuckDB table and ILIKE, which returns ids.',

  async run({ tiny, report }) {
    const texts = tiny ? 5_000 : 500_000;
    const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
    const requests = Array.from({ length: Math.ceil(texts / SPANS_PER_REQUEST) }, (_, request) =>
      Array.from({ length: SPANS_PER_REQUEST }, (_, at) => textSpan(request * SPANS_PER_REQUEST + at)),
    );

    const store = await openStore(join(directory, 'store'));
    const ourStart = performance.now();
    for (const spans of requests) await store.insertOtlp('traces', encodeTraces(spans));
    while ((await store.queryTraces({ text: 'nowhere' })).searchLag !== undefined);
    const ourSeconds = (performance.now() - ourStart) / 1000;

    const instance = await DuckDBInstance.create(join(directory, 'texts.duckdb'));
    const connection = await instance.connect();
    const theirStart = performance.now();
    await fillDuckDb(connection, requests);
    const theirSeconds = (performance.now() - theirStart) / 1000;
    const count = requests.length * SPANS_PER_REQUEST;
    report(
      compare(
        'search',
        `${count / 1000}k texts stored until found`,
        'texts/s',
        'higher',
        count / ourSeconds,
        'DuckDB appender, no index',
        count / theirSeconds,
      ),
    );

    for (const { name, text, sql } of SEARCHES) {
      assert.deepEqual(await searchOurs(store, text), await searchTheirs(connection, sql), name);
      const times = await alternate(tiny ? 1 : 5, {
        ours: () => timed(tiny ? 2 : 20, () => searchOurs(store, text)),
        theirs: () => timed(tiny ? 1 : 3, () => searchTheirs(connection, sql)),
      });
      report(
        compare('search', `newest ${PAGE}: ${name}`, 'ms', 'lower', times.ours, 'DuckDB ILIKE', times.theirs),
      );
    }

    connection.closeSync();
    instance.closeSync();
    await store.close();
    await rm(directory, { recursive: true });
  },
};

export default bench;

const CAUSES = [
  'connection refused',
  'read timed out',
  'deadlock detected',
  'too many clients',
  'host unreachable',
];

/** A span whose exception names things that many others name, and some that few do. */
function textSpan(number: number): SpanData {
  // One cause is rare.
  const cause = number % 5 === 2 && number % 1000 !== 2 ? CAUSES[0] : CAUSES[number % 5];
  const message =
    `Error: ${cause} while loading order${number % 5000} of tenant${number % 20} from 10.0.${number % 7}.${number % 250}:5432 ` +
    `after ${number % 3000} ms (attempt ${number % 4}, pool size ${number % 64}, request r${number})`;
  const span = spanOf(number);
  return {
    ...span,
    attributes: {},
    events: [
      {
        name: 'exception',
        timeUnixNanos: span.endTimeUnixNanos,
        attributes: { 'exception.type': 'Error', 'exception.message': message },
        droppedAttributesCount: 0,
      },
    ],
  };
}

async function fillDuckDb(connection: DuckDBConnection, requests: readonly SpanData[][]): Promise<void> {
  await connection.run('CREATE TABLE texts (span_id VARCHAR, start BIGINT, text VARCHAR)');
  const appender = await connection.createAppender('texts');
  for (const spans of requests) {
    for (const { spanId, startTimeUnixNanos, events } of spans) {
      appender.appendVarchar(spanId);
      appender.appendBigInt(startTimeUnixNanos);
      appender.appendVarchar(String(events[0]!.attributes['exception.message']));
      appender.endRow();
    }
  }
  appender.closeSync();
  await connection.run('CHECKPOINT');
}

async function searchOurs(store: TraceStore, text: string): Promise<string[]> {
  const { spans } = await store.queryTraces({ text, limit: PAGE });
  return spans.map(({ spanId }) => spanId);
}

async function searchTheirs(connection: DuckDBConnection, where: string): Promise<string[]> {
  const found = await connection.runAndReadAll(
    `SELECT span_id FROM texts WHERE ${where} ORDER BY start DESC LIMIT ${PAGE}`,
  );
  return found.getRows().map(([spanId]) => String(spanId));
}

/** Milliseconds a search. */
async function timed(searches: number, search: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let at = 0; at < searches; at++) await search();
  return (performance.now() - start) / searches;
}
