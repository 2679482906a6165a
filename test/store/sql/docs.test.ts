import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AggregationTemporality, type LogData, type MetricData, type SumData } from '@tracewell/otlp';
import { type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import { openStore, type TraceStore } from '@tracewell/store';
import { log } from '../query/logs.ts';
import { gauge } from '../query/metrics.ts';
import { id, span } from '../query/spans.ts';

const MINUTE = 60_000_000_000n;
const ROUTES = ['/cart', '/checkout', '/items/{id}'];

/** The statements of the guide, with the line that introduces each. */
function statements(): { readonly title: string; readonly sql: string }[] {
  const guide = readFileSync(new URL('../../../docs/sql.md', import.meta.url), 'utf8');
  return [...guide.matchAll(/^(.+)\n\n```sql\n([\s\S]*?)\n```$/gm)].map(([, title, sql]) => ({
    title: title!.replace(/.*\. /, '').replace(/:$/, ''),
    sql: sql!,
  }));
}

/** Requests of a shop: some fail, all read from a database, some through another service. */
function shop(number: number, now: bigint): { spans: SpanData[]; logs: LogData[] } {
  const traceId = number === 1 ? '4bf92f3577b34da6a3ce929d0e0e4736' : id(number).repeat(2);
  const start = now - BigInt(number) * 2n * MINUTE;
  const failed = number % 7 === 0;
  const at = (spanId: number, parent: number, fields: Partial<SpanData> & { service?: string }): SpanData =>
    span({
      traceId,
      spanId: id(number * 100 + spanId),
      parentSpanId: parent === 0 ? '' : id(number * 100 + parent),
      startTimeUnixNanos: start + BigInt(spanId) * 1_000_000n,
      endTimeUnixNanos: start + BigInt(spanId) * 1_000_000n + BigInt(number) * 3_000_000n,
      ...fields,
    });
  const route = ROUTES[number % ROUTES.length]!;
  const spans = [
    at(1, 0, {
      name: `GET ${route}`,
      kind: SpanKind.SERVER,
      endTimeUnixNanos: start + BigInt(number) * 40_000_000n,
      status: { code: failed ? StatusCode.ERROR : StatusCode.UNSET, message: '' },
      attributes: { 'http.route': route, 'http.response.status_code': failed ? 500 : 200 },
      events: failed
        ? [
            {
              name: 'exception',
              timeUnixNanos: start,
              attributes: { 'exception.type': 'Error', 'exception.message': 'out of stock' },
              droppedAttributesCount: 0,
            },
          ]
        : [],
    }),
    at(2, 1, { name: 'reserve', kind: SpanKind.SERVER, service: 'stock' }),
    ...[3, 4, 5, 6, 7].map((spanId) =>
      at(spanId, 2, {
        name: 'SELECT items',
        kind: SpanKind.CLIENT,
        service: 'stock',
        attributes: { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT * FROM items WHERE id = $1' },
      }),
    ),
  ];
  const logs = [
    log({ traceId, timeUnixNanos: start, body: `request ${number}`, severityNumber: 9 }),
    ...(failed
      ? [log({ traceId, timeUnixNanos: start, body: `item ${number} is out of stock`, severityNumber: 17 })]
      : []),
  ];
  return { spans, logs };
}

/** The memory of two hosts, and a counter that starts anew once. */
function metrics(now: bigint): MetricData[] {
  const times = Array.from({ length: 20 }, (_, i) => now - BigInt(20 - i) * 2n * MINUTE);
  return [
    ...['node-1', 'node-2'].map((host) => ({
      ...gauge(
        { name: 'process.memory.usage', unit: 'By' },
        ...times.map((timeUnixNanos, i) => ({ timeUnixNanos, value: 1e6 * (i + host.length) })),
      ),
      resource: {
        attributes: { 'service.name': 'shop', 'host.name': host },
        droppedAttributesCount: 0,
        schemaUrl: '',
      },
    })),
    {
      ...gauge({ name: 'jobs.done' }),
      type: 'sum',
      temporality: AggregationTemporality.CUMULATIVE,
      isMonotonic: true,
      points: gauge(
        {},
        ...times.map((timeUnixNanos, i) => ({
          timeUnixNanos,
          value: (i % 12) * 30,
          attributes: { queue: 'mail' },
        })),
      ).points,
    } as SumData,
  ];
}

describe('docs/sql.md', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tracewell-sql-docs-'));
  let store: TraceStore;

  before(async () => {
    store = await openStore(directory);
    const now = BigInt(Date.now()) * 1_000_000n;
    for (let number = 1; number <= 50; number++) {
      const { spans, logs } = shop(number, now);
      await store.insertSpans(spans);
      await store.insertLogs(logs);
    }
    await store.insertMetrics(metrics(now));
    await store.addComment({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', author: 'ada', text: 'look here' });
  });

  after(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  test('asks twenty questions', () => {
    assert.ok(statements().length >= 20, `there are ${statements().length}`);
  });

  for (const { title, sql } of statements()) {
    test(title, async () => {
      const { rows, columns, partial } = await store.querySql(sql);
      assert.ok(rows.length > 0, 'there is nothing in the answer');
      assert.equal(partial, undefined);
      for (const { name } of columns) {
        assert.ok(
          rows.some((row) => row[name] !== null),
          `${name} is always NULL`,
        );
      }
    });
  }

  test('lists the columns that there are', async () => {
    const guide = readFileSync(new URL('../../../docs/sql.md', import.meta.url), 'utf8');
    for (const table of ['spans', 'logs', 'metrics', 'metrics_5m', 'comments']) {
      const section = guide.split(`**\`${table}\`**`)[1]?.split('\n**')[0] ?? '';
      const { rows } = await store.querySql(`DESCRIBE ${table}`);
      for (const { column_name: name } of rows) {
        assert.ok(section.includes(`\`${name}\``), `${table}.${name} is not in the guide`);
      }
    }
  });
});
