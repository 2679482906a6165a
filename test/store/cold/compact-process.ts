/**
 * What the tests of compaction start as another process: opens the store, says `ready`, compacts when a line comes in,
 * and says what came of it. The environment may have it killed at a step.
 *
 *   node compact-process.ts <directory>
 */
import { openStore } from '@tracewell/store';

const store = await openStore(process.argv[2], {
  segmentBytes: 64 << 10,
  search: { index: false },
  maintenance: { scheduled: false },
});
console.log('ready');
process.stdin.once('data', async () => {
  try {
    console.log(JSON.stringify(await store.compact()));
  } catch (error) {
    console.log(JSON.stringify({ error: (error as Error).message }));
  }
  process.exit(0);
});
