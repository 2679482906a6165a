import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeLogs, type LogData } from '@tracewell/otlp';
import fc from 'fast-check';
import type { LogFile } from '../../../../packages/store/src/cold/logs/log-file.ts';
import { LogSorter } from '../../../../packages/store/src/cold/logs/log-sorter.ts';
import { mergeLogFiles } from '../../../../packages/store/src/cold/logs/merge-log-files.ts';
import { writeLogFile } from '../../../../packages/store/src/cold/logs/write-log-file.ts';
import { shareRequests } from '../../../../packages/store/src/cold/shared-requests.ts';
import type { KeyedLog } from '../../../../packages/store/src/query/logs/find-logs.ts';
import { matchesLog, timeOf } from '../../../../packages/store/src/query/logs/match.ts';
import { planLogs } from '../../../../packages/store/src/query/logs/plan.ts';
import { compareRecordKeys } from '../../../../packages/store/src/query/record-key.ts';
import { anyLogs } from '../../../otlp/arbitrary-logs.ts';
import { log } from '../../../otlp/plain.ts';
import { MemorySink } from '../../parquet/memory-file.ts';
import { anyLogQuery, fileOf, keyed, openFile, similarLogs } from './files.ts';

// Shrinking takes minutes, since each step writes files.
fc.configureGlobal({ numRuns: 50, endOnFailure: true });

function allOf(file: LogFile | undefined, query = {}): KeyedLog[] {
  return file === undefined ? [] : [...file.newest(planLogs(query, 0n))].filter((each) => each !== undefined);
}

test('any log records come back from a file as they were, newest first, each request once', () => {
  fc.assert(
    fc.property(fc.array(anyLogs, { maxLength: 3 }), (requests) => {
      const file = fileOf([...requests, ...requests.slice(0, 1)]);
      assert.deepEqual(allOf(file), keyed(requests));
      file?.parquet.verify();
    }),
  );
});

test('a query finds in a log file what a look at every record finds, from any place on', () => {
  fc.assert(
    fc.property(
      fc.array(similarLogs, { minLength: 1, maxLength: 4 }),
      anyLogQuery,
      fc.nat(8),
      (requests, query, place) => {
        const all = keyed(requests);
        const after = all[place]?.key;
        const plan = { ...planLogs(query, 0n), after };
        const expected = all.filter(
          (each) =>
            matchesLog(each.log, plan) && (after === undefined || compareRecordKeys(each.key, after) > 0),
        );
        const file = fileOf(requests);
        const found = file === undefined ? [] : [...file.newest(plan)].filter((each) => each !== undefined);
        assert.deepEqual(found, expected);
      },
    ),
    { numRuns: 100 },
  );
});

test('merged log files hold what the files held, copies once', () => {
  fc.assert(
    fc.property(fc.array(similarLogs, { maxLength: 4 }), (parts) => {
      const both = [...parts, ...parts.slice(0, 1)];
      const files = both.map((logs) => fileOf([logs])).filter((file) => file !== undefined);
      const sink = new MemorySink();
      const summary = mergeLogFiles(files, sink, new Map([['tracewell.from', 'parts']]));
      const expected = keyed(parts);
      if (summary === undefined) return assert.equal(expected.length, 0);
      const merged = openFile(sink.bytes());
      assert.deepEqual(allOf(merged), expected);
      assert.equal(merged.parquet.keyValues.get('tracewell.from'), 'parts');
      assert.deepEqual(
        [summary.rows, summary.maxTimeUnixNanos, summary.minTimeUnixNanos],
        [expected.length, expected[0]!.key.timeUnixNanos, expected.at(-1)!.key.timeUnixNanos],
      );
      // What was merged is in order, or merging it again would not find copies.
      const again = new MemorySink();
      assert.equal(mergeLogFiles([merged, merged], again)?.rows, expected.length);
      assert.deepEqual(allOf(openFile(again.bytes())), expected);
    }),
  );
});

test('files share rows if they have rows of the same request', () => {
  const [a, b] = [[log({ body: 'a' })], [log({ body: 'b' })]];
  assert.equal(shareRequests(fileOf([a])!.parquet, fileOf([b])!.parquet), false);
  assert.equal(shareRequests(fileOf([a, b])!.parquet, fileOf([b])!.parquet), true);
});

test('the records of each hour go to a file of their own', () => {
  const HOUR = 3_600_000_000_000n;
  const logs: LogData[] = [0n, 1n, HOUR - 1n, HOUR, 5n * HOUR].map((timeUnixNanos, index) =>
    log({ timeUnixNanos, observedTimeUnixNanos: 1n, body: index }),
  );
  const sorter = new LogSorter();
  sorter.add(encodeLogs(logs));
  assert.deepEqual(sorter.hours(), [0, 1, 5]);
  for (const hour of sorter.hours()) {
    const sink = new MemorySink();
    const summary = writeLogFile(sorter, sink, { hour, keyValues: new Map([['from', 'x']]) });
    const found = allOf(openFile(sink.bytes())).map((each) => each.log);
    const expected = logs.filter((each) => timeOf(each) / HOUR === BigInt(hour));
    assert.deepEqual(new Set(found.map(({ body }) => body)), new Set(expected.map(({ body }) => body)));
    assert.equal(summary?.rows, expected.length);
  }
  assert.equal(writeLogFile(sorter, new MemorySink(), { hour: 7 }), undefined);
});

test('many records make row groups and pages, of which a query reads those that may match', () => {
  const services = ['a', 'b', 'c'].map((name) => ({
    ...log().resource,
    attributes: { 'service.name': name },
  }));
  const logs = Array.from({ length: 90_000 }, (_, index) =>
    log({
      timeUnixNanos: BigInt(index + 1),
      body: `record ${index}`,
      severityNumber: index % 1000 === 0 ? 17 : 9,
      resource: services[index % 3]!,
      traceId: (index + 1).toString(16).padStart(32, '0'),
    }),
  );
  const file = fileOf([logs.slice(0, 50_000), logs.slice(50_000)])!;
  assert.equal(file.parquet.rowGroups, 2);
  const bodies = (query: object): unknown[] => allOf(file, query).map((each) => each.log.body);
  const expected = (matches: (each: LogData, index: number) => boolean): unknown[] =>
    logs
      .filter(matches)
      .map(({ body }) => body)
      .reverse();
  assert.deepEqual(
    bodies({ service: 'b', startTime: 101n, endTime: 131n }),
    expected((_, i) => i % 3 === 1 && i >= 100 && i < 130),
  );
  assert.deepEqual(
    bodies({ minSeverity: 17 }),
    expected(({ severityNumber }) => severityNumber === 17),
  );
  assert.deepEqual(bodies({ traceId: (71).toString(16).padStart(32, '0') }), ['record 70']);
  assert.deepEqual(bodies({ service: 'd' }), []);
  assert.equal(bodies({}).length, logs.length);
});
