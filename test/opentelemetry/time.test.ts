import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CONTEXT, type TimeInput } from '@opentelemetry/api';
import { recording } from './recording.ts';

/** What a span records as its start when it is told that it started then. */
async function recorded(startTime: unknown): Promise<bigint> {
  const { tracer, only } = recording();
  tracer.startSpan('work', { startTime: startTime as TimeInput }, ROOT_CONTEXT).end();
  return (await only()).startTimeUnixNanos;
}

test('times in all forms are taken to the nanosecond', async () => {
  assert.equal(await recorded(new Date(1_700_000_000_123)), 1_700_000_000_123_000_000n);
  assert.equal(await recorded(1_700_000_000_123), 1_700_000_000_123_000_000n);
  assert.equal(await recorded([1_700_000_000, 123_456_789]), 1_700_000_000_123_456_789n);
  assert.equal(await recorded([0, 0]), 0n);
  // A float of today's milliseconds has a quarter of a microsecond; no digit beyond may be lost on the way.
  const milliseconds = 1_700_000_000_123.25;
  assert.equal(await recorded(milliseconds), 1_700_000_000_123_250_000n);
});

test('a reading of performance.now() is taken as the moment when it was read', async () => {
  const reading = performance.now();
  const readAt = Date.now();
  const nanos = await recorded(reading);
  assert.ok(Math.abs(Number(nanos) / 1e6 - readAt) < 100, `${nanos} is not ${readAt}`);
  const earlier = await recorded(reading - 1000);
  assert.ok(Math.abs(Number(nanos - earlier) / 1e6 - 1000) < 100);
});

test('what is no time is as if it were not given', async () => {
  const before = BigInt(Date.now() - 60_000) * 1_000_000n;
  for (const nonsense of [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    new Date(Number.NaN),
    [1, Number.NaN],
    [-1, 0],
    [2 ** 40, 0],
    1e30,
    'now',
    {},
  ]) {
    assert.ok((await recorded(nonsense)) > before, String(nonsense));
  }
});

test('start and end given in different forms fit together', async () => {
  const { tracer, only } = recording();
  const span = tracer.startSpan('work', { startTime: [1_700_000_000, 1] }, ROOT_CONTEXT);
  span.end(1_700_000_001_000);
  const data = await only();
  assert.equal(data.endTimeUnixNanos - data.startTimeUnixNanos, 999_999_999n);
});
