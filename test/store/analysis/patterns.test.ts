import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpanKind } from '@tracewell/plugin';
import type { Trace } from '@tracewell/store';
import { findPatterns, withoutValues } from '../../../packages/store/src/analysis/patterns.ts';
import { draw } from './traces.ts';

function found(trace: Trace): [kind: string, calls: number, savingMs: number][] {
  return findPatterns(trace).map(({ kind, spanIds, savingMs }) => [kind, spanIds.length, savingMs]);
}

test('the same call again and again is an n-plus-one, named by its statement without values', () => {
  const query = (number: number) => ({
    attributes: { 'db.query.text': `SELECT *\n FROM items WHERE id = ${number}` },
  });
  const trace = draw(
    `
GET /cart |===============|
  q1      | ==            |
  q2      |   ==          |
  q3      |     ==        |
  q4      |       ==      |
  q5      |         ==    |`,
    Object.fromEntries([1, 2, 3, 4, 5].map((number) => [`q${number}`, { ...query(number), name: 'SELECT' }])),
  );
  const [pattern] = findPatterns(trace);
  assert.deepEqual(found(trace), [['n-plus-one', 5, 8]]);
  assert.deepEqual(pattern!.calls, ['SELECT * FROM items WHERE id = ?']);
  assert.equal(
    pattern!.summary,
    'shop called SELECT * FROM items WHERE id = ? 5 times one after the other within GET /cart: a single call for all of them would save up to 8 ms.',
  );
});

test('four are none yet, and neither are five at the same time, nor five of different services', () => {
  const lines = ['root |===============|', ...Array.from({ length: 5 }, () => '  call | ==            |')];
  assert.deepEqual(found(draw(lines.join('\n'))), []);
  const four = ['root |==========|', ...[1, 3, 5, 7].map((at) => `  call |${' '.repeat(at)}==|`)];
  assert.deepEqual(found(draw(four.join('\n'))), []);
});

test('a call that failed and was made again is a retry, told with its outcome', () => {
  const trace = draw(`
root   |===============|
  pay  | !!!           |
  pay  |     !!        |
  pay  |        ===    |`);
  assert.deepEqual(found(trace), [['retry', 3, 5]]);
  assert.equal(
    findPatterns(trace)[0]!.summary,
    'shop called pay again after it had failed, 2 times, and succeeded in the end: 5 ms went to the failed attempts.',
  );
  const vain = draw(`
root   |===============|
  pay  | !!!           |
  pay  |     !!        |`);
  assert.match(findPatterns(vain)[0]!.summary, /once, and failed every time: 3 ms/);
});

test('calls that failed side by side are no retries', () => {
  assert.deepEqual(
    found(
      draw(`
root   |===============|
  pay  | !!!           |
  pay  |  !!           |`),
    ),
    [],
  );
});

test('different calls with hardly a pause between them could run at the same time', () => {
  const trace = draw(`
GET /product |===============|
  catalog    | ====          |
  reviews    |     =====     |
  stock      |          ==== |`);
  assert.deepEqual(found(trace), [['serial-calls', 3, 8]]);
  assert.equal(
    findPatterns(trace)[0]!.summary,
    'shop made 3 calls one after the other within GET /product (catalog, reviews, stock): at the same time they would take up to 8 ms less.',
  );
});

test('calls that overlap run at the same time already', () => {
  const trace = draw(`
root     |===============|
  first  | =====         |
  second |   =====       |
  third  |      =====    |`);
  assert.deepEqual(found(trace), []);
});

test('work between the calls, internal spans and failed calls break the run', () => {
  const pauses = `
root     |===============|
  first  | ===           |
  second |      ===      |
  third  |           === |`;
  assert.deepEqual(found(draw(pauses)), []);
  const joined = pauses
    .replaceAll('  second |      ===      |', '  second |    ===      |')
    .replace('           === ', '       ===     ');
  assert.deepEqual(found(draw(joined)), [['serial-calls', 3, 6]]);
  assert.deepEqual(found(draw(joined, { second: { kind: SpanKind.INTERNAL } })), []);
  assert.deepEqual(found(draw(joined.replace('    ===      |', '    !!!      |'))), []);
});

test('those come first that would save most', () => {
  const trace = draw(`
root     |====================|
  a      |=                   |
  b      | =                  |
  c      |  =                 |
  pay    |      !!!!!!!!!!    |
  pay    |                 == |`);
  assert.deepEqual(found(trace), [
    ['retry', 2, 10],
    ['serial-calls', 3, 2],
  ]);
});

test('values are left out of statements, identifiers are kept', () => {
  for (const [statement, shape] of [
    [
      "SELECT *  FROM t1 WHERE id IN (1, 2, 3) AND name = 'it''s'",
      'SELECT * FROM t1 WHERE id IN (?) AND name = ?',
    ],
    ['INSERT INTO t VALUES ($1, $2)', 'INSERT INTO t VALUES (?)'],
    ['select 1.5e-3, 0xFF', 'select ?, ?'],
    ['GET key_7', 'GET key_7'],
  ] as const) {
    assert.equal(withoutValues(statement), shape);
  }
});
