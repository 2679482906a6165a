// The writers that are compared: OTLP requests in, a Parquet file out, rows sorted by trace id and start, zstd.
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { zstdCompressSync } from 'node:zlib';
import {
  BIGINT,
  DuckDBDataChunk,
  DuckDBInstance,
  DuckDBTimestampNanosecondsValue,
  type DuckDBType,
  type DuckDBValue,
  INTEGER,
  TIMESTAMP_NS,
  VARCHAR,
} from '@duckdb/node-api';
import { decodeTraces } from '@tracewell/otlp';
import type { SpanData } from '@tracewell/plugin';
import { type ColumnSource, parquetWriteFile } from 'hyparquet-writer';
import { KINDS, STATUS_CODES } from '../../packages/store/src/cold/spans/columns.ts';
import { SpanSorter } from '../../packages/store/src/cold/spans/span-sorter.ts';
import { writeSpanFile } from '../../packages/store/src/cold/spans/write-span-file.ts';

export interface Written {
  readonly bytes: number;
}

type Side = (requests: readonly Uint8Array[], path: string) => Promise<Written>;

export type SideName = 'ours' | 'duckdb' | 'hyparquet-writer';

export const SIDES: Readonly<Record<SideName, Side>> = {
  ours: writeOurs,
  duckdb: writeDuckDb,
  'hyparquet-writer': writeHyparquet,
};

async function writeOurs(requests: readonly Uint8Array[], path: string): Promise<Written> {
  const sorter = new SpanSorter();
  for (const request of requests) sorter.add(request);
  const file = openSync(path, 'w');
  const summary = writeSpanFile(sorter, { write: (bytes) => void writeSync(file, bytes) })!;
  closeSync(file);
  return { bytes: summary.bytes };
}

// Attributes are JSON text, which is the fastest way into both; DuckDB makes maps of it on the way to the file.
const COLUMNS: readonly {
  readonly name: string;
  readonly type: DuckDBType;
  readonly of: (span: SpanData) => DuckDBValue;
}[] = [
  { name: 'trace_id', type: VARCHAR, of: (span: SpanData) => span.traceId },
  { name: 'span_id', type: VARCHAR, of: (span: SpanData) => span.spanId },
  { name: 'parent_span_id', type: VARCHAR, of: (span: SpanData) => span.parentSpanId || null },
  {
    name: 'service_name',
    type: VARCHAR,
    of: (span: SpanData) => String(span.resource.attributes['service.name']),
  },
  { name: 'name', type: VARCHAR, of: (span: SpanData) => span.name },
  { name: 'kind', type: VARCHAR, of: (span: SpanData) => KINDS[span.kind] },
  { name: 'status_code', type: VARCHAR, of: (span: SpanData) => STATUS_CODES[span.status.code] },
  { name: 'status_message', type: VARCHAR, of: (span: SpanData) => span.status.message || null },
  { name: 'start_time', type: TIMESTAMP_NS, of: (span: SpanData) => span.startTimeUnixNanos },
  {
    name: 'duration_ns',
    type: BIGINT,
    of: (span: SpanData) => span.endTimeUnixNanos - span.startTimeUnixNanos,
  },
  { name: 'attributes', type: VARCHAR, of: (span: SpanData) => JSON.stringify(span.attributes) },
  { name: 'resource_attributes', type: VARCHAR, of: (span: SpanData) => resourceText(span) },
  { name: 'scope_name', type: VARCHAR, of: (span: SpanData) => span.scope.name },
  { name: 'scope_version', type: VARCHAR, of: (span: SpanData) => span.scope.version },
  { name: 'event_count', type: INTEGER, of: (span: SpanData) => span.events.length },
  { name: 'link_count', type: INTEGER, of: (span: SpanData) => span.links.length },
  { name: 'trace_state', type: VARCHAR, of: (span: SpanData) => span.traceState || null },
  { name: 'flags', type: INTEGER, of: (span: SpanData) => span.flags },
];

// The spans of a request share their resources.
let lastResource: SpanData['resource'] | undefined;
let lastText = '';
function resourceText({ resource }: SpanData): string {
  if (resource !== lastResource) {
    lastResource = resource;
    lastText = JSON.stringify(resource.attributes);
  }
  return lastText;
}

const CHUNK_ROWS = 2048;

/** Through chunks of columns, DuckDB's fastest public way in; sorted and written by DuckDB. */
async function writeDuckDb(requests: readonly Uint8Array[], path: string): Promise<Written> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const definitions = COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ');
  await connection.run(`CREATE TABLE spans (${definitions})`);
  const appender = await connection.createAppender('spans');
  const types = COLUMNS.map(({ type }) => type);
  let waiting: SpanData[] = [];
  const append = (spans: readonly SpanData[]): void => {
    const chunk = DuckDBDataChunk.create(types, spans.length);
    for (const [index, { type, of }] of COLUMNS.entries()) {
      const values = spans.map(of);
      chunk.setColumnValues(
        index,
        type === TIMESTAMP_NS
          ? values.map((nanos) => new DuckDBTimestampNanosecondsValue(nanos as bigint))
          : values,
      );
    }
    appender.appendDataChunk(chunk);
  };
  for (const request of requests) {
    waiting.push(...decodeTraces(request));
    for (; waiting.length >= CHUNK_ROWS; waiting = waiting.slice(CHUNK_ROWS))
      append(waiting.slice(0, CHUNK_ROWS));
  }
  if (waiting.length > 0) append(waiting);
  appender.closeSync();
  const maps = ['attributes', 'resource_attributes'].map(
    (name) => `CAST(${name}::JSON AS MAP(VARCHAR, VARCHAR)) AS ${name}`,
  );
  const sorted = `SELECT * REPLACE (${maps.join(', ')}) FROM spans ORDER BY trace_id, start_time`;
  const format = '(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)';
  await connection.run(`COPY (${sorted}) TO '${path}' ${format}`);
  connection.closeSync();
  instance.closeSync();
  return { bytes: statSync(path).size };
}

/** Columns as arrays of values, sorted here. */
async function writeHyparquet(requests: readonly Uint8Array[], path: string): Promise<Written> {
  const spans = requests.flatMap((request) => decodeTraces(request));
  spans.sort((a, b) =>
    a.traceId !== b.traceId
      ? a.traceId < b.traceId
        ? -1
        : 1
      : a.startTimeUnixNanos < b.startTimeUnixNanos
        ? -1
        : 1,
  );
  const columnData: ColumnSource[] = COLUMNS.map(({ name, type, of }) => {
    const data = spans.map(of) as ColumnSource['data'];
    if (type === INTEGER) return { name, data, type: 'INT32' };
    if (type === BIGINT || type === TIMESTAMP_NS) return { name, data, type: 'INT64' };
    return { name, data, type: 'STRING' };
  });
  parquetWriteFile({
    filename: path,
    columnData,
    codec: 'ZSTD',
    compressors: { ZSTD: (input) => zstdCompressSync(input) },
    rowGroupSize: 100_000,
  });
  return { bytes: statSync(path).size };
}
