import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TracewellError } from '@tracewell/plugin';
import fc from 'fast-check';
import { ParquetFile } from '../../../packages/store/src/parquet/file.ts';
import { memoryFile } from './memory-file.ts';
import { anyOptions, anyTable, type Cell, cellsOf, type Table, write } from './tables.ts';

/** All cells of a file, by column. */
function read(bytes: Uint8Array, table: Table): Cell[][] {
  const file = ParquetFile.open(memoryFile(bytes), '/cold/spans/x.parquet');
  file.verify();
  return table.columns.map(({ schema }) => {
    const cells: Cell[] = [];
    for (let group = 0; group < file.rowGroups; group++)
      cells.push(...cellsOf(schema, file.readColumn(group, schema.name), file.rowsOf(group)));
    return cells;
  });
}

function isDamage(error: unknown): boolean {
  assert.ok(error instanceof TracewellError, `${error}`);
  assert.equal(error.code, 'TW_COLD_DAMAGED');
  assert.match(error.message, /\/cold\/spans\/x\.parquet/);
  return true;
}

test('F24 a file cut anywhere is refused with its name', () => {
  fc.assert(
    fc.property(anyTable, anyOptions, fc.nat(), (table, options, place) => {
      const bytes = write(table, options, table.rows);
      assert.throws(() => read(bytes.slice(0, place % bytes.length), table), isDamage);
    }),
  );
});

test('F24 a file with any bytes changed is refused with its name, or still says what it said', () => {
  fc.assert(
    fc.property(
      anyTable,
      anyOptions,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 }),
      (table, options, changes) => {
        const bytes = write(table, options, table.rows);
        for (const [place, change] of changes) bytes[place % bytes.length]! ^= change;
        let cells: Cell[][];
        try {
          cells = read(bytes, table);
        } catch (error) {
          isDamage(error);
          return;
        }
        assert.deepEqual(
          cells,
          table.columns.map(({ cells }) => cells),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('F24 a file of nothing, or of other bytes, is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const table: Table = { rows: 0, columns: [] };
      assert.throws(() => read(bytes, table), isDamage);
      // Even where the end looks right.
      assert.throws(
        () => read(Uint8Array.of(...bytes, 0, 0, 0, 0x7f, 0x50, 0x41, 0x52, 0x31), table),
        isDamage,
      );
      assert.throws(() => read(Uint8Array.of(...bytes, 4, 0, 0, 0, 0x50, 0x41, 0x52, 0x31), table), isDamage);
    }),
  );
});
