// Log files in memory, and log records that resemble each other enough for filters and copies to find something.
import assert from 'node:assert/strict';
import { decodeLogs, encodeLogs, type LogData, SeverityNumber } from '@tracewell/otlp';
import type { AttributeValue } from '@tracewell/plugin';
import fc from 'fast-check';
import { LogFile } from '../../../../packages/store/src/cold/logs/log-file.ts';
import { LogSorter } from '../../../../packages/store/src/cold/logs/log-sorter.ts';
import { writeLogFile } from '../../../../packages/store/src/cold/logs/write-log-file.ts';
import { requestId } from '../../../../packages/store/src/hot/request-id.ts';
import type { KeyedLog } from '../../../../packages/store/src/query/logs/find-logs.ts';
import { timeOf } from '../../../../packages/store/src/query/logs/match.ts';
import { compareRecordKeys } from '../../../../packages/store/src/query/record-key.ts';
import { bare } from '../../../otlp/arbitrary.ts';
import { anyLogs } from '../../../otlp/arbitrary-logs.ts';
import { MemorySink, memoryFile } from '../../parquet/memory-file.ts';

/** A file of the records of some requests; `undefined` if there are none. */
export function fileOf(requests: readonly (readonly LogData[])[]): LogFile | undefined {
  const sorter = new LogSorter();
  for (const logs of requests) sorter.add(encodeLogs(logs));
  const sink = new MemorySink();
  const summary = writeLogFile(sorter, sink);
  if (summary === undefined) return undefined;
  assert.equal(summary.bytes, sink.size);
  return openFile(sink.bytes());
}

export function openFile(bytes: Uint8Array): LogFile {
  return LogFile.open(memoryFile(bytes), 'logs.parquet');
}

/** The records of some requests, newest first, each request once: what a file of them should hold. */
export function keyed(requests: readonly (readonly LogData[])[]): KeyedLog[] {
  const all = new Map<string, KeyedLog>();
  for (const logs of requests) {
    const bytes = encodeLogs(logs);
    const { high, low } = requestId(bytes);
    const request = (BigInt(high) << 32n) | BigInt(low);
    // Encoding puts the records of a resource together.
    for (const [index, log] of decodeLogs(bytes).entries()) {
      all.set(`${request} ${index}`, { key: { timeUnixNanos: timeOf(log), request, index }, log });
    }
  }
  return [...all.values()].sort((a, b) => compareRecordKeys(a.key, b.key));
}

export const TIMES = [
  0n,
  1_760_000_000_000_000_000n,
  1_760_000_000_000_000_001n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];
const TRACE = '1'.repeat(32);

/** Some records with few times, ids, severities and attributes. */
export const similarLogs: fc.Arbitrary<LogData[]> = anyLogs.chain((logs) =>
  fc.tuple(
    ...logs.map((log) =>
      fc
        .record({
          timeUnixNanos: fc.constantFrom(...TIMES),
          observedTimeUnixNanos: fc.constantFrom(...TIMES),
          severityNumber: fc.constantFrom(
            SeverityNumber.UNSPECIFIED,
            SeverityNumber.INFO,
            SeverityNumber.ERROR,
          ),
          traceId: fc.constantFrom('', TRACE),
          spanId: fc.constantFrom('', '2'.repeat(16)),
          body: fc.constantFrom('payment is slow', 'käse', undefined, null, 7, bare([['a', ['slow']]])),
          service: fc.constantFrom('web', 'cart', undefined),
          attribute: fc.constantFrom(1, 'x', true, undefined),
        })
        .map(({ service, attribute, ...fields }) => ({
          ...log,
          ...fields,
          attributes: attribute === undefined ? log.attributes : bare<AttributeValue>([['a', attribute]]),
          resource: {
            ...log.resource,
            attributes: bare<AttributeValue>(service === undefined ? [] : [['service.name', service]]),
          },
        })),
    ),
  ),
);

/** What `queryLogs` may be asked, some of which finds something. */
export const anyLogQuery = fc.record(
  {
    service: fc.constantFrom('web', 'cart', 'unknown_service', 'nobody'),
    minSeverity: fc.constantFrom(SeverityNumber.UNSPECIFIED, SeverityNumber.INFO, SeverityNumber.FATAL),
    contains: fc.constantFrom('slow', 'käse', '7', 'nothing'),
    traceId: fc.constantFrom(TRACE, '3'.repeat(32)),
    spanId: fc.constantFrom('2'.repeat(16), '3'.repeat(16)),
    attributes: fc.constantFrom({ a: 1 }, { a: 'x' }, { 'service.name': 'web' }, { b: 1 }),
    startTime: fc.constantFrom(...TIMES),
    endTime: fc.constantFrom(...TIMES),
  },
  { requiredKeys: [] },
);
