import assert from 'node:assert/strict';
import { globSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SpanData } from '@tracewell/plugin';
import { openStore, type StoreOptions, type TraceStore } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { allPages } from '../query/oracle.ts';
import { id, span } from '../query/spans.ts';

const FAST: StoreOptions = { durability: 'none', segmentBytes: 64 << 10, maintenance: { scheduled: false } };
const HOUR = 3_600_000_000_000n;
const NOON = 1_760_000_400_000_000_000n;

/** Spans of traces of five, a second apart. */
function spans(from: number, to: number, start = NOON): SpanData[] {
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

/** Everything that a store answers, by question, as text. */
async function answers(store: TraceStore): Promise<Map<string, string>> {
  const found = await allPages((query) => store.queryTraces(query), { limit: 64 });
  const answer = new Map<string, string>();
  answer.set('spans', text(found));
  for (const traceId of new Set(found.map((one) => one.traceId))) {
    answer.set(traceId, text(await store.getTrace(traceId)));
  }
  answer.set('services', text(await store.listServices()));
  answer.set('count', text((await store.health()).signals.traces.count));
  return answer;
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part));
}

function same(actual: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): void {
  assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort());
  for (const [question, answer] of expected) {
    assert.ok(actual.get(question) === answer, `another answer to ${question}`);
  }
}

test('what is compacted is found as before, by this store, another one, one that only reads, and after reopening', async (t) => {
  const directory = newDirectory(t);
  const store = await openStore(directory, FAST);
  await using other = await openStore(directory, FAST);
  await using reader = await openStore(directory, { readOnly: true });
  await store.insertSpans(spans(0, 200));
  await store.insertSpans(spans(200, 400, NOON + 5n * HOUR));
  const before = await answers(store);
  same(await answers(reader), before);
  const result = await store.compact();
  assert.ok(result.segments >= 1);
  assert.ok(result.files >= 2, `${result.files} files`);
  assert.equal(globSync(`${directory}/cold/spans/date=*/hour=*/*.parquet`).length, result.files);
  for (const one of [store, other, reader]) same(await answers(one), before);
  assert.equal((await store.health()).cold.rows.spans, 400);
  await store.close();
  await using again = await openStore(directory, FAST);
  same(await answers(again), before);
  assert.equal((await again.health()).status, 'ok');
  assert.deepEqual((await other.health()).log.removedLogs, 0);
});
