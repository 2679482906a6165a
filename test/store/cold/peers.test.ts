// Files of logs, metrics and rollups, read by DuckDB, hyparquet and parquet-wasm (the Parquet implementation of Apache
// Arrow in Rust): every column of every row as our own reader has it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import {
  DuckDBBlobValue,
  type DuckDBConnection,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBTimestampNanosecondsValue,
} from '@duckdb/node-api';
import { encodeLogs, encodeMetrics } from '@tracewell/otlp';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { Compression, readParquet, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm/node';
import { LogSorter } from '../../../packages/store/src/cold/logs/log-sorter.ts';
import { writeLogFile } from '../../../packages/store/src/cold/logs/write-log-file.ts';
import { PointSorter } from '../../../packages/store/src/cold/metrics/point-sorter.ts';
import { writeMetricFile } from '../../../packages/store/src/cold/metrics/write-metric-file.ts';
import { rollUp } from '../../../packages/store/src/cold/rollups/roll-up.ts';
import { ParquetFile } from '../../../packages/store/src/parquet/file.ts';
import type { ColumnSchema } from '../../../packages/store/src/parquet/schema.ts';
import { anyLogs } from '../../otlp/arbitrary-logs.ts';
import { anyMetrics } from '../../otlp/arbitrary-metrics.ts';
import { MemorySink, memoryFile } from '../parquet/memory-file.ts';
import { type Cell, cellsOf } from '../parquet/tables.ts';

const runs = { numRuns: 15, endOnFailure: true };

/** Files of each kind, of random data. */
const anyFile: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    fc.array(anyLogs, { minLength: 1, maxLength: 3 }).map((requests) => {
      const sorter = new LogSorter();
      for (const logs of requests) sorter.add(encodeLogs(logs));
      const sink = new MemorySink();
      return writeLogFile(sorter, sink) && sink.bytes();
    }),
    fc
      .tuple(fc.array(anyMetrics, { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([requests, isRollup]) => {
        const sorter = new PointSorter();
        for (const metrics of requests) sorter.add(encodeMetrics(metrics));
        const sink = new MemorySink();
        if (writeMetricFile(sorter, sink) === undefined) return undefined;
        if (!isRollup) return sink.bytes();
        const rollups = new MemorySink();
        rollUp([ParquetFile.open(memoryFile(sink.bytes()), 'metrics.parquet')], [], rollups);
        return rollups.bytes();
      }),
  )
  .filter((bytes) => bytes !== undefined);

type Table = Record<string, readonly Cell[]>;

/** What our own reader reads. */
function own(bytes: Uint8Array): { readonly schema: readonly ColumnSchema[]; readonly table: Table } {
  const file = ParquetFile.open(memoryFile(bytes), 'file.parquet');
  assert.equal(file.rowGroups, 1);
  const columns = file.schema.map((schema) => {
    const cells = cellsOf(schema, file.readColumn(0, schema.name), file.rows);
    return [schema.name, schema.type === 'timestamp' ? cells.map(notInfinite) : cells] as const;
  });
  return { schema: file.schema, table: Object.fromEntries(columns) };
}

// DuckDB takes the largest time for infinity, which is how its client gives it back.
const notInfinite = (cell: Cell): Cell => (cell === 2n ** 63n - 1n ? 'infinity' : cell);

/** Rows of a reader by column, each value made a cell by `cell`. */
function byColumn<Value>(
  schema: readonly ColumnSchema[],
  rows: readonly Readonly<Record<string, Value>>[],
  cell: (value: Value, column: ColumnSchema) => Cell,
): Table {
  return Object.fromEntries(
    schema.map((column) => {
      const cells = rows.map((row) => cell(row[column.name]!, column));
      return [column.name, column.type === 'timestamp' ? cells.map(notInfinite) : cells];
    }),
  );
}

const directory = mkdtempSync(join(tmpdir(), 'tracewell-peers-'));
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

function duckCell(value: unknown): Cell {
  if (value instanceof DuckDBListValue) return value.items.map(duckCell);
  if (value instanceof DuckDBMapValue)
    return value.entries.map((entry) => [duckCell(entry.key), duckCell(entry.value)]);
  if (value instanceof DuckDBTimestampNanosecondsValue) return value.nanos;
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex');
  return value as Cell;
}

const compressors = { ZSTD: (input: Uint8Array) => new Uint8Array(zstdDecompressSync(input)) };
const parsers = { timestampFromNanoseconds: (nanos: bigint) => nanos };

function hyparquetCell(value: unknown): Cell {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(hyparquetCell);
  if (typeof value === 'object' && value !== null && 'key' in value && 'value' in value) {
    return [value.key as Cell, hyparquetCell(value.value)];
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).map(([key, element]) => [key, hyparquetCell(element)]);
  }
  return (value ?? null) as Cell;
}

/** hyparquet makes objects of maps, which have no key `__proto__` and an order of their own. */
function asObjects(schema: readonly ColumnSchema[], table: Table): Table {
  const entries = (cell: Cell): Cell =>
    (cell as (readonly [string, Cell])[])
      .filter(([key]) => key !== '__proto__')
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(
    schema.map(({ name, shape }) => [name, shape === 'map' ? table[name]!.map(entries) : table[name]!]),
  );
}

async function readByHyparquet(bytes: Uint8Array): Promise<readonly Record<string, unknown>[]> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  return parquetReadObjects({ file, compressors, parsers, utf8: false });
}

test('DuckDB reads files of logs, metrics and rollups as we do', async () => {
  await fc.assert(
    fc.asyncProperty(anyFile, async (bytes) => {
      const path = join(directory, 'duckdb.parquet');
      writeFileSync(path, bytes);
      const { schema, table } = own(bytes);
      const reader = await connection.runAndReadAll(`SELECT * FROM read_parquet('${path}')`);
      assert.deepEqual(byColumn(schema, reader.getRowObjects(), duckCell), table);
    }),
    runs,
  );
});

test('hyparquet reads files of logs, metrics and rollups as we do', async () => {
  await fc.assert(
    fc.asyncProperty(anyFile, async (bytes) => {
      const { schema, table } = own(bytes);
      const found = byColumn(schema, await readByHyparquet(bytes), hyparquetCell);
      assert.deepEqual(asObjects(schema, found), asObjects(schema, table));
    }),
    runs,
  );
});

test('parquet-wasm reads files of logs, metrics and rollups as we do', async () => {
  const properties = new WriterPropertiesBuilder().setCompression(Compression.UNCOMPRESSED);
  const plain = properties.setDictionaryEnabled(false).build();
  await fc.assert(
    fc.asyncProperty(anyFile, async (bytes) => {
      const { schema, table } = own(bytes);
      // What it read it gives back as a file that it writes by itself.
      const copy = writeParquet(readParquet(bytes), plain);
      const found = byColumn(schema, await readByHyparquet(copy), hyparquetCell);
      assert.deepEqual(asObjects(schema, found), asObjects(schema, table));
    }),
    runs,
  );
});
