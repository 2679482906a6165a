import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SpanData } from '@tracewell/plugin';
import { openStore, type SqlRow, type StoreOptions, type TraceStore } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { log } from '../query/logs.ts';
import { gauge } from '../query/metrics.ts';
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

  test('gives the same logs, metrics and comments before and after a compaction', async (t) => {
    const store = await openStore(newDirectory(t), OPTIONS);
    t.after(() => store.close());
    const starts = Array.from({ length: 300 }, (_, i) => spanOf(i).startTimeUnixNanos);
    const insert = async (): Promise<void> => {
      await store.insertLogs(
        starts.map((timeUnixNanos, i) =>
          log({ timeUnixNanos, body: i % 9 === 0 ? { i } : `${i} ${'x'.repeat(i * 40)}` }),
        ),
      );
      await store.insertMetrics([
        gauge({ name: 'load' }, ...starts.map((timeUnixNanos, i) => ({ timeUnixNanos, value: i / 2 }))),
        gauge(
          { name: 'size' },
          ...starts.map((timeUnixNanos, i) => ({ timeUnixNanos, value: i, attributes: { i: i % 7 } })),
        ),
      ]);
      for (let i = 0; i < 5; i++) {
        await store.addComment({
          id: id(i),
          traceId: id(1).repeat(2),
          author: 'ada',
          text: `${i}`,
          time: BigInt(i),
        });
      }
    };
    const everything = async (): Promise<unknown> => {
      const answers = ['logs', 'metrics', 'metrics_5m', 'comments'].map(async (table) => {
        const { rows, partial } = await store.querySql(`SELECT * FROM ${table} ORDER BY ALL`);
        assert.equal(partial, undefined);
        return rows;
      });
      return Promise.all(answers);
    };
    await insert();
    const before = await everything();
    assert.deepEqual(
      (before as readonly unknown[][]).map((rows) => rows.length),
      [300, 600, 24, 5],
    );
    await store.compact();
    assert.deepEqual(await everything(), before);
    await insert();
    assert.deepEqual(await everything(), before);
    await store.compact();
    assert.deepEqual(await everything(), before);
  });

  test('F22 has each row once at every moment of a compaction', async (t) => {
    const directory = newDirectory(t);
    const store = await openStore(directory, OPTIONS);
    const other = await openStore(directory, OPTIONS);
    t.after(() => Promise.all([store.close(), other.close()]));
    let stored = 0;
    let isOver = false;
    const writing = (async () => {
      while (!isOver) {
        const spans = Array.from({ length: 50 }, (_, i) => spanOf(stored + i));
        await (stored % 100 === 0 ? store : other).insertSpans(spans);
        await store.insertLogs(
          spans.map(({ spanId, startTimeUnixNanos }) =>
            log({ body: spanId, timeUnixNanos: startTimeUnixNanos }),
          ),
        );
        stored += 50;
        await sleep(20);
      }
    })();
    const compacting = (async () => {
      while (!isOver) {
        await store.compact();
        // A hundred times as often as by itself, and not so often that nothing else gets to its end.
        await sleep(500);
      }
    })();
    const looking = (async () => {
      for (let look = 0; look < 10; look++) {
        const atLeast = stored;
        const { rows, partial } = await (look % 2 === 0 ? store : other).querySql(
          `SELECT (SELECT count(*) FROM spans) AS spans, (SELECT count(DISTINCT span_id) FROM spans) AS ids,
                  (SELECT count(*) FROM logs) AS logs, (SELECT count(DISTINCT body) FROM logs) AS bodies`,
        );
        const { spans, ids, logs, bodies } = rows[0] as Readonly<Record<string, bigint>>;
        assert.equal(partial, undefined);
        assert.equal(spans, ids);
        assert.equal(logs, bodies);
        assert.ok(spans! >= atLeast && logs! >= atLeast, `${spans} and ${logs} of at least ${atLeast}`);
      }
    })();
    try {
      await Promise.race([looking, writing, compacting]);
    } finally {
      isOver = true;
      await Promise.allSettled([looking, writing, compacting]);
    }
    await Promise.all([writing, compacting]);
    const { rows } = await other.querySql('SELECT count(*) AS spans FROM spans');
    assert.equal(rows[0]?.spans, BigInt(stored));
    assert.ok((await store.health()).cold.files > 0);
  });
});
