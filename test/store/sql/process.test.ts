import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { newDirectory } from '../engine/directory.ts';
import { newProcess, run } from './sql-process.ts';

const FOR_EVER = 'SELECT count(*) FROM range(100000000000) a, range(1000000) b';
/** One call of a function, which DuckDB does not interrupt. */
const DEAF = "SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))";

const child = fileURLToPath(new URL('./child.ts', import.meta.url));

/** Starts a program that runs a statement: see child.ts. */
function start(t: TestContext, ...args: string[]): ChildProcess & { readonly stdout: NodeJS.ReadableStream } {
  const started = spawn(process.execPath, ['--conditions=@tracewell/source', child, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => started.kill('SIGKILL'));
  return started;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('F48 a query', () => {
  test('that would run for ever is stopped at its deadline, and the next one runs', async (t) => {
    const sql = newProcess(t);
    await run(sql, 'SELECT 1');
    const begun = performance.now();
    await assert.rejects(run(sql, FOR_EVER, { timeoutMs: 300 }), {
      code: 'TW_SQL_TIMEOUT',
      message: /after 300 ms.*timeoutMs/,
    });
    const took = performance.now() - begun;
    assert.ok(took >= 295 && took < 2000, `${took} ms`);
    assert.deepEqual((await run(sql, 'SELECT 1')).rows, [[1]]);
  });

  test('that recurses for ever is stopped', async (t) => {
    const forEver = 'WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT count(*) FROM t';
    await assert.rejects(run(newProcess(t), forEver, { timeoutMs: 1000 }), { code: 'TW_SQL_TIMEOUT' });
  });

  test('that does not hear is killed, and others that ran beside it begin again', async (t) => {
    const sql = newProcess(t);
    await run(sql, 'SELECT 1');
    const beside = run(sql, 'SELECT count(*) FROM range(600000000) WHERE range % 7 = 3', {
      timeoutMs: 60_000,
    });
    await assert.rejects(run(sql, DEAF, { timeoutMs: 200 }), { code: 'TW_SQL_TIMEOUT' });
    assert.deepEqual((await beside).rows, [[85714286n]]);
  });

  test('that returns everything is cut at maxRows, in no more time than the rows take', async (t) => {
    const sql = newProcess(t);
    const { rows, truncated } = await run(sql, 'SELECT * FROM range(100000000000)', { maxRows: 1000 });
    assert.equal(rows.length, 1000);
    assert.equal(truncated, true);
    const whole = await run(sql, 'SELECT * FROM range(1000)', { maxRows: 1000 });
    assert.equal(whole.rows.length, 1000);
    assert.equal(whole.truncated, false);
    assert.equal((await run(sql, 'SELECT * FROM range(100000000000)')).rows.length, 10_000);
  });

  test('whose result would be huge is cut before it is', async (t) => {
    const sql = newProcess(t);
    const { rows, truncated } = await run(sql, "SELECT repeat('x', 20000) FROM range(9000)");
    assert.equal(truncated, true);
    assert.ok(rows.length > 3000 && rows.length < 3500, String(rows.length));
    await assert.rejects(run(sql, "SELECT repeat('x', 100000000)"), {
      code: 'TW_SQL_MEMORY',
      message: /first row alone/,
    });
  });

  test('that needs too much memory says so', async (t) => {
    const sql = newProcess(t);
    for (const statement of [
      'SELECT list(a) FROM range(100000000) t(a)',
      "SELECT string_agg(repeat('x', 1000000), '') FROM range(10000)",
    ]) {
      await assert.rejects(run(sql, statement), { code: 'TW_SQL_MEMORY', message: /memory/ });
    }
    assert.deepEqual((await run(sql, 'SELECT 1')).rows, [[1]]);
  });

  test('whose process dies of it fails, and the next one runs', async (t) => {
    const sql = newProcess(t);
    await assert.rejects(run(sql, 'SELECT len(range(100000000000))'), {
      code: /^TW_SQL_(MEMORY|FAILED|INVALID)$/,
    });
    assert.deepEqual((await run(sql, 'SELECT 1')).rows, [[1]]);
  });

  test('that waits has its deadline too', async (t) => {
    const sql = newProcess(t);
    await run(sql, 'SELECT 1');
    const endless = Array.from({ length: 4 }, () => run(sql, FOR_EVER, { timeoutMs: 1000 }));
    const begun = performance.now();
    await assert.rejects(run(sql, 'SELECT 1', { timeoutMs: 200 }), { code: 'TW_SQL_TIMEOUT' });
    assert.ok(performance.now() - begun < 900);
    for (const query of endless) await assert.rejects(query, { code: 'TW_SQL_TIMEOUT' });
  });

  test('that would be one of too many is refused at once', async (t) => {
    const sql = newProcess(t);
    const queries = Array.from({ length: 200 }, () => run(sql, 'SELECT 1').catch((error) => error.code));
    const outcomes = await Promise.all(queries);
    assert.equal(outcomes.filter((outcome) => outcome === 'TW_SQL_BUSY').length, 96);
    assert.equal(outcomes.filter((outcome) => typeof outcome === 'object').length, 104);
  });
});

describe('the process for SQL', () => {
  test('ends with its queries when it is closed', async (t) => {
    const sql = newProcess(t);
    const query = run(sql, FOR_EVER);
    const waiting = Array.from({ length: 5 }, () => run(sql, FOR_EVER));
    sql.close();
    for (const each of [query, ...waiting]) await assert.rejects(each, { code: 'TW_STORE_CLOSED' });
    await assert.rejects(run(sql, 'SELECT 1'), { code: 'TW_STORE_CLOSED' });
  });

  for (const end of ['closed', 'killed'] as const) {
    test(`leaves no files behind when it is ${end}`, async (t) => {
      const temporary = newDirectory(t);
      const before = process.env.TMPDIR;
      process.env.TMPDIR = temporary;
      const sql = newProcess(t);
      await run(sql, 'SELECT 1');
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      assert.equal(readdirSync(temporary).length, 1);
      if (end === 'closed') sql.close();
      else process.kill(sql.pid!, 'SIGKILL');
      for (let i = 0; i < 200 && readdirSync(temporary).length > 0; i++) await sleep(20);
      assert.deepEqual(readdirSync(temporary), []);
    });
  }

  test('says what to install where DuckDB is missing', async (t) => {
    const sql = newProcess(t, new URL('./without-duckdb.ts', import.meta.url));
    for (let i = 0; i < 2; i++) {
      await assert.rejects(run(sql, 'SELECT 1'), {
        code: 'TW_SQL_UNAVAILABLE',
        message: /npm install @duckdb\/node-api@\d/,
      });
    }
  });

  test('says so when it cannot be started', async (t) => {
    const sql = newProcess(t, new URL('./no-such-file.ts', import.meta.url));
    await assert.rejects(run(sql, 'SELECT 1'), { code: 'TW_SQL_FAILED', message: /process ended/ });
  });

  test('does not keep the application alive when nothing is asked any more', async (t) => {
    const begun = performance.now();
    const application = start(t, 'SELECT 1');
    const [code] = await once(application, 'exit');
    assert.equal(code, 0);
    assert.ok(performance.now() - begun < 10_000);
  });

  test('keeps the application alive while something is asked', async (t) => {
    const application = start(t, 'SELECT count(*) FROM range(200000000) WHERE range % 7 = 3');
    let output = '';
    application.stdout.on('data', (data) => {
      output += String(data);
    });
    await once(application, 'exit');
    assert.match(output, /28571429n/);
  });

  test('outlives a signal that was meant for the application', async (t) => {
    const sql = newProcess(t);
    await run(sql, 'SELECT 1');
    const { pid } = sql;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.kill(pid!, signal);
      assert.deepEqual((await run(sql, 'SELECT 1')).rows, [[1]]);
      assert.equal(sql.pid, pid);
    }
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`dies with the application (${signal})`, async (t) => {
      const application = start(t, FOR_EVER, 'tell');
      const [data] = await once(application.stdout, 'data');
      const pid = Number(String(data));
      assert.ok(isAlive(pid));
      application.kill(signal);
      await once(application, 'exit');
      for (let i = 0; i < 200 && isAlive(pid); i++) await sleep(20);
      assert.ok(!isAlive(pid), 'the process outlived the application');
    });
  }
});
