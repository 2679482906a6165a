import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SpanData } from '@tracewell/plugin';
import { openStore, type SqlRow, type StoreOptions, type TraceStore } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { id, span } from '../query/spans.ts';

/** Small segments, and nothing goes cold by itself. */
const OPTIONS: StoreOptions = {
  segmentBytes: 64 * 1024,
  durability: 'none',
  maintenance: { scheduled: false },
};

const HOUR = 3_600_000_000_000n;

/** Spans over three hours, with something to compress. */
function spanOf(number: number): SpanData {
  const start = 1_760_000_000_000_000_000n + BigInt(number % 3) * HOUR + BigInt(number) * 1_000n;
  return span({
    traceId: id(Math.floor(number / 4) + 1).repeat(2),
    spanId: id(number + 1),
    startTimeUnixNanos: start,
    endTimeUnixNanos: start + 1_000_000n,
    attributes: { number, filler: `${number} `.repeat(20) },
  });
}

async function allSpans(store: TraceStore): Promise<readonly SqlRow[]> {
  const { rows, partial } = await store.querySql(
    'SELECT * FROM spans ORDER BY start_time, trace_id, span_id, duration_ns',
  );
  assert.equal(partial, undefined);
  return rows;
}

describe('SQL over hot and cold', () => {
  test('gives the same rows before and after a compaction, with copies on both sides', async (t) => {
    const store = await openStore(newDirectory(t), OPTIONS);
    t.after(() => store.close());
    const spans = Array.from({ length: 1200 }, (_, i) => spanOf(i));
    for (let i = 0; i < spans.length; i += 100) await store.insertSpans(spans.slice(i, i + 100));
    const before = await allSpans(store);
    assert.equal(before.length, 1200);
    await store.compact();
    assert.ok((await store.health()).cold.files > 0);
    assert.deepEqual(await allSpans(store), before);
    // Again, and some with a longer duration, which stand for the ones that are cold.
    await store.insertSpans(spans.slice(100, 300));
    await store.insertSpans(
      spans.slice(500, 520).map((each) => ({ ...each, endTimeUnixNanos: each.endTimeUnixNanos + 1n })),
    );
    const during = await allSpans(store);
    assert.equal(during.length, 1200);
    assert.equal(during.filter((row) => row.duration_ns === 1_000_001n).length, 20);
    await store.compact();
    assert.deepEqual(await allSpans(store), during);
  });

  test('F22 has each row once at every moment of a compaction', async (t) => {
    const directory = newDirectory(t);
    const store = await openStore(directory, OPTIONS);
    const other = await openStore(directory, OPTIONS);
    t.after(() => Promise.all([store.close(), other.close()]));
    let stored = 0;
    let isOver = false;
    const writing = (async () => {
      while (stored < 6_000) {
        const from = stored;
        const spans = Array.from({ length: 50 }, (_, i) => spanOf(from + i));
        await (from % 100 === 0 ? store : other).insertSpans(spans);
        stored = from + 50;
      }
    })();
    const compacting = (async () => {
      while (!isOver) await store.compact();
    })();
    let looks = 0;
    while (stored < 6_000) {
      const atLeast = stored;
      const reader = looks++ % 2 === 0 ? store : other;
      const { rows, partial } = await reader.querySql(
        'SELECT count(*) AS spans, count(DISTINCT span_id) AS ids FROM spans',
      );
      const [{ spans, ids }] = rows as [{ spans: bigint; ids: bigint }];
      assert.equal(partial, undefined);
      assert.equal(spans, ids);
      assert.ok(spans >= atLeast, `${spans} spans of at least ${atLeast}`);
    }
    await writing;
    isOver = true;
    await compacting;
    const { rows } = await other.querySql('SELECT count(*) AS spans FROM spans');
    assert.equal(rows[0]?.spans, 6_000n);
    assert.ok(looks > 3, `${looks} looks`);
  });
});
