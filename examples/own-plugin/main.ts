// A plugin of one's own: the seven methods, here keeping a histogram of durations by span name.
// prints: /query: 3 spans/
import { INVALID_SPAN, type SpanHandle, type SpanStart, type TracerPlugin } from '@tracewell/plugin';
import { startTracing } from '@tracewell/sdk';

/** Counts spans and sums up their time by name, and keeps nothing else. */
class DurationsByName implements TracerPlugin {
  readonly name = 'durations-by-name';
  readonly #live = new Map<SpanHandle, { name: string; start: number }>();
  readonly #totals = new Map<string, { count: number; ms: number }>();
  #lastHandle: SpanHandle = INVALID_SPAN;

  startSpan({ name, parent }: SpanStart): SpanHandle {
    if (parent === INVALID_SPAN) return INVALID_SPAN;
    // Never reused, so a stale handle can never touch another span.
    this.#lastHandle += 1;
    this.#live.set(this.#lastHandle, { name, start: performance.now() });
    return this.#lastHandle;
  }

  setAttribute(): void {}
  setStatus(): void {}
  addEvent(): void {}

  endSpan(span: SpanHandle): void {
    const live = this.#live.get(span);
    if (live === undefined) return;
    this.#live.delete(span);
    const total = this.#totals.get(live.name) ?? { count: 0, ms: 0 };
    total.count += 1;
    total.ms += performance.now() - live.start;
    this.#totals.set(live.name, total);
  }

  async flush(): Promise<void> {
    for (const [name, { count, ms }] of this.#totals)
      console.log(`${name}: ${count} spans, ${ms.toFixed(2)} ms`);
    this.#totals.clear();
  }
}

await using tracing = startTracing({ plugin: new DurationsByName() });
for (let i = 0; i < 3; i++) {
  const span = tracing.plugin.startSpan({ name: 'query' });
  tracing.plugin.endSpan(span);
}
await tracing.flush();
