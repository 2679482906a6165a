// The engine keeps the contract of a store wherever its data lies, and whoever wrote it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { openStore, type StoreOptions } from '@tracewell/store';
import { type StoreSubject, testStore } from '@tracewell/store/conformance';
import { WriterProcesses } from './writer-processes.ts';

/** The processors of the machine may have other things to do. */
const PATIENT = { patienceMs: 60_000 };
const FAST = {
  durability: 'none',
  maintenance: { scheduled: false },
} satisfies StoreOptions;

async function inDirectory(make: (directory: string) => Promise<StoreSubject>): Promise<StoreSubject> {
  const directory = mkdtempSync(join(tmpdir(), 'tracewell-conformance-'));
  const subject = await make(directory);
  return {
    get store() {
      return subject.store;
    },
    settled: () => subject.settled(),
    async dispose() {
      await subject.dispose?.();
      rmSync(directory, { recursive: true });
    },
  };
}

testStore('a fresh store', {
  ...PATIENT,
  create: () =>
    inDirectory(async (directory) => {
      const store = await openStore(directory, FAST);
      return { store, settled: () => store, dispose: () => store.close() };
    }),
});

testStore('a store that is reopened before it is asked', {
  ...PATIENT,
  create: () =>
    inDirectory(async (directory) => {
      let store = await openStore(directory, FAST);
      return {
        get store() {
          return store;
        },
        async settled() {
          await store.close();
          store = await openStore(directory, FAST);
          return store;
        },
        dispose: () => store.close(),
      };
    }),
});

testStore('a store whose data has gone cold before it is asked', {
  ...PATIENT,
  create: () =>
    inDirectory(async (directory) => {
      const store = await openStore(directory, FAST);
      return {
        store,
        async settled() {
          await store.compact();
          return store;
        },
        dispose: () => store.close(),
      };
    }),
});

for (const [title, count, readOnly] of [
  ['a store into which three processes write', 3, false],
  ['a store that only reads what another process writes', 1, true],
] as const) {
  const writers = new WriterProcesses(count);
  after(() => writers.end());
  testStore(title, {
    ...PATIENT,
    create: () =>
      inDirectory(async (directory) => {
        await writers.open(directory);
        const store = await openStore(directory, { ...FAST, readOnly });
        return {
          store: writers.store,
          settled: () => store,
          async dispose() {
            await store.close();
            await writers.close();
          },
        };
      }),
  });
}
