/**
 * A process that stores ten spans, says so, and has the store compact what is old as often as it can, until its input
 * ends.
 *
 *   node schedule-process.ts <directory>
 */
import { openStore } from '@tracewell/store';
import { spans } from './answers.ts';

const first = process.pid * 1000;
const store = await openStore(process.argv[2], {
  search: { index: false },
  maintenance: { intervalMs: 100 },
});
await store.insertSpans(spans(first, first + 10));
console.log('ready');
// The store is not closed: nothing but what keeps the process alive is to keep it alive.
process.stdin.resume();
