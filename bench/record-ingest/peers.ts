// The other ways to keep log records and points on this machine. Each makes OTLP requests durable and, but for JSON
// lines, findable: log records by trace and by service and time, points by series and time. What waits at the same time
// shares one transaction and one sync, as it does in the store.
import { type FileHandle, open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type decodeLogs, type decodeMetrics, LogScanner, MetricScanner } from '@tracewell/otlp';
import { open as openLmdb, type RootDatabase } from 'lmdb';
import type { Peer } from '../ingest/peers.ts';

type Put = (key: Buffer, value: Buffer) => void;

/** Walks requests with the scanner that the store uses, so that all sides read OTLP at the same cost. */
export type Walk = (request: Buffer, put: Put) => void;

/** Two keys for a record: its service and time, and its trace. */
export function logKeys(): Walk {
  const scanner = new LogScanner();
  let count = 0;
  return (bytes, put) => {
    scanner.reset(bytes);
    while (scanner.next()) {
      const { serviceNameStart: start, serviceNameEnd: end } = scanner;
      const service = Buffer.allocUnsafe(end - start + 15);
      service[0] = 1;
      service.set(bytes.subarray(start, end), 1);
      let at = end - start + 1;
      service[at++] = 0;
      service[at++] = scanner.severityNumber;
      at = service.writeUInt32BE(scanner.timeHigh, at);
      at = service.writeUInt32BE(scanner.timeLow, at);
      // Two records of the same nanosecond are two.
      service.writeUInt32BE(count++ >>> 0, at);
      put(service, bytes.subarray(scanner.recordStart, scanner.recordEnd));
      if (scanner.traceIdAt < 0) continue;
      const trace = Buffer.allocUnsafe(29);
      trace[0] = 2;
      trace.set(bytes.subarray(scanner.traceIdAt, scanner.traceIdAt + 16), 1);
      trace.writeUInt32BE(scanner.timeHigh, 17);
      trace.writeUInt32BE(scanner.timeLow, 21);
      trace.writeUInt32BE(count >>> 0, 25);
      put(trace, service);
    }
  };
}

/** One key for a point: the service, the metric's name, the labels as they came, and the time. */
export function pointKeys(): Walk {
  const scanner = new MetricScanner();
  return (bytes, put) => {
    scanner.reset(bytes);
    while (scanner.next()) {
      const service = bytes.subarray(scanner.serviceNameStart, scanner.serviceNameEnd);
      const name = bytes.subarray(scanner.nameStart, scanner.nameEnd);
      const labels = bytes.subarray(scanner.attributesStart, scanner.attributesEnd);
      const key = Buffer.allocUnsafe(service.length + name.length + labels.length + 10);
      key.set(service, 0);
      key[service.length] = 0;
      key.set(name, service.length + 1);
      let at = service.length + 1 + name.length;
      key[at++] = 0;
      key.set(labels, at);
      at = key.writeUInt32BE(scanner.timeHigh, at + labels.length);
      key.writeUInt32BE(scanner.timeLow, at);
      put(key, bytes.subarray(scanner.pointStart, scanner.pointEnd));
    }
  };
}

export function lmdb(directory: string, walk: Walk): Peer {
  const root: RootDatabase<Buffer, Buffer> = openLmdb({
    path: join(directory, 'lmdb'),
    keyEncoding: 'binary',
    encoding: 'binary',
    compression: false,
  });
  return {
    async commit(requests) {
      for (const request of requests) {
        walk(Buffer.from(request.buffer, request.byteOffset, request.byteLength), (key, value) => {
          void root.put(key, value);
        });
      }
      await root.flushed;
    },
    close: () => root.close(),
  };
}

/** A record, or a metric with its points, a line; not indexed. */
export async function jsonLines(
  directory: string,
  decode: typeof decodeLogs | typeof decodeMetrics,
): Promise<Peer> {
  const file: FileHandle = await openFile(join(directory, 'records.jsonl'), 'a');
  const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
  return {
    async commit(requests) {
      let lines = '';
      for (const request of requests) {
        for (const record of decode(request)) lines += `${JSON.stringify(record, plain)}\n`;
      }
      await file.write(lines);
      await file.datasync();
    },
    close: () => file.close(),
  };
}
