import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { openLocked } from '../../../packages/store/src/sql/locked-duckdb.ts';

// What happens to a statement that gets past the first fence: DuckDB itself refuses it. Whoever finds a hole in
// the one has to find one in the other too.
describe('F47 the locked database refuses by itself', () => {
  let root: string;
  let connection: DuckDBConnection;

  before(async () => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'tracewell-locked-')));
    mkdirSync(join(root, 'cold'));
    mkdirSync(join(root, 'cold-beside'));
    writeFileSync(join(root, 'secret.csv'), 'a\n1\n');
    const free = await (await DuckDBInstance.create(':memory:')).connect();
    for (const file of ['cold/own', 'cold-beside/other', 'secret']) {
      await free.run(`COPY (SELECT 'x' AS x) TO '${join(root, file)}.parquet'`);
    }
    free.closeSync();
    const directories = [join(root, 'cold')];
    connection = await (await openLocked({ directories, memoryBytes: 64e6, threads: 1 })).connect();
  });

  after(() => {
    connection.closeSync();
    rmSync(root, { recursive: true });
  });

  test('files of the store can be read, new ones too', async () => {
    const read = async (): Promise<number> =>
      (await connection.runAndReadAll(`FROM read_parquet('${root}/cold/*.parquet')`)).currentRowCount;
    assert.equal(await read(), 1);
    const free = await (await DuckDBInstance.create(':memory:')).connect();
    await free.run(`COPY (SELECT 'x' AS x) TO '${root}/cold/new.parquet'`);
    free.closeSync();
    assert.equal(await read(), 2);
  });

  for (const sql of [
    `FROM '{root}/secret.parquet'`,
    `FROM '{root}/cold/../secret.parquet'`,
    `FROM '{root}/cold-beside/other.parquet'`,
    `FROM read_csv('{root}/secret.csv')`,
    `FROM read_text('/etc/passwd')`,
    `FROM read_blob('/proc/self/environ')`,
    `FROM glob('/etc/*')`,
    `FROM 'https://127.0.0.1:1/a.parquet'`,
    `FROM 's3://bucket/a.parquet'`,
    `COPY (SELECT 1) TO '{root}/evil.parquet'`,
    `EXPORT DATABASE '{root}/evil'`,
    `ATTACH '{root}/evil.db'`,
    `INSTALL httpfs`,
    `LOAD httpfs`,
    `LOAD '{root}/evil.duckdb_extension'`,
    `SET enable_external_access = true`,
    `SET allowed_directories = ['/']`,
    `SET allowed_paths = ['/etc/passwd']`,
    `SET lock_configuration = false`,
    `SET memory_limit = '1TB'`,
    `SET threads = 64`,
    `SET temp_directory = '{root}'`,
    `SET SESSION TimeZone = 'Europe/Berlin'`,
    `RESET memory_limit`,
    `PRAGMA enable_profiling = 'json'`,
    `SELECT getenv('HOME')`,
    `CREATE PERSISTENT SECRET s (TYPE s3)`,
  ]) {
    test(sql, async () => {
      await assert.rejects(connection.run(sql.replaceAll('{root}', root)), (error: Error) =>
        /disabled|locked|not exist|not allowed|Permission|Cannot/i.test(error.message),
      );
    });
  }

  test('nothing was written', () => {
    assert.deepEqual(readdirSync(root).sort(), ['cold', 'cold-beside', 'secret.csv', 'secret.parquet']);
  });
});
