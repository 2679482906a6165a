// A worker thread records a span, flushes, records another, and ends as it is told: worker.mjs HOW
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { trace } from '@opentelemetry/api';

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  await once(worker, 'message');
  if (process.argv[2] === 'terminate') await worker.terminate();
  else {
    worker.postMessage('end yourself');
    await once(worker, 'exit');
  }
} else {
  const record = (name) => trace.getTracer('worker').startSpan(name).end();
  record('flushed');
  await trace.getTracerProvider().getDelegate().forceFlush();
  record('just now');
  parentPort.postMessage('ready');
  parentPort.once('message', () => process.exit());
}
