import assert from 'node:assert/strict';
import type { SpanData } from '@tracewell/plugin';
import type { StoreOptions, TraceStore } from '@tracewell/store';
import { allPages } from '../query/oracle.ts';
import { id, span } from '../query/spans.ts';

/** Small segments, and no maintenance but what the test asks for. */
export const FAST: StoreOptions = {
  durability: 'none',
  segmentBytes: 64 << 10,
  search: { index: false },
  maintenance: { scheduled: false },
};

export const HOUR = 3_600_000_000_000n;
export const NOON = 1_760_000_400_000_000_000n;

/** Spans of traces of five, a second apart. */
export function spans(from: number, to: number, start = NOON): SpanData[] {
  return Array.from({ length: to - from }, (_, index) => {
    const number = from + index;
    const startTimeUnixNanos = start + BigInt(number) * 1_000_000_000n;
    return span({
      service: `service-${number % 3}`,
      traceId: id(7) + id(Math.floor(number / 5) + 1),
      spanId: id(number + 1),
      name: `operation ${number % 4}`,
      startTimeUnixNanos,
      endTimeUnixNanos: startTimeUnixNanos + 5_000_000n,
      attributes: { number, text: `text ${number % 10}` },
    });
  });
}

/** What a store answers, by question, as text. */
export async function answers(store: TraceStore): Promise<Map<string, string>> {
  const found = await allPages((query) => store.queryTraces(query), { limit: 64 });
  const answer = new Map<string, string>();
  answer.set('spans', text(found));
  answer.set('failing', text(await store.queryTraces({ service: 'service-1', operation: 'operation 2' })));
  for (const traceId of new Set(found.map((one) => one.traceId))) {
    answer.set(traceId, text(await store.getTrace(traceId)));
  }
  answer.set('services', text(await store.listServices()));
  answer.set('count', text((await store.health()).signals.traces.count));
  return answer;
}

/** Values as text, 64-bit integers included. */
export function text(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part));
}

/** That both hold the same answers. */
export function same(actual: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): void {
  assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort());
  for (const [question, answer] of expected) {
    const got = actual.get(question);
    assert.ok(got === answer, `another answer to ${question}: ${got?.slice(0, 80)}`);
  }
}
