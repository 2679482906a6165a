// The other ways to keep spans on this machine. Each makes OTLP requests durable and, but for JSON lines,
// findable by trace id and by service, status and start. What waits at the same time shares one transaction
// and one sync, as it does in the store.
import { type FileHandle, open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type DuckDBAppender, type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { decodeTraces, TraceScanner } from '@tracewell/otlp';
import { open as openLmdb, type RootDatabase } from 'lmdb';

export interface Peer {
  /** Resolves when the requests are durable. Called again only then. */
  commit(requests: readonly Uint8Array[]): void | Promise<void>;
  close(): void | Promise<void>;
}

/** A span as the columns of a table. */
export interface SpanRow {
  traceId: Buffer;
  spanId: Buffer;
  service: string;
  name: string;
  start: bigint;
  end: bigint;
  status: number;
  kind: number;
  /** The Span message. */
  body: Buffer;
}

/** Walks a request with the scanner that the store uses, so that all sides read OTLP at the same cost. */
export function forEachRow(request: Uint8Array, each: (row: SpanRow) => void): void {
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  const scanner = new TraceScanner();
  scanner.reset(bytes);
  while (scanner.next()) {
    each({
      traceId: bytes.subarray(scanner.traceIdAt, scanner.traceIdAt + 16),
      spanId: bytes.subarray(scanner.spanIdAt, scanner.spanIdAt + 8),
      service: bytes.toString('latin1', scanner.serviceNameStart, scanner.serviceNameEnd),
      name: bytes.toString('latin1', scanner.nameStart, scanner.nameEnd),
      start: (BigInt(scanner.startHigh) << 32n) | BigInt(scanner.startLow),
      end: (BigInt(scanner.endHigh) << 32n) | BigInt(scanner.endLow),
      status: scanner.statusCode,
      kind: scanner.kind,
      body: bytes.subarray(scanner.spanStart, scanner.spanEnd),
    });
  }
}

/** One key for the span, one for the list of a service's spans by status and start. */
export function lmdb(directory: string): Peer {
  const root: RootDatabase<Buffer, Buffer> = openLmdb({
    path: join(directory, 'lmdb'),
    keyEncoding: 'binary',
    encoding: 'binary',
    compression: false,
  });
  return {
    async commit(requests) {
      for (const request of requests) {
        forEachRow(request, (row) => {
          const key = Buffer.allocUnsafe(25);
          key[0] = 1;
          key.set(row.traceId, 1);
          key.set(row.spanId, 17);
          void root.put(key, row.body);
          const service = Buffer.allocUnsafe(row.service.length + 12);
          service[0] = 2;
          service.write(row.service, 1, 'latin1');
          service[row.service.length + 1] = 0;
          service[row.service.length + 2] = row.status;
          service.writeBigUInt64BE(row.start, row.service.length + 3);
          service[row.service.length + 11] = row.spanId[0]!;
          void root.put(service, key);
        });
      }
      await root.flushed;
    },
    close: () => root.close(),
  };
}

export const SQLITE_SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE spans (
    trace_id BLOB, span_id BLOB, service TEXT, name TEXT, start INTEGER, "end" INTEGER, status INTEGER,
    kind INTEGER, body BLOB
  );
  CREATE INDEX by_trace ON spans (trace_id);
  CREATE INDEX by_service ON spans (service, status, start);
`;

export function insertSqlite(insert: StatementSync, request: Uint8Array): void {
  forEachRow(request, (row) => {
    insert.run(
      row.traceId,
      row.spanId,
      row.service,
      row.name,
      row.start,
      row.end,
      row.status,
      row.kind,
      row.body,
    );
  });
}

export function sqlite(directory: string): Peer {
  const database = new DatabaseSync(join(directory, 'spans.sqlite'));
  database.exec(SQLITE_SCHEMA);
  const insert = database.prepare('INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  return {
    commit(requests) {
      database.exec('BEGIN');
      for (const request of requests) insertSqlite(insert, request);
      database.exec('COMMIT');
    },
    close: () => database.close(),
  };
}

/** Indexed by what DuckDB keeps of each column's values; an index of its own would make it slower still. */
export async function duckdb(directory: string): Promise<Peer> {
  const instance = await DuckDBInstance.create(join(directory, 'spans.duckdb'));
  const connection: DuckDBConnection = await instance.connect();
  await connection.run(
    'CREATE TABLE spans (trace_id BLOB, span_id BLOB, service VARCHAR, name VARCHAR, start UBIGINT, stop UBIGINT, status UTINYINT, kind UTINYINT, body BLOB)',
  );
  const appender: DuckDBAppender = await connection.createAppender('spans');
  return {
    commit(requests) {
      for (const request of requests) {
        forEachRow(request, (row) => {
          appender.appendBlob(row.traceId);
          appender.appendBlob(row.spanId);
          appender.appendVarchar(row.service);
          appender.appendVarchar(row.name);
          appender.appendUBigInt(row.start);
          appender.appendUBigInt(row.end);
          appender.appendUTinyInt(row.status);
          appender.appendUTinyInt(row.kind);
          appender.appendBlob(row.body);
          appender.endRow();
        });
      }
      // Commits, and with it syncs the write-ahead log.
      appender.flushSync();
    },
    close() {
      appender.closeSync();
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** A span a line, not indexed. */
export async function jsonLines(directory: string): Promise<Peer> {
  const file: FileHandle = await openFile(join(directory, 'spans.jsonl'), 'a');
  const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
  return {
    async commit(requests) {
      let lines = '';
      for (const request of requests) {
        for (const span of decodeTraces(request)) lines += `${JSON.stringify(span, plain)}\n`;
      }
      await file.write(lines);
      await file.datasync();
    },
    close: () => file.close(),
  };
}
