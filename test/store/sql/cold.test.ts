import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeTraces } from '@tracewell/otlp';
import { SpanSorter } from '../../../packages/store/src/cold/spans/span-sorter.ts';
import { writeSpanFile } from '../../../packages/store/src/cold/spans/write-span-file.ts';
import { planSql } from '../../../packages/store/src/sql/plan.ts';
import type { Found, Snapshot } from '../../../packages/store/src/sql/protocol.ts';
import { SqlProcess } from '../../../packages/store/src/sql/sql-process.ts';
import { newDirectory } from '../engine/directory.ts';
import { id, span } from '../query/spans.ts';

const SPANS_PER_FILE = 2_000;

/** A directory with cold files, and what runs SQL on it. */
function newCold(t: TestContext, files: number): { directory: string; paths: string[]; sql: SqlProcess } {
  const directory = newDirectory(t);
  mkdirSync(join(directory, 'cold', 'spans'), { recursive: true });
  const paths = Array.from({ length: files }, (_, file) => writeCold(directory, `${file}`, file));
  const sql = new SqlProcess(directory);
  t.after(() => sql.close());
  return { directory, paths, sql };
}

/** Writes a file of spans whose ids follow from its number. */
function writeCold(directory: string, name: string, file: number): string {
  const sorter = new SpanSorter();
  const spans = Array.from({ length: SPANS_PER_FILE }, (_, i) =>
    span({
      traceId: id(file + 1).repeat(2),
      spanId: id(i + 1),
      startTimeUnixNanos: BigInt(file * 1e9 + i + 1),
      attributes: { number: i, text: `text ${i * 7919}` },
    }),
  );
  sorter.add(encodeTraces(spans));
  const path = join(directory, 'cold', 'spans', `${name}.parquet`);
  const fd = openSync(path, 'w');
  writeSpanFile(sorter, { write: (bytes) => void writeSync(fd, bytes) });
  closeSync(fd);
  return path;
}

function ask(sql: SqlProcess, statement: string, paths: () => readonly string[]): Promise<Found> {
  const snapshot = async (): Promise<Snapshot> => ({
    cold: { spans: { paths: paths(), missing: 0 } },
    hot: [],
  });
  return sql.run(planSql(statement, {}), snapshot);
}

const EVERYTHING = `SELECT count(*), count(DISTINCT (trace_id, span_id)), max(attributes['text']), max(duration_ns),
  max(resource_attributes['x']), max(start_time), max(name) FROM spans`;

describe('cold files in SQL', () => {
  test('F24 a damaged file is left out, and the result says so', async (t) => {
    const { paths, sql } = newCold(t, 4);
    const [, cut, flipped, empty] = paths as [string, string, string, string];
    const all = await ask(sql, EVERYTHING, () => paths);
    assert.deepEqual([all.rows[0]![0], all.rows[0]![1], all.partial], [8000n, 8000n, []]);
    truncateSync(cut, statSync(cut).size >> 1);
    const bytes = readFileSync(flipped);
    bytes.fill(0xff, bytes.length >> 2, bytes.length >> 1);
    writeFileSync(flipped, bytes);
    writeFileSync(empty, '');
    for (let i = 0; i < 2; i++) {
      const { rows, partial } = await ask(sql, EVERYTHING, () => paths);
      assert.deepEqual([rows[0]![0], rows[0]![1]], [2000n, 2000n]);
      assert.deepEqual(partial, ['3 of 4 files of the cold tier cannot be read and were left out']);
    }
    const { rows, partial } = await ask(sql, EVERYTHING, () => [cut]);
    assert.equal(rows[0]![0], 0n);
    assert.equal(partial.length, 1);
  });

  test('F27 a query whose files go begins again with those that took their place', async (t) => {
    const { directory, paths, sql } = newCold(t, 3);
    await ask(sql, EVERYTHING, () => paths);
    let visible = [...paths];
    let asked = 0;
    let stop = false;
    // As a merge does it: the new file, then the switch, then the old one goes.
    const merging = (async () => {
      for (let round = 1; !stop; round++) {
        const file = round % 3;
        const old = visible[file]!;
        const path = writeCold(directory, `${file}-${round}`, file);
        visible = visible.map((each) => (each === old ? path : each));
        rmSync(old);
        const before = asked;
        while (!stop && asked < before + 2) await sleep(1);
      }
    })();
    for (let i = 0; i < 40; i++) {
      const { rows, partial } = await ask(sql, EVERYTHING, () => {
        asked++;
        return visible;
      });
      assert.deepEqual([rows[0]![0], rows[0]![1], partial], [6000n, 6000n, []]);
    }
    stop = true;
    await merging;
    assert.ok(asked >= 40);
  });

  test('F27 a query whose files stay away fails cleanly', async (t) => {
    const { paths, sql } = newCold(t, 1);
    rmSync(paths[0]!);
    await assert.rejects(
      ask(sql, EVERYTHING, () => paths),
      { code: 'TW_SQL_FAILED', message: /files went/ },
    );
  });

  test('F50 no error and no column says where the store lies', async (t) => {
    const { directory, paths, sql } = newCold(t, 2);
    for (const statement of [
      'SELECT filename FROM spans',
      'SELECT file_row_number FROM spans',
      'SELECT file_index FROM spans',
      'SELECT spans.filename FROM spans',
      'SELECT no_such_column FROM spans',
      `SELECT name::INTEGER FROM spans`,
      `SELECT error(name) FROM spans`,
      'SELECT * FROM spans JOIN spans USING (filename)',
      'SELECT rowid FROM spans',
    ]) {
      const error = await ask(sql, statement, () => paths).then(
        () => assert.fail(statement),
        (e: Error) => e,
      );
      assert.ok(!error.message.includes(directory), error.message);
      assert.doesNotMatch(error.message, /parquet|\/tmp/, statement);
    }
    for (const statement of ['SELECT * FROM spans LIMIT 1', 'DESCRIBE spans', 'SUMMARIZE spans']) {
      const { columns, rows } = await ask(sql, statement, () => paths);
      const all = JSON.stringify([columns, rows], (_, value) =>
        typeof value === 'bigint' ? `${value}` : value,
      );
      assert.ok(!all.includes(directory), statement);
      assert.doesNotMatch(all, /filename|file_row_number|request|otlp/, statement);
    }
  });
});
