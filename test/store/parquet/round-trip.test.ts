import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ParquetFile } from '../../../packages/store/src/parquet/file.ts';
import { ParquetWriter, type WriterOptions } from '../../../packages/store/src/parquet/writer.ts';
import { MemorySink, memoryFile } from './memory-file.ts';
import { anyTable, cellsOf, columnsOf, type Table } from './tables.ts';

const anyOptions: fc.Arbitrary<WriterOptions> = fc.record({
  compression: fc.constantFrom('none' as const, 1, 3),
  pageBytes: fc.constantFrom(1, 40, 300, 64 * 1024),
  pageRows: fc.constantFrom(1, 3, 8, 8192),
});

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

test('any table comes back as it was, any part of it too', () => {
  fc.assert(
    fc.property(anyTable, anyOptions, fc.nat(60), fc.nat(60), fc.nat(60), (table, options, split, a, b) => {
      const file = ParquetFile.open(memoryFile(write(table, options, split)), 'any.parquet');
      assert.equal(file.rows, table.rows);
      assert.equal(file.keyValues.get('who'), 'me');
      file.verify();
      for (const { schema, cells } of table.columns) {
        let row = 0;
        for (let group = 0; group < file.rowGroups; group++) {
          const rows = file.rowsOf(group);
          const from = Math.min(a, b, rows);
          const to = Math.min(Math.max(a, b), rows);
          assert.deepEqual(
            cellsOf(schema, file.readColumn(group, schema.name), rows),
            cells.slice(row, row + rows),
          );
          assert.deepEqual(
            cellsOf(schema, file.readColumn(group, schema.name, from, to), to - from),
            cells.slice(row + from, row + to),
          );
          row += rows;
        }
      }
    }),
  );
});
