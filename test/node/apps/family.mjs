// A span in this process, in a worker thread, in a forked process and in a cluster's worker.
import { fork } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker } from 'node:worker_threads';
import { trace } from '@opentelemetry/api';

const self = fileURLToPath(import.meta.url);
const record = (name) => trace.getTracer('application').startSpan(name).end();

if (!isMainThread) {
  record('worker');
} else if (cluster.isWorker) {
  record('cluster');
  process.disconnect();
} else if (process.argv[2] === 'forked') {
  record('forked');
  process.disconnect();
} else {
  record('main');
  await once(new Worker(self), 'exit');
  await once(fork(self, ['forked']), 'exit');
  await once(cluster.fork(), 'exit');
}
