/** A whole directory of every released format version, kept as it was written, is opened as it is. */
import assert from 'node:assert/strict';
import { cpSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { LogData, MetricData } from '@tracewell/otlp';
import { openStore } from '@tracewell/store';
import { COLD_TRACES, HOT_TRACES, logsOf, metricsOf, traceOf } from './fixtures/store-1-data.ts';

const STORE_1 = fileURLToPath(new URL('fixtures/store-1', import.meta.url));
const ALL = [...COLD_TRACES, ...HOT_TRACES];

/** As plain data, whatever the order of keys and the prototypes of maps. */
function plain(value: unknown): unknown {
  const sorted = (_: string, inner: unknown): unknown => {
    if (typeof inner === 'bigint') return `${inner}n`;
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return JSON.parse(JSON.stringify(value, sorted));
}

/** One line for each log record, whatever their order. */
function lines(logs: readonly LogData[]): string[] {
  return logs.map((log) => JSON.stringify(plain({ ...log, scope: undefined, resource: undefined }))).sort();
}

/** One line for each point. */
function points(metrics: readonly MetricData[]): string[] {
  return metrics
    .flatMap(({ name, unit, points }) => points.map((point) => JSON.stringify(plain([name, unit, point]))))
    .sort();
}

const HOW = ['as it is', 'without meta.db', 'without index files', 'to only read'] as const;
for (const how of HOW) {
  it(`a store of version 1 opens ${how}, with everything in it`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tracewell-store-'));
    cpSync(STORE_1, directory, { recursive: true });
    const removed =
      how === 'without meta.db' ? 'meta.db' : how === 'without index files' ? 'log/*/*.idx' : '-';
    for (const name of globSync(removed, { cwd: directory })) rmSync(join(directory, name));

    const store = await openStore(directory, {
      readOnly: how === 'to only read',
      maintenance: { scheduled: false },
      search: { index: false },
    });
    for (const trace of ALL) {
      const expected = traceOf(trace);
      const found = await store.getTrace(expected[0]!.traceId);
      assert.deepEqual(plain(found?.spans), plain(expected));
      assert.deepEqual(
        found?.comments.map(({ text }) => text),
        [`about trace ${trace}`],
      );
    }
    const { logs } = await store.queryLogs({ limit: 1000 });
    assert.deepEqual(lines(logs), lines(ALL.flatMap(logsOf)));
    const { series } = await store.queryMetrics({ limit: 1000 });
    assert.deepEqual(points(series), points(ALL.flatMap(metricsOf)));
    assert.equal((await store.querySummary()).spanCount, ALL.length * 12);
    assert.deepEqual((await store.verify()).problems, []);

    if (how !== 'to only read') {
      // It goes on as a store of this version.
      await store.insertSpans(traceOf(6));
      await store.compact();
      assert.equal((await store.querySummary()).spanCount, (ALL.length + 1) * 12);
    }
    await store.close();
    rmSync(directory, { recursive: true });
  });
}
