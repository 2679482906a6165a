import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareTwoTraces } from '../../../packages/store/src/analysis/compare-traces.ts';
import { draw } from './traces.ts';

const BEFORE = `
GET /cart    |==========|
  query      | ==       |
  query      |    ==    |
  POST /pay  |       == |
    charge   |       =  |`;
const AFTER = `
GET /cart    |====================|
  query      | ==                 |
  query      |   ==               |
  query      |     ==             |
  POST /mail |       !            |
  POST /pay  |         ========== |
    charge   |         ========   |`;

test('traces are laid over each other by their call trees, the largest difference first', () => {
  const { places, ...result } = compareTwoTraces(draw(BEFORE), draw(AFTER));
  assert.deepEqual([result.before.durationMs, result.after.durationMs, result.differenceMs], [10, 20, 10]);
  assert.deepEqual([result.before.spanCount, result.after.spanCount], [5, 7]);
  assert.deepEqual([result.before.errorCount, result.after.errorCount], [0, 1]);
  assert.deepEqual(
    places.map(({ path, before, after, differenceMs }) => [
      path.join(' > ').replaceAll('shop ', ''),
      before.count,
      after.count,
      differenceMs,
    ]),
    [
      ['GET /cart > POST /pay > charge', 1, 1, 7],
      ['GET /cart > query', 2, 3, 2],
      ['GET /cart', 1, 1, -1],
      ['GET /cart > POST /mail', 0, 1, 1],
      ['GET /cart > POST /pay', 1, 1, 1],
    ],
  );
  assert.equal(
    result.summary,
    'The second trace took 10 ms longer; the largest difference is shop charge: 7 ms more.',
  );
});

test('every millisecond of own work of each trace is at one place', () => {
  const { places } = compareTwoTraces(draw(BEFORE), draw(AFTER));
  const total = (side: 'before' | 'after') => places.reduce((sum, place) => sum + place[side].selfMs, 0);
  assert.deepEqual([total('before'), total('after')], [10, 20]);
});

test('a trace beside itself has no difference', () => {
  const { places, differenceMs, summary } = compareTwoTraces(draw(BEFORE), draw(BEFORE));
  assert.deepEqual([differenceMs, places.every((place) => place.differenceMs === 0)], [0, true]);
  assert.equal(summary, 'Both traces took equally long.');
});
