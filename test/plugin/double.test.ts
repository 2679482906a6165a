import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Double } from '@tracewell/plugin';

test('a Double behaves as its number in arithmetic, templates and JSON', () => {
  const two = new Double(2);
  assert.equal(two.value, 2);
  assert.equal(Number(two) + 1, 3);
  assert.equal(`${two}`, '2');
  assert.equal(JSON.stringify({ two }), '{"two":2}');
});

test('a Double holds every number', () => {
  for (const value of [0, -0, 0.5, Number.NaN, Number.NEGATIVE_INFINITY, Number.MAX_VALUE]) {
    assert.ok(Object.is(new Double(value).value, value));
  }
});

test('a Double of anything else is a TypeError', () => {
  for (const value of ['1', 1n, null, undefined, {}, Symbol('1')]) {
    assert.throws(() => new Double(value as number), { name: 'TypeError', message: /must be a number/ });
  }
});
