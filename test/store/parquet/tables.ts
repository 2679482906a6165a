// Random tables of every type, as plain JavaScript values and as the columns that the writer takes.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ColumnSchema, ValueType } from '../../../packages/store/src/parquet/schema.ts';
import type { Column, PlainValues, Values } from '../../../packages/store/src/parquet/values.ts';
import { ParquetWriter, type WriterOptions } from '../../../packages/store/src/parquet/writer.ts';
import { MemorySink } from './memory-file.ts';

/** A value as tests compare it: 64-bit integers and timestamps as `bigint`, bytes as hex digits. */
export type Cell =
  | boolean
  | number
  | bigint
  | string
  | null
  | readonly Cell[]
  | { readonly [key: string]: Cell };

/** A table: for each column its schema, whether it has a dictionary, and one cell for each row. */
export interface Table {
  readonly rows: number;
  readonly columns: readonly {
    readonly schema: ColumnSchema;
    readonly dictionary: boolean;
    readonly cells: readonly Cell[];
  }[];
}

const int32 = fc.oneof(
  fc.integer(),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1),
);
const uint32 = fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0, 0xffff_ffff));
const int64 = fc.oneof(
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  fc.bigInt(-5n, 5n),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 0n),
);
const uint64 = fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.constantFrom(0n, 2n ** 64n - 1n, 2n ** 63n));
// DuckDB takes the largest and the negative of it for infinities.
const timestamp = fc.oneof(
  fc.bigInt(0n, 2n ** 63n - 2n),
  fc.constantFrom(0n, 1_760_000_000_000_000_001n, 2n ** 63n - 2n),
);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', 'a', 'GET /cart', 'x'.repeat(300), 'é'.repeat(70), '😀'.repeat(20)),
);

// hyparquet makes objects of maps, which move keys that look like numbers to the front and lose this one.
const mapKey = text.filter((key) => key !== '__proto__' && !/^\d+$/.test(key));

const VALUES: Readonly<Record<ValueType, fc.Arbitrary<Cell>>> = {
  boolean: fc.boolean(),
  int32,
  uint32,
  int64,
  uint64,
  timestamp,
  double: fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY)),
  string: text,
  json: fc.json(),
  bytes: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('hex')),
};
const TYPES = Object.keys(VALUES) as ValueType[];
const ENCODINGS = ['plain', 'delta', 'split', 'delta-length', 'delta-bytes'] as const;

function cells(schema: ColumnSchema, rows: number): fc.Arbitrary<Cell[]> {
  const value = VALUES[schema.type];
  let cell: fc.Arbitrary<Cell> = value;
  if (schema.shape === 'list') cell = fc.array(value, { maxLength: 4 });
  if (schema.shape === 'map') {
    cell = fc.uniqueArray(fc.tuple(mapKey, value), { maxLength: 4, selector: ([key]) => key });
  }
  if (schema.nullable === true) cell = fc.option(cell, { nil: null });
  // Real columns repeat themselves.
  const repeated = fc
    .array(cell, { minLength: 1, maxLength: 3 })
    .chain((some) => fc.array(fc.constantFrom(...some), { minLength: rows, maxLength: rows }));
  return fc.oneof(fc.array(cell, { minLength: rows, maxLength: rows }), repeated);
}

const anySchema: fc.Arbitrary<ColumnSchema> = fc.record({
  name: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 6 }),
  shape: fc.constantFrom('flat', 'flat', 'list', 'map'),
  type: fc.constantFrom(...TYPES),
  encoding: fc.constantFrom(...ENCODINGS),
  nullable: fc.boolean(),
  bloomFilter: fc.boolean(),
}) as fc.Arbitrary<ColumnSchema>;

/** Any table. */
export const anyTable: fc.Arbitrary<Table> = fc
  .tuple(
    fc.integer({ min: 1, max: 60 }),
    fc.uniqueArray(anySchema, { minLength: 1, maxLength: 6, selector: ({ name }) => name.toLowerCase() }),
  )
  .chain(([rows, schemas]) =>
    fc
      .tuple(
        ...schemas.map((schema) =>
          fc.record({ schema: fc.constant(schema), dictionary: fc.boolean(), cells: cells(schema, rows) }),
        ),
      )
      .map((columns) => ({ rows, columns })),
  );

/** The columns of some rows of a table, as the writer takes them. */
export function columnsOf(table: Table, from: number, to: number): Record<string, Column> {
  return Object.fromEntries(
    table.columns.map(({ schema, dictionary, cells }) => [
      schema.name,
      columnOf(schema, dictionary, cells.slice(from, to)),
    ]),
  );
}

function columnOf(schema: ColumnSchema, dictionary: boolean, cells: readonly Cell[]): Column {
  const valid = cells.includes(null) ? Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1)) : undefined;
  if (schema.shape === 'list') {
    const lists = cells.map((cell) => (cell ?? []) as Cell[]);
    return { valid, offsets: offsetsOf(lists), elements: valuesOf(schema.type, lists.flat(), dictionary) };
  }
  if (schema.shape === 'map') {
    const maps = cells.map((cell) => (cell ?? []) as [string, Cell][]);
    const entries = maps.flat();
    return {
      valid,
      offsets: offsetsOf(maps),
      keys: valuesOf(
        'string',
        entries.map(([key]) => key),
        true,
      ),
      values: valuesOf(
        schema.type,
        entries.map(([, value]) => value),
        dictionary,
      ),
    };
  }
  const filler = cells.find((cell) => cell !== null) ?? zero(schema.type);
  return {
    valid,
    values: valuesOf(
      schema.type,
      cells.map((cell) => cell ?? filler),
      dictionary,
    ),
  };
}

function zero(type: ValueType): Cell {
  switch (type) {
    case 'boolean':
      return false;
    case 'int64':
    case 'uint64':
    case 'timestamp':
      return 0n;
    case 'string':
    case 'bytes':
      return '';
    case 'json':
      return 'null';
    default:
      return 0;
  }
}

function offsetsOf(lists: readonly { readonly length: number }[]): Uint32Array {
  const offsets = new Uint32Array(lists.length + 1);
  for (const [index, list] of lists.entries()) offsets[index + 1] = offsets[index]! + list.length;
  return offsets;
}

function valuesOf(type: ValueType, cells: readonly Cell[], dictionary: boolean): Values {
  if (!dictionary || type === 'boolean') return plainOf(type, cells);
  // NaN and -0 have to stay apart from other numbers, so not by ===.
  const distinct = cells.filter(
    (cell, index) => cells.findIndex((other) => Object.is(other, cell)) === index,
  );
  const codes = Uint32Array.from(cells, (cell) => distinct.findIndex((other) => Object.is(other, cell)));
  return { codes, dictionary: plainOf(type, distinct) };
}

function plainOf(type: ValueType, cells: readonly Cell[]): PlainValues {
  switch (type) {
    case 'boolean':
      return Uint8Array.from(cells as boolean[], Number);
    case 'int32':
    case 'uint32':
      return Int32Array.from(cells as number[]);
    case 'double':
      return Float64Array.from(cells as number[]);
    case 'int64':
    case 'uint64':
    case 'timestamp':
      return new Uint32Array(BigInt64Array.from(cells as bigint[], (cell) => BigInt.asIntN(64, cell)).buffer);
    default: {
      const parts = (cells as string[]).map((cell) => Buffer.from(cell, type === 'bytes' ? 'hex' : 'utf8'));
      return { bytes: Buffer.concat(parts), offsets: offsetsOf(parts) };
    }
  }
}

/** What the reader gave back for a column, as cells. */
export function cellsOf(schema: ColumnSchema, column: Column, rows: number): Cell[] {
  return Array.from({ length: rows }, (_, row) => {
    if (column.valid !== undefined && column.valid[row] === 0) return null;
    if ('elements' in column) {
      return range(column.offsets, row).map((index) => cellAt(schema.type, column.elements, index));
    }
    if ('keys' in column) {
      return range(column.offsets, row).map((index) => [
        cellAt('string', column.keys, index),
        cellAt(schema.type, column.values, index),
      ]);
    }
    return cellAt(schema.type, column.values, row);
  });
}

function range(offsets: Uint32Array, row: number): number[] {
  return Array.from({ length: offsets[row + 1]! - offsets[row]! }, (_, index) => offsets[row]! + index);
}

function cellAt(type: ValueType, values: Values, index: number): Cell {
  if ('codes' in values) return cellAt(type, values.dictionary, values.codes[index]!);
  if ('offsets' in values) {
    const bytes = Buffer.from(values.bytes.slice(values.offsets[index], values.offsets[index + 1]));
    return bytes.toString(type === 'bytes' ? 'hex' : 'utf8');
  }
  switch (type) {
    case 'boolean':
      return values[index] === 1;
    case 'uint32':
      return values[index]! >>> 0;
    case 'int64':
    case 'timestamp':
      return BigInt.asIntN(64, (BigInt(values[2 * index + 1]!) << 32n) | BigInt(values[2 * index]!));
    case 'uint64':
      return (BigInt(values[2 * index + 1]!) << 32n) | BigInt(values[2 * index]!);
    default:
      return values[index]!;
  }
}

/** Ways to write a file. */
export const anyOptions: fc.Arbitrary<WriterOptions> = fc.record({
  compression: fc.constantFrom('none' as const, 1, 3),
  pageBytes: fc.constantFrom(1, 40, 300, 64 * 1024),
  pageRows: fc.constantFrom(1, 3, 8, 8192),
});

/** A table as a file of two row groups, or of one if `split` leaves no rows for the other. */
export function write(table: Table, options: WriterOptions, split: number): Uint8Array {
  const sink = new MemorySink();
  const writer = new ParquetWriter(
    sink,
    table.columns.map(({ schema }) => schema),
    options,
  );
  const middle = Math.min(split, table.rows);
  writer.writeRowGroup(middle, columnsOf(table, 0, middle));
  writer.writeRowGroup(table.rows - middle, columnsOf(table, middle, table.rows));
  assert.deepEqual(writer.finish(new Map([['who', 'me']])), { bytes: sink.size, rows: table.rows });
  return sink.bytes();
}
