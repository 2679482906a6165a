import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SpanData } from '@tracewell/plugin';
import type { Trace } from '@tracewell/store';
import fc from 'fast-check';
import { criticalPath } from '../../../packages/store/src/analysis/critical-path.ts';
import { id, span } from '../query/spans.ts';
import { draw, traceOf } from './traces.ts';

/** The path as text: for each step the operation and its milliseconds. */
function path(trace: Trace): string {
  return criticalPath(trace)
    .steps.map(({ operation, durationMs }) => `${operation} ${durationMs}`)
    .join(', ');
}

test('a span alone is its own critical path', () => {
  assert.equal(path(draw('root |=====|')), 'root 5');
});

test('what runs one after the other is all on the path, and the pauses are the parent’s', () => {
  const trace = draw(`
root      |==========|
  first   | ===      |
  second  |      ==  |`);
  assert.equal(path(trace), 'root 1, first 3, root 2, second 2, root 2');
});

test('of what runs at the same time, only what ended last is on the path', () => {
  const trace = draw(`
root      |==========|
  short   | ===      |
  long    | =======  |`);
  assert.equal(path(trace), 'root 1, long 7, root 2');
});

test('a chain of overlapping calls counts only those that were waited for', () => {
  const trace = draw(`
root      |==========|
  first   |===       |
  middle  |  =====   |
  last    |      ====|`);
  assert.equal(path(trace), 'first 3, root 3, last 4');
});

test('a child that outlives its parent counts up to the parent’s end, and so do its own children', () => {
  const trace = draw(`
root        |=====     |
  publish   | =========|
    deliver |  ======= |`);
  assert.equal(path(trace), 'root 1, publish 1, deliver 3');
});

test('a child that starts before its parent, a clock apart, counts from the parent’s start', () => {
  const trace = draw(`
root      |==========|
  server  |   ====   |
    early | ====     |`);
  assert.equal(path(trace), 'root 3, early 2, server 2, root 3');
});

test('the path goes through processes; the spans are summed, the largest first', () => {
  const result = criticalPath(
    draw(
      `
GET /        |==========|
  POST /pay  | ======== |
    charge   |  =====   |`,
      { charge: { service: 'pay' } },
    ),
  );
  assert.equal(result.durationMs, 10);
  assert.deepEqual(
    result.spans.map(({ service, operation, durationMs, share }) => [service, operation, durationMs, share]),
    [
      ['pay', 'charge', 5, 0.5],
      ['shop', 'POST /pay', 3, 0.3],
      ['shop', 'GET /', 2, 0.2],
    ],
  );
});

test('of several roots the longest is explained', () => {
  const trace = draw(`
orphan |==        |
root   | =======  |`);
  assert.equal(path(trace), 'root 7');
});

test('whatever the trace: the steps join, stay within their spans and sum up to the root', () => {
  const node = fc.record({
    parent: fc.nat(),
    start: fc.integer({ min: 0, max: 40 }),
    duration: fc.integer({ min: -2, max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(node, { minLength: 1, maxLength: 30 }), (nodes) => {
      const spans = nodes.map(({ parent, start, duration }, number): SpanData => {
        const from = 1_000n + BigInt(start);
        return span({
          spanId: id(number + 1),
          parentSpanId: number === 0 ? '' : id((parent % number) + 1),
          startTimeUnixNanos: from,
          endTimeUnixNanos: from + BigInt(duration),
        });
      });
      const trace = traceOf(spans);
      const { steps, rootSpanId, durationMs } = criticalPath(trace);
      const root = spans.find((one) => one.spanId === rootSpanId)!;
      let at = root.startTimeUnixNanos;
      for (const step of steps) {
        assert.equal(step.startTimeUnixNanos, at, 'no gap and no overlap');
        const own = spans.find((one) => one.spanId === step.spanId)!;
        const end = at + BigInt(Math.round(step.durationMs * 1e6));
        assert.ok(end > at && own.startTimeUnixNanos <= at && own.endTimeUnixNanos >= end);
        // Nothing below it ran until the step's end: otherwise that would have been waited for.
        const children = spans.filter((one) => one.parentSpanId === own.spanId);
        assert.ok(
          !children.some((child) => child.startTimeUnixNanos < end && child.endTimeUnixNanos === end),
        );
        at = end;
      }
      const length = root.endTimeUnixNanos - root.startTimeUnixNanos;
      assert.equal(at, root.startTimeUnixNanos + (length > 0n ? length : 0n));
      assert.equal(Math.round(durationMs * 1e6), Number(length > 0n ? length : 0n));
    }),
    { numRuns: 500 },
  );
});

test('a trace of 100,000 spans, each inside the one before, is no deeper than the stack', () => {
  const spans = Array.from({ length: 100_000 }, (_, number) =>
    span({
      spanId: id(number + 1),
      parentSpanId: number === 0 ? '' : id(number),
      startTimeUnixNanos: 1_000n + BigInt(number),
      endTimeUnixNanos: 1_000_000n - BigInt(number),
    }),
  );
  assert.equal(criticalPath(traceOf(spans)).steps.length, 199_999);
});
