import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { selfNanos, timelineOf } from '../../../packages/store/src/analysis/timeline.ts';
import { id, span } from '../query/spans.ts';
import { traceOf } from './traces.ts';

test('own work is every nanosecond of a span in which none of its children ran', () => {
  const child = fc.record({ start: fc.integer({ min: 0, max: 60 }), duration: fc.nat(30) });
  fc.assert(
    fc.property(fc.array(child, { maxLength: 8 }), (children) => {
      const root = span({ startTimeUnixNanos: 1_010n, endTimeUnixNanos: 1_040n });
      const spans = children.map(({ start, duration }, number) =>
        span({
          spanId: id(number + 1),
          parentSpanId: root.spanId,
          startTimeUnixNanos: 1_000n + BigInt(start),
          endTimeUnixNanos: 1_000n + BigInt(start + duration),
        }),
      );
      const covered = (at: number): boolean =>
        children.some(({ start, duration }) => start <= at && at < start + duration);
      const expected = Array.from({ length: 30 }, (_, at) => 10 + at).filter((at) => !covered(at)).length;
      const node = timelineOf(traceOf([root, ...spans])).find((one) => one.span === root)!;
      assert.equal(selfNanos(node), expected);
    }),
    { numRuns: 300 },
  );
});
