import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@tracewell/store';
import { alternate, type Bench, compare } from './harness.ts';
import { idsOf, NO_FULL_TEXT, RequestMaker, SPANS_PER_REQUEST, SPANS_PER_TRACE } from './store-spans.ts';

const bench: Bench = {
  name: 'open',
  what: 'Opens a directory of 5M spans and finds one trace, from saved indexes beside rescanning its log.',

  async run({ tiny, report }) {
    const spans = tiny ? 50_000 : 5_000_000;
    const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
    const maker = new RequestMaker();
    {
      await using store = await openStore(directory, {
        durability: 'none',
        search: NO_FULL_TEXT,
        ...(tiny ? { segmentBytes: 1 << 20 } : {}),
      });
      for (let number = 0; number < spans / SPANS_PER_REQUEST; number++) {
        await store.insertBatch({ bytes: maker.make(number), spanCount: SPANS_PER_REQUEST });
      }
    }
    const { traceId } = idsOf(spans >> 1);
    const open = async (): Promise<number> => {
      const start = performance.now();
      const store = await openStore(directory, { search: NO_FULL_TEXT });
      const trace = await store.getTrace(traceId);
      const milliseconds = performance.now() - start;
      if (trace?.spans.length !== SPANS_PER_TRACE) throw new Error('the trace is not whole');
      await store.close();
      return milliseconds;
    };
    const indexes = (): string[] => globSync('log/*/*.idx', { cwd: directory });
    const { saved, scanned } = await alternate(tiny ? 1 : 5, {
      saved: open,
      scanned: async () => {
        for (const file of indexes()) await rm(join(directory, file));
        // The indexes are made anew meanwhile, and there again for the next round.
        return await open();
      },
    });
    if (indexes().length === 0) throw new Error('no index was saved');
    report(compare('open', `${spans / 1_000_000}M spans`, 'ms', 'lower', saved, 'rescan', scanned));
    await rm(directory, { recursive: true });
  },
};

export default bench;
