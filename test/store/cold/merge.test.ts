import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SpanData } from '@tracewell/plugin';
import { openStore, type Store, type StoreOptions, type TraceQuery } from '@tracewell/store';
import fc from 'fast-check';
import { newDirectory } from '../engine/directory.ts';
import { allPages, arbitraryQuery, Oracle } from '../query/oracle.ts';
import { arbitrarySpan } from '../query/spans.ts';

const OPTIONS: StoreOptions = {
  durability: 'none',
  segmentBytes: 64 << 10,
  maintenance: { scheduled: false },
};

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ insert: fc.array(arbitrarySpan, { maxLength: 12 }), by: fc.nat(1) }),
  },
  { weight: 3, arbitrary: fc.record({ compact: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ reopen: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ ask: arbitraryQuery }) },
);

test('stores that compact at random answer as a plain list of all spans would, also without meta.db', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 14 }),
      fc.array(arbitraryQuery, { minLength: 1, maxLength: 4 }),
      async (steps, queries) => {
        const directory = newDirectory(t);
        const oracle = new Oracle();
        const stores = await Promise.all([0, 1].map(() => openStore(directory, OPTIONS)));
        try {
          for (const one of steps) {
            if ('insert' in one) {
              await stores[one.by]!.insertSpans(one.insert);
              oracle.insert(one.insert);
            } else if ('compact' in one) {
              await stores[one.compact]!.compact();
            } else if ('ask' in one) {
              for (const store of stores) await check(store, one.ask, oracle);
            } else {
              await stores[one.reopen]!.close();
              stores[one.reopen] = await openStore(directory, OPTIONS);
            }
          }
          stores.push(await openStore(directory, { readOnly: true }));
          for (const store of stores) await checkAll(store, queries, oracle);
          // What meta.db holds can be found in the other files.
          await Promise.all(stores.splice(0).map((store) => store.close()));
          for (const suffix of ['', '-wal', '-shm'])
            rmSync(join(directory, `meta.db${suffix}`), { force: true });
          stores.push(await openStore(directory, { readOnly: true }));
          await checkAll(stores[0]!, queries, oracle);
          stores.push(await openStore(directory, OPTIONS));
          await stores[1]!.compact();
          for (const store of stores) await checkAll(store, queries, oracle);
        } finally {
          await Promise.all(stores.map((store) => store.close()));
        }
      },
    ),
    {
      numRuns: Number(process.env.TRACEWELL_RUNS ?? 25),
      ...(process.env.TRACEWELL_SEED && { seed: Number(process.env.TRACEWELL_SEED) }),
    },
  );
});

async function check(store: Store, query: TraceQuery, oracle: Oracle): Promise<void> {
  const found = await allPages((page) => store.queryTraces(page), query);
  assert.deepEqual(plain(found), plain(oracle.all(query)));
}

async function checkAll(store: Store, queries: readonly TraceQuery[], oracle: Oracle): Promise<void> {
  for (const query of queries) await check(store, query, oracle);
  for (const traceId of new Set(oracle.all().map((one) => one.traceId))) {
    assert.deepEqual(plain((await store.getTrace(traceId))?.spans), plain(oracle.trace(traceId)));
  }
  assert.deepEqual(await store.listServices(), oracle.services());
  assert.equal((await store.health()).signals.traces.count, oracle.size);
}

function plain(spans: readonly SpanData[] | undefined): unknown {
  return JSON.parse(JSON.stringify(spans ?? [], (_, part) => (typeof part === 'bigint' ? `${part}n` : part)));
}
