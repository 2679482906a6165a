// The store's tiers on a disk in memory that fails on demand, with the catalog as it is after its transactions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeTraces } from '@tracewell/otlp';
import type { SpanData } from '@tracewell/plugin';
import { ColdFiles } from '../../../packages/store/src/cold/cold-files.ts';
import { jobOutcome, madeFiles } from '../../../packages/store/src/cold/job.ts';
import { HotTier } from '../../../packages/store/src/hot/hot-tier.ts';
import { openLog } from '../../../packages/store/src/log/log.ts';
import { waitUnref } from '../../../packages/store/src/log/scrubber.ts';
import { FrameKind } from '../../../packages/store/src/log/types.ts';
import { Compactor } from '../../../packages/store/src/maintenance/compactor.ts';
import { Maintenance } from '../../../packages/store/src/maintenance/maintenance.ts';
import type { CatalogChange, CatalogState } from '../../../packages/store/src/meta/catalog.ts';
import { MetaDb } from '../../../packages/store/src/meta/meta-db.ts';
import { Snapshots } from '../../../packages/store/src/query/snapshot.ts';
import { AllSpans } from '../../../packages/store/src/query/spans/all-spans.ts';
import { ColdCopies } from '../../../packages/store/src/query/spans/cold-copies.ts';
import { FileTallies } from '../../../packages/store/src/query/spans/file-tallies.ts';
import { planQuery } from '../../../packages/store/src/query/spans/plan.ts';
import { SpanReader } from '../../../packages/store/src/query/spans/span-reader.ts';
import { newDirectory } from '../engine/directory.ts';
import { FaultDisk, type FaultProcess, fileError, seededRandom } from '../fault-disk.ts';
import { HOUR, NOON, spans, text } from './answers.ts';

const DIRECTORY = '/store';

/** What SQLite would have on the disk: each change is durable when it returns. */
class MemoryCatalog {
  #state: CatalogState = { files: [], retired: new Set() };

  state(): CatalogState {
    return this.#state;
  }

  refresh(): CatalogState {
    return this.#state;
  }

  forget(): void {}

  publish({ add = [], remove = [], retire = [] }: CatalogChange): void {
    const files = [...this.#state.files.filter(({ id }) => !remove.includes(id)), ...add];
    this.#state = { files, retired: new Set([...this.#state.retired, ...retire]) };
  }
}

/** A process on the disk that has the store open. */
async function open(disk: FaultDisk, catalog: MemoryCatalog) {
  const fs: FaultProcess = disk.boot();
  fs.makeDirectorySync('/');
  const hot = new HotTier();
  hot.isRetired = ({ id }) => catalog.state().retired.has(id);
  const environment = {
    fileSystem: fs,
    now: () => ++disk.nowMs,
    randomBytes: disk.randomBytes,
    wait: waitUnref,
  };
  const log = await openLog(DIRECTORY, hot, { segmentBytes: 64 << 10, scrubBytesPerSecond: 0 }, environment);
  const files = new ColdFiles(fs, DIRECTORY);
  const snapshots = new Snapshots(() => log.segments(), hot, catalog, files);
  const compactor = new Compactor({
    fs,
    directory: DIRECTORY,
    segments: () => log.segments(),
    catalog,
    runner: { run: async (job) => madeFiles(jobOutcome(fs, job)), close: async () => {} },
    isHeld: () => false,
    released: () => {},
    step: () => {},
    now: () => disk.nowMs,
  });
  const tiers = {
    index: hot.spans,
    reader: new SpanReader(),
    copies: new ColdCopies(hot.spans),
    tallies: new FileTallies(),
  };
  return {
    fs,
    log,
    files,
    compactor,
    insert: (some: readonly SpanData[]) => log.append(FrameKind.TRACES, encodeTraces(some)),
    async compact(): Promise<void> {
      await compactor.recover();
      await log.seal();
      await compactor.run({ limits: undefined, onProgress: () => {}, signal: undefined });
    },
    /** Runs a query as the engine does. */
    run: <Result>(query: (all: AllSpans) => Promise<Result>): Promise<Result> =>
      snapshots.run(
        (snapshot) => query(new AllSpans(tiers, snapshot)),
        () => log.refresh(),
      ),
    async all(): Promise<string> {
      await log.refresh();
      return snapshots.run(
        async (snapshot) => {
          const all = new AllSpans(tiers, snapshot);
          const page = await all.page(planQuery({ limit: 1000 }, 0n));
          assert.equal(page.partial, undefined);
          return text([page.spans, await all.count()]);
        },
        () => log.refresh(),
      );
    },
  };
}

/** The first of the spans with a value that goes to the blob store, ahead of its other attributes. */
function withPayload([first, ...others]: readonly SpanData[]): SpanData[] {
  const { spanId, attributes } = first!;
  return [{ ...first!, attributes: { prompt: `${spanId} `.repeat(1000), ...attributes } }, ...others];
}

/** A store of which a part is cold, with a copy of that in what is hot. */
async function prepare(disk: FaultDisk, catalog: MemoryCatalog): Promise<string> {
  const store = await open(disk, catalog);
  await store.insert(withPayload(spans(0, 20)));
  await store.compact();
  await store.insert(spans(10, 30));
  await store.insert(withPayload(spans(30, 40, NOON + 3n * HOUR)));
  const expected = await store.all();
  await store.log.close();
  return expected;
}

test('F23 power cut before any operation of a compaction: the rows are there once, and every visible file is whole', async () => {
  const random = seededRandom(Number(process.env.TRACEWELL_SEED ?? 1));
  for (let cutAt = 1; ; cutAt++) {
    const disk = new FaultDisk(cutAt);
    const catalog = new MemoryCatalog();
    const expected = await prepare(disk, catalog);
    const store = await open(disk, catalog);
    let operations = 0;
    disk.fault = (operation) => {
      if (operation === 'read') return undefined;
      operations++;
      return operations >= cutAt ? fileError('EIO') : undefined;
    };
    const done = await store.compact().then(
      () => true,
      () => false,
    );
    disk.fault = () => undefined;
    disk.cutPower(random() < 0.5 ? 'lost' : 'shuffled');
    const again = await open(disk, catalog);
    assert.equal(await again.all(), expected, `cut at operation ${cutAt}`);
    await again.compact();
    assert.equal(await again.all(), expected, `cut at operation ${cutAt}, compacted again`);
    await again.log.close();
    if (done) {
      assert.ok(cutAt > 20, `${cutAt} operations`);
      return;
    }
  }
});

test('F26 without room nothing is removed, queries go on, and compaction goes on by itself when there is room', async (t) => {
  const disk = new FaultDisk(7);
  const catalog = new MemoryCatalog();
  const expected = await prepare(disk, catalog);
  const store = await open(disk, catalog);
  const meta = new MetaDb(newDirectory(t), false);
  const maintenance = new Maintenance({
    fs: store.fs,
    directory: DIRECTORY,
    compactor: store.compactor,
    meta,
    limits: { maxAgeMs: 0, maxBytes: 0 },
    intervalMs: 100,
    seal: () => store.log.seal(),
    retain: async () => ({ dryRun: false, setAside: [], dropped: [] }),
  });
  await store.log.seal();
  // Index files may be on their way, or not. Payloads that were stored wait for the next attempt.
  const isData = (name: string): boolean => !name.includes('.idx');
  const files = (): string =>
    [...disk.directories]
      .filter(([path]) => !path.includes('blobs'))
      .map(([path, { names }]) => `${path} ${[...names.keys()].filter(isData).sort()}`)
      .join('\n');
  const before = files();
  disk.capacity = disk.used() + 2000;
  await assert.rejects(maintenance.compact({}), { code: 'ENOSPC' });
  const { state, lastError } = maintenance.health();
  assert.equal(state, 'paused');
  assert.match(lastError!.message, /compaction is paused.*nothing was removed; make room/);
  assert.equal(files(), before);
  assert.equal(await store.all(), expected);
  disk.capacity = Number.POSITIVE_INFINITY;
  maintenance.start();
  t.after(() => maintenance.close());
  while (maintenance.health().state !== 'idle' || maintenance.health().lastRunMs === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.notEqual(files(), before);
  assert.equal(await store.all(), expected);
  await store.log.close();
});

test('F27 a query that loses its segment between two steps is run again', async () => {
  const disk = new FaultDisk(3);
  const catalog = new MemoryCatalog();
  const store = await open(disk, catalog);
  await store.insert(spans(0, 20));
  let attempts = 0;
  const found = await store.run(async (all) => {
    attempts++;
    if (attempts === 1) {
      await store.compact();
      // The next query takes note of it.
      await store.all();
    }
    return (await all.page(planQuery({ limit: 100 }, 0n))).spans.length;
  });
  assert.deepEqual([found, attempts], [20, 2]);
  // Over and over again, it says so.
  const endless = store.run(async (all) => {
    await store.insert(spans(attempts++, attempts));
    await store.compact();
    await store.all();
    return all.page(planQuery({}, 0n));
  });
  await assert.rejects(endless, { code: 'TW_QUERY_OVERTAKEN' });
  await store.log.close();
});
