// Our files, read by DuckDB, hyparquet and parquet-wasm (the Parquet implementation of Apache Arrow in Rust).
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
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { Compression, readParquet, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm/node';
import type { ColumnSchema } from '../../../packages/store/src/parquet/schema.ts';
import { anyOptions, anyTable, type Cell, type Table, write } from './tables.ts';

const runs = { numRuns: 40 };

/** The cells of a table, by column. */
function cellsByColumn({ columns }: Table): Record<string, readonly Cell[]> {
  return Object.fromEntries(columns.map(({ schema, cells }) => [schema.name, cells]));
}

/** Rows of a reader by column, each value made a cell by `cell`. */
function byColumn<Value>(
  { columns }: Table,
  rows: readonly Readonly<Record<string, Value>>[],
  cell: (value: Value, schema: ColumnSchema) => Cell,
): Record<string, Cell[]> {
  return Object.fromEntries(
    columns.map(({ schema }) => [schema.name, rows.map((row) => cell(row[schema.name]!, schema))]),
  );
}

const directory = mkdtempSync(join(tmpdir(), 'tracewell-parquet-'));
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
    return value.entries.map(({ key, value }) => [duckCell(key), duckCell(value)]);
  if (value instanceof DuckDBTimestampNanosecondsValue) return value.nanos;
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex');
  return value as Cell;
}

test('DuckDB reads any table as it was', async () => {
  await fc.assert(
    fc.asyncProperty(anyTable, anyOptions, fc.nat(60), async (table, options, split) => {
      const path = join(directory, 'duckdb.parquet');
      writeFileSync(path, write(table, options, split));
      const reader = await connection.runAndReadAll(`SELECT * FROM read_parquet('${path}')`);
      assert.deepEqual(byColumn(table, reader.getRowObjects(), duckCell), cellsByColumn(table));
    }),
    runs,
  );
});

const compressors = { ZSTD: (input: Uint8Array) => new Uint8Array(zstdDecompressSync(input)) };
const parsers = {
  timestampFromNanoseconds: (nanos: bigint) => nanos,
  jsonFromBytes: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
};

function hyparquetCell(value: unknown, { type }: ColumnSchema): Cell {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map((element) => hyparquetCell(element, { name: '', type }));
  if (typeof value === 'object' && value !== null && 'key' in value && 'value' in value) {
    return [value.key as Cell, hyparquetCell(value.value, { name: '', type })];
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).map(([key, element]) => [key, hyparquetCell(element, { name: '', type })]);
  }
  return (value ?? null) as Cell;
}

async function readByHyparquet(table: Table, bytes: Uint8Array): Promise<Record<string, Cell[]>> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  const rows = await parquetReadObjects({ file, compressors, parsers, utf8: false });
  return byColumn(table, rows, hyparquetCell);
}

test('hyparquet reads any table as it was', async () => {
  await fc.assert(
    fc.asyncProperty(anyTable, anyOptions, fc.nat(60), async (table, options, split) => {
      assert.deepEqual(await readByHyparquet(table, write(table, options, split)), cellsByColumn(table));
    }),
    runs,
  );
});

test('parquet-wasm reads any table as it was', async () => {
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.UNCOMPRESSED)
    .setDictionaryEnabled(false);
  const plain = properties.build();
  await fc.assert(
    fc.asyncProperty(anyTable, anyOptions, fc.nat(60), async (table, options, split) => {
      // What it read it gives back as Arrow's own form, or as a file that it writes by itself.
      const copy = writeParquet(readParquet(write(table, options, split)), plain);
      assert.deepEqual(await readByHyparquet(table, copy), cellsByColumn(table));
    }),
    runs,
  );
});
