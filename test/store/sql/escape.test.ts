import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { TracewellError } from '@tracewell/plugin';
import { openStore, type TraceStore } from '@tracewell/store';
import { ESCAPES } from './escapes.ts';

let root: string;
let store: TraceStore;

before(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'tracewell-escape-')));
  mkdirSync(join(root, 'store', 'cold'), { recursive: true });
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  for (const file of ['secret.parquet', 'store/cold/own.parquet']) {
    await connection.run(`COPY (SELECT 'hidden' AS x) TO '${join(root, file)}'`);
  }
  connection.closeSync();
  store = await openStore(join(root, 'store'));
});

after(async () => {
  await store.close();
  rmSync(root, { recursive: true });
});

function withPaths(sql: string): string {
  return sql
    .replaceAll('{SECRET}', join(root, 'secret.parquet'))
    .replaceAll('{COLD}', join(root, 'store/cold'));
}

/** What a statement is refused with. */
async function refusal(sql: string): Promise<TracewellError> {
  try {
    await store.querySql(sql, { timeoutMs: 20_000 });
  } catch (error) {
    if (error instanceof TracewellError) return error;
    throw error;
  }
  throw new Error(`not refused: ${sql}`);
}

describe('F47 SQL that reaches for more than the rows of the store is refused', () => {
  for (const [what, escapes] of Object.entries(ESCAPES)) {
    test(`${what} (${escapes.length})`, async () => {
      for (const { sql, code = 'TW_SQL_REFUSED', says } of escapes) {
        const error = await refusal(withPaths(sql));
        assert.equal(error.code, code, `${sql.slice(0, 100)}: ${error.message}`);
        assert.match(error.message, says, sql.slice(0, 100));
      }
    });
  }

  test('there are more than two hundred attempts, no two the same', () => {
    const statements = Object.values(ESCAPES).flatMap((escapes) => escapes.map(({ sql }) => sql));
    assert.ok(statements.length > 200, String(statements.length));
    assert.equal(new Set(statements).size, statements.length);
  });

  test('nothing was written', () => {
    assert.deepEqual(readdirSync(join(root, 'store', 'cold')), ['own.parquet']);
    assert.deepEqual(readdirSync(root).sort(), ['secret.parquet', 'store']);
  });
});
