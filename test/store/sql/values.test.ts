import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { SqlProcess } from '../../../packages/store/src/sql/sql-process.ts';
import type { SqlValue } from '../../../packages/store/src/sql/types.ts';
import { run } from './sql-process.ts';

const MAX_64 = 2n ** 63n - 1n;

/** Expressions of SQL, and what arrives of them: the type, then the value. */
const CASES: readonly [sql: string, type: string, value: SqlValue][] = [
  ['NULL', 'INTEGER', null],
  ['true', 'BOOLEAN', true],
  ['(-128)::TINYINT', 'TINYINT', -128],
  ['4294967295::UINTEGER', 'UINTEGER', 4294967295],
  [`${MAX_64}`, 'BIGINT', MAX_64],
  ['1::BIGINT', 'BIGINT', 1n],
  [`${2n ** 64n - 1n}::UBIGINT`, 'UBIGINT', 2n ** 64n - 1n],
  [`${2n ** 127n - 1n}::HUGEINT`, 'HUGEINT', 2n ** 127n - 1n],
  [`${2n ** 128n - 1n}::UHUGEINT`, 'UHUGEINT', 2n ** 128n - 1n],
  [`'${10n ** 60n}'::BIGNUM`, 'BIGNUM', 10n ** 60n],
  ['1.5', 'DECIMAL(2,1)', 1.5],
  ['0.1::DECIMAL(15,15)', 'DECIMAL(15,15)', 0.1],
  ['-123456789012345.6::DECIMAL(16,1)', 'DECIMAL(16,1)', '-123456789012345.6'],
  ['0.1::DOUBLE', 'DOUBLE', 0.1],
  ["'NaN'::DOUBLE", 'DOUBLE', Number.NaN],
  ["'-inf'::DOUBLE", 'DOUBLE', Number.NEGATIVE_INFINITY],
  ["'a' || chr(0) || 'ü€😀'", 'VARCHAR', 'a\0ü€😀'],
  ["'\\x00\\xFF'::BLOB", 'BLOB', new Uint8Array([0, 255])],
  ["TIMESTAMP_NS '2026-01-31 12:00:00.123456789'", 'TIMESTAMP_NS', 1769860800123456789n],
  ["TIMESTAMP '2026-01-31 12:00:00.123456'", 'TIMESTAMP', 1769860800123456000n],
  ["'2026-01-31 12:00:00.123'::TIMESTAMP_MS", 'TIMESTAMP_MS', 1769860800123000000n],
  ["'2026-01-31 12:00:00'::TIMESTAMP_S", 'TIMESTAMP_S', 1769860800000000000n],
  ["'2026-01-31 12:00:00+02'::TIMESTAMPTZ", 'TIMESTAMP WITH TIME ZONE', 1769853600000000000n],
  ["TIMESTAMP '1969-12-31 23:59:59.999999'", 'TIMESTAMP', -1000n],
  ["'infinity'::TIMESTAMP", 'TIMESTAMP', 'infinity'],
  ["'-infinity'::TIMESTAMPTZ", 'TIMESTAMP WITH TIME ZONE', '-infinity'],
  ["DATE '2026-01-31'", 'DATE', '2026-01-31'],
  ["'infinity'::DATE", 'DATE', 'infinity'],
  ["TIME '12:00:00.5'", 'TIME', '12:00:00.5'],
  ["INTERVAL '1 year 2 days 3.5 seconds'", 'INTERVAL', { months: 12, days: 2, micros: 3_500_000n }],
  ["'00000000-0000-0000-0000-0000000000ff'::UUID", 'UUID', '00000000-0000-0000-0000-0000000000ff'],
  ["'10101'::BIT", 'BIT', '10101'],
  [`'{"a": [1]}'::JSON`, 'JSON', '{"a": [1]}'],
  ["'b'::ENUM('a', 'b')", "ENUM('a', 'b')", 'b'],
  ['[1, NULL, 3]', 'INTEGER[]', [1, null, 3]],
  ['[[1::BIGINT], []]', 'BIGINT[][]', [[1n], []]],
  ['[1, 2]::INTEGER[2]', 'INTEGER[2]', [1, 2]],
  [
    "{'a': 1, 'b': [{'c': NULL}]}",
    'STRUCT("a" INTEGER, "b" STRUCT("c" INTEGER)[])',
    { a: 1, b: [{ c: null }] },
  ],
  ["MAP {'k': 1::BIGINT, '': 2}", 'MAP(VARCHAR, BIGINT)', { k: 1n, '': 2n }],
  ['MAP {1: true}', 'MAP(INTEGER, BOOLEAN)', [{ key: 1, value: true }]],
  ["union_value(a := 'x')", 'UNION("a" VARCHAR)', { tag: 'a', value: 'x' }],
];

describe('a value of SQL arrives whole', () => {
  const sql = new SqlProcess('/no-such-directory');
  after(() => sql.close());

  for (const [expression, type, value] of CASES) {
    test(`${expression}: ${type}`, async () => {
      const { columns, rows } = await run(sql, `SELECT ${expression} AS value`);
      assert.deepEqual(rows, [[value]]);
      assert.deepEqual(columns, [{ name: 'value', type }]);
    });
  }

  test('names of columns, fields and keys reach no prototype', async () => {
    const { columns, rows } = await run(
      sql,
      `SELECT 1 AS "__proto__", {'__proto__': 1} AS s, MAP {'__proto__': 1, 'constructor': 2} AS m`,
    );
    assert.deepEqual(
      columns.map(({ name }) => name),
      ['__proto__', 's', 'm'],
    );
    const [[, s, m]] = rows as [[SqlValue, object, object]];
    assert.deepEqual(Object.keys(s), ['__proto__']);
    assert.deepEqual(Object.keys(m), ['__proto__', 'constructor']);
    assert.equal(({} as { polluted?: number }).polluted, undefined);
  });

  test('columns of the same name are told apart', async () => {
    const { columns, rows } = await run(sql, 'SELECT 1 AS a, 2 AS a, 3 AS a');
    assert.deepEqual(
      columns.map(({ name }) => name),
      ['a', 'a:1', 'a:2'],
    );
    assert.deepEqual(rows, [[1, 2, 3]]);
  });

  test('more rows than DuckDB hands over at once arrive in order', async () => {
    const { rows } = await run(sql, 'SELECT range::INTEGER FROM range(10000) ORDER BY 1');
    assert.deepEqual(
      rows.map(([value]) => value),
      Array.from({ length: 10_000 }, (_, i) => i),
    );
  });
});
