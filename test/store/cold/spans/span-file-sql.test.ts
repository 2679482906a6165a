import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { encodeTraces } from '@tracewell/otlp';
import { Double, type SpanData } from '@tracewell/plugin';
import { SpanSorter } from '../../../../packages/store/src/cold/spans/span-sorter.ts';
import { writeSpanFile } from '../../../../packages/store/src/cold/spans/write-span-file.ts';
import { span } from '../../../otlp/span.ts';
import { MemorySink } from '../../parquet/memory-file.ts';
import { fileOf } from './files.ts';

const directory = mkdtempSync(join(tmpdir(), 'tracewell-spans-'));
let instance: DuckDBInstance;
let connection: DuckDBConnection;
before(async () => {
  instance = await DuckDBInstance.create();
  connection = await instance.connect();
});
after(() => {
  connection.closeSync();
  instance.closeSync();
  rmSync(directory, { recursive: true });
});

/** The rows of a query over a file of some spans, which it names `spans`. */
async function ask(spans: readonly SpanData[], sql: string): Promise<unknown[]> {
  const sorter = new SpanSorter();
  sorter.add(encodeTraces(spans));
  const sink = new MemorySink();
  writeSpanFile(sorter, sink);
  const path = join(directory, 'spans.parquet');
  writeFileSync(path, sink.bytes());
  const reader = await connection.runAndReadAll(`WITH spans AS (SELECT * FROM '${path}') ${sql}`);
  return reader.getRowsJson();
}

test('SQL sees ids as hex digits, times to the nanosecond in UTC, and attributes by key', async () => {
  const failed = span({
    parentSpanId: '00f067aa0ba902b7',
    attributes: {
      'http.route': '/cart',
      'http.response.status_code': 500,
      ratio: 0.25,
      whole: new Double(2),
      ok: false,
      tags: ['a', 1],
      nothing: null,
      raw: Uint8Array.of(1, 2),
    },
    status: { code: 2, message: 'boom' },
    events: [
      {
        name: 'exception',
        timeUnixNanos: 1n,
        attributes: { 'exception.type': 'TypeError', 'exception.message': 'x is not a function' },
        droppedAttributesCount: 0,
      },
    ],
  });
  const [row] = await ask(
    [failed],
    `SELECT trace_id, span_id, parent_span_id, service_name, name, kind, status_code, status_message, start_time,
      duration_ns, attributes['http.route'], attributes['http.response.status_code'], attributes['ratio'],
      attributes['whole'], attributes['ok'], attributes['tags'], attributes['nothing'], attributes['raw'],
      attributes['absent'], resource_attributes['service.name'], scope_name, scope_version, event_count,
      exception_type, exception_message, flags FROM spans`,
  );
  assert.deepEqual(row, [
    failed.traceId,
    failed.spanId,
    '00f067aa0ba902b7',
    'shop',
    'checkout',
    'SERVER',
    'ERROR',
    'boom',
    '2023-11-14 22:13:20.000000001',
    '20000002',
    '/cart',
    '500',
    '0.25',
    '2',
    'false',
    '["a",1]',
    'null',
    'AQI=',
    null,
    'shop',
    'http',
    '1',
    1,
    'TypeError',
    'x is not a function',
    1,
  ]);
});

test('F29 times at the ends of what there is, and an end before the start, come back, are found and are in order', async () => {
  const starts = [0n, 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];
  const ends = [2n ** 64n - 1n, 0n, 2n ** 63n - 1n, 2n ** 63n + 5n, 3n];
  const spans = starts.map((startTimeUnixNanos, index) =>
    span({ spanId: `${index + 1}`.repeat(16), startTimeUnixNanos, endTimeUnixNanos: ends[index]! }),
  );
  const file = fileOf([encodeTraces(spans)])!;
  assert.deepEqual(
    file.readTrace(span().traceId).map((found) => [found.startTimeUnixNanos, found.endTimeUnixNanos]),
    starts.map((start, index) => [start, ends[index]!]),
  );
  assert.deepEqual(
    await ask(
      spans,
      'SELECT duration_ns, epoch_ns(start_time) FROM spans WHERE isfinite(start_time) ORDER BY 2',
    ),
    [
      ['9223372036854775807', '0'],
      ['0', '1'],
    ],
  );
  assert.deepEqual(await ask(spans, 'SELECT count(*) FROM spans WHERE NOT isfinite(start_time)'), [['3']]);
});

test('text that is not UTF-8 is readable by SQL', async () => {
  const request = encodeTraces([span({ name: 'name?', attributes: { 'key?': 'value?' } })]);
  for (let at = 0; at < request.length; at++) if (request[at] === 0x3f) request[at] = 0xff;
  const sorter = new SpanSorter();
  sorter.add(request);
  const sink = new MemorySink();
  writeSpanFile(sorter, sink);
  const path = join(directory, 'broken.parquet');
  writeFileSync(path, sink.bytes());
  const reader = await connection.runAndReadAll(`SELECT name, attributes['key\uFFFD'] FROM '${path}'`);
  assert.deepEqual(reader.getRowsJson(), [['name\uFFFD', 'value\uFFFD']]);
});
