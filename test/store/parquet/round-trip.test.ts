import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ParquetFile } from '../../../packages/store/src/parquet/file.ts';
import { memoryFile } from './memory-file.ts';
import { anyOptions, anyTable, cellsOf, write } from './tables.ts';

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
