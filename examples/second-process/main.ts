// Query from a second process what a first one is recording, with no server between them.
// prints: /seen from outside: \d+ spans of worker/
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@tracewell/store';

const directory = mkdtempSync(join(tmpdir(), 'tracewell-'));
const worker = fork(join(import.meta.dirname, 'worker.ts'), [directory]);
await once(worker, 'message');

await using store = await openStore(directory, { readOnly: true });
const [service] = await store.listServices();
console.log(
  `seen from outside: ${service!.spanCount} spans of ${service!.name}, while process ${worker.pid} runs on`,
);

worker.kill('SIGKILL');
await once(worker, 'exit');
const { spans } = await store.queryTraces({ service: 'worker', limit: 1 });
console.log(`and after SIGKILL still there, the newest being "${spans[0]!.name}"`);
