// What a test starts as a worker thread: asks a store and says what it was told.
import { parentPort, workerData } from 'node:worker_threads';
import { openStore } from '@tracewell/store';

const store = await openStore(workerData as string, { readOnly: true });
const { rows } = await store.querySql('SELECT name FROM spans');
await store.close();
parentPort!.postMessage(rows);
