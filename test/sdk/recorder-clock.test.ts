import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SpanData } from '@tracewell/plugin';
import { ManualClock, recording } from './support/recording.ts';

const HOUR_MS = 3_600_000;

function millis(nanos: bigint): number {
  return Number(nanos) / 1e6;
}

describe('the clock of the recorder', () => {
  it('tells the time of day to the nanosecond of the monotonic clock', async () => {
    const clock = new ManualClock();
    const { plugin, only } = recording({ clock });
    const span = plugin.startSpan({ name: 'span' });
    clock.monotonic += 0.001234;
    plugin.endSpan(span);
    const { startTimeUnixNanos, endTimeUnixNanos } = await only();
    assert.ok(Math.abs(millis(startTimeUnixNanos) - clock.wall) <= 1);
    assert.equal(endTimeUnixNanos - startTimeUnixNanos, 1234n);
  });

  it('carries from the lower half of a time into the upper one', async () => {
    const clock = new ManualClock();
    const { plugin, spans } = recording({ clock });
    for (let index = 0; index < 40; index++) {
      plugin.endSpan(plugin.startSpan({ name: 'span' }));
      // A bit over the 4.29 s that the lower half holds.
      clock.pass(4300);
    }
    const starts = (await spans()).map((span) => span.startTimeUnixNanos);
    for (const [index, start] of starts.entries()) {
      if (index > 0) assert.equal(start - starts[index - 1]!, 4_300_000_000n);
    }
  });

  it('carries at the right nanosecond', async () => {
    const clock = new ManualClock();
    const { plugin, spans } = recording({ clock });
    const ahead = [-300, -256, -2, -1, 0, 1];
    const first = plugin.startSpan({ name: 'first' });
    const startedAt = clock.monotonic;
    plugin.endSpan(first);
    const [{ startTimeUnixNanos: start }] = (await spans()) as [SpanData];
    // Small enough for the monotonic time to be exact to the nanosecond.
    const untilCarry = Number(2n ** 32n - (start % 2n ** 32n));
    for (const nanos of ahead) {
      clock.monotonic = startedAt + (untilCarry + nanos) / 1e6;
      clock.wall = millis(start) + (untilCarry + nanos) / 1e6;
      plugin.endSpan(plugin.startSpan({ name: 'span' }));
    }
    assert.deepEqual(
      (await spans()).slice(1).map((span) => Number(span.startTimeUnixNanos - start) - untilCarry),
      ahead,
    );
  });

  it('agrees with Date.now by default', async () => {
    const { plugin, only } = recording();
    const before = Date.now();
    plugin.endSpan(plugin.startSpan({ name: 'span' }));
    const after = Date.now();
    const { startTimeUnixNanos, endTimeUnixNanos } = await only();
    assert.ok(millis(startTimeUnixNanos) >= before - 1 && millis(endTimeUnixNanos) <= after + 1);
    assert.ok(endTimeUnixNanos >= startTimeUnixNanos);
  });

  it('is right again when the machine slept, which the monotonic clock does not count', async () => {
    const clock = new ManualClock();
    const { plugin, spans } = recording({ clock });
    const sleeper = plugin.startSpan({ name: 'sleeper' });
    clock.wall += 8 * HOUR_MS;
    clock.pass(60);
    const child = plugin.startSpan({ name: 'child', parent: sleeper });
    plugin.endSpan(child);
    plugin.endSpan(sleeper);
    const [inner, outer] = await spans();
    assert.ok(Math.abs(millis(inner!.startTimeUnixNanos) - clock.wall) <= 1);
    // The parent ends behind its child, so the tree stays whole.
    assert.ok(outer!.endTimeUnixNanos >= inner!.endTimeUnixNanos);
    assert.ok(outer!.startTimeUnixNanos <= inner!.startTimeUnixNanos);
  });

  it('never ends a span before its start when the clock was set back', async () => {
    const clock = new ManualClock();
    const { plugin, spans } = recording({ clock });
    const span = plugin.startSpan({ name: 'before' });
    clock.pass(100);
    clock.wall -= HOUR_MS;
    plugin.endSpan(plugin.startSpan({ name: 'after' }));
    clock.pass(20);
    plugin.addEvent(span, { name: 'late' });
    plugin.endSpan(span);
    const [after, before] = await spans();
    assert.ok(Math.abs(millis(after!.startTimeUnixNanos) - (clock.wall - 20)) <= 1);
    assert.equal(before!.endTimeUnixNanos - before!.startTimeUnixNanos, 120_000_000n);
    assert.equal(before!.events[0]!.timeUnixNanos, before!.endTimeUnixNanos);
  });

  it('follows a slow drift without a jump of more than it drifted', async () => {
    const clock = new ManualClock();
    const { plugin, spans } = recording({ clock, batchMaxSpans: 10_000 });
    // The wall clock runs 500 parts in a million faster, as much as it is slewed at most.
    const stepMs = 51;
    for (let index = 0; index < 2000; index++) {
      plugin.endSpan(plugin.startSpan({ name: 'span' }));
      clock.monotonic += stepMs;
      clock.wall += stepMs * 1.0005;
    }
    const starts = (await spans()).map((span) => millis(span.startTimeUnixNanos));
    for (let index = 1; index < starts.length; index++) {
      const step = starts[index]! - starts[index - 1]!;
      // A float of today's milliseconds is good for a quarter of a microsecond.
      assert.ok(Math.abs(step - stepMs) < 1.03, `a step of ${step} ms`);
    }
    assert.ok(Math.abs(starts.at(-1)! - clock.wall + stepMs * 1.0005) <= 1.1);
  });
});
