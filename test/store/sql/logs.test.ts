import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LogData } from '@tracewell/otlp';
import { openStore, type SqlRow, type SqlValue } from '@tracewell/store';
import fc from 'fast-check';
import { valueText } from '../../../packages/store/src/cold/attributes/value-text.ts';
import { newDirectory } from '../engine/directory.ts';
import { arbitraryLog, log } from '../query/logs.ts';

const COLUMNS =
  'time, observed_time, service_name, severity_number, severity_text, body, trace_id, span_id, event_name, flags';

/** A row of SQL, of a record as the store gives it back. */
function rowOf(found: LogData): SqlRow {
  const service = found.resource.attributes['service.name'];
  return {
    time: time(found.timeUnixNanos || found.observedTimeUnixNanos),
    observed_time: found.observedTimeUnixNanos === 0n ? null : time(found.observedTimeUnixNanos),
    service_name: service === undefined ? 'unknown_service' : String(service),
    severity_number: found.severityNumber,
    severity_text: found.severityText || null,
    body: found.body === undefined ? null : valueText(found.body),
    trace_id: found.traceId || null,
    span_id: found.spanId || null,
    event_name: found.eventName || null,
    flags: found.flags,
  };
}

/** The largest time of SQL stands for all beyond, and is called so. */
function time(nanos: bigint): SqlValue {
  return nanos >= 2n ** 63n - 1n ? 'infinity' : nanos;
}

function sorted(rows: readonly SqlRow[]): string[] {
  return rows
    .map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)))
    .sort();
}

describe('the table logs', () => {
  test('has a column for everything that it documents', async (t) => {
    const store = await openStore(newDirectory(t));
    t.after(() => store.close());
    await store.insertLogs([
      log({
        timeUnixNanos: 1_760_000_000_123_456_789n,
        observedTimeUnixNanos: 1_760_000_000_123_456_790n,
        severityNumber: 17,
        severityText: 'error',
        body: { user: 7 },
        attributes: { code: 500, retry: true },
        traceId: 'a'.repeat(32),
        spanId: 'b'.repeat(16),
        eventName: 'checkout.failed',
        flags: 1,
      }),
    ]);
    const { rows, columns } = await store.querySql('SELECT * FROM logs');
    assert.deepEqual(rows, [
      {
        time: 1_760_000_000_123_456_789n,
        observed_time: 1_760_000_000_123_456_790n,
        service_name: 'shop',
        severity: 'ERROR',
        severity_number: 17,
        severity_text: 'error',
        body: '{"user":7}',
        trace_id: 'a'.repeat(32),
        span_id: 'b'.repeat(16),
        event_name: 'checkout.failed',
        attributes: { code: '500', retry: 'true' },
        resource_attributes: { 'service.name': 'shop', 'host.name': 'h' },
        scope_name: 'test',
        scope_version: null,
        flags: 1,
        payloads: [],
      },
    ]);
    const described = await store.querySql('DESCRIBE logs');
    assert.deepEqual(
      described.rows.map((row) => [row.column_name, row.column_type]),
      columns.map(({ name, type }) => [name, type]),
    );
  });

  test('names severities by the ranges of their numbers', async (t) => {
    const store = await openStore(newDirectory(t));
    t.after(() => store.close());
    await store.insertLogs(
      Array.from({ length: 25 }, (_, i) =>
        log({ severityNumber: i as LogData['severityNumber'], timeUnixNanos: BigInt(i + 1) }),
      ),
    );
    const { rows } = await store.querySql(
      'SELECT severity, list(severity_number ORDER BY severity_number) AS numbers FROM logs GROUP BY 1 ORDER BY min(severity_number)',
    );
    assert.deepEqual(rows, [
      { severity: null, numbers: [0] },
      { severity: 'TRACE', numbers: [1, 2, 3, 4] },
      { severity: 'DEBUG', numbers: [5, 6, 7, 8] },
      { severity: 'INFO', numbers: [9, 10, 11, 12] },
      { severity: 'WARN', numbers: [13, 14, 15, 16] },
      { severity: 'ERROR', numbers: [17, 18, 19, 20] },
      { severity: 'FATAL', numbers: [21, 22, 23, 24] },
    ]);
  });

  test('F21 has what queryLogs finds, each record once, whatever is inserted again', async (t) => {
    const directory = newDirectory(t);
    const store = await openStore(directory, { segmentBytes: 64 * 1024, durability: 'none' });
    const other = await openStore(directory, { segmentBytes: 64 * 1024, durability: 'none' });
    t.after(() => Promise.all([store.close(), other.close()]));
    const requests: LogData[][] = [];
    let fillers = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            logs: fc.array(arbitraryLog, { minLength: 1, maxLength: 8 }),
            again: fc.option(fc.nat(), { nil: undefined }),
            elsewhere: fc.boolean(),
          }),
          { maxLength: 5 },
        ),
        async (inserts) => {
          for (const { logs, again, elsewhere } of inserts) {
            const request = again === undefined ? logs : (requests[again % requests.length] ?? logs);
            requests.push(request);
            const target = elsewhere ? other : store;
            await target.insertLogs(request);
            // Ends the segment soon, so that copies lie in different ones.
            await target.insertLogs([log({ body: `${fillers++} ${'x'.repeat(20_000)}` })]);
          }
          const { rows } = await store.querySql(`SELECT ${COLUMNS} FROM logs WHERE len(payloads) = 0`);
          const { logs } = await store.queryLogs({ limit: 10_000 });
          const found = logs.filter(({ body }) => typeof body !== 'string' || body.length < 1000);
          assert.deepEqual(sorted(rows), sorted(found.map(rowOf)));
        },
      ),
      { numRuns: 25 },
    );
  });
});
