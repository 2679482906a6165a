// An OTLP receiver in a thread of its own, which answers also while this thread waits in exportSync.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { decodeTraces } from '@tracewell/otlp';
import type { SpanIdentity } from '@tracewell/plugin/conformance';

/** Set from outside, also while nobody reads messages: 1 for on. */
const FAILING = 0;
const HANGING = 1;

export class OtlpBackend {
  readonly url: string;
  readonly #worker: Worker;
  readonly #switches: Int32Array;

  private constructor(url: string, worker: Worker, switches: Int32Array) {
    this.url = url;
    this.#worker = worker;
    this.#switches = switches;
  }

  static async start(): Promise<OtlpBackend> {
    const switches = new Int32Array(new SharedArrayBuffer(8));
    const worker = new Worker(new URL(import.meta.url), { workerData: switches });
    const [url] = (await once(worker, 'message')) as [string];
    return new OtlpBackend(url, worker, switches);
  }

  async spans(): Promise<SpanIdentity[]> {
    this.#worker.postMessage('spans');
    const [spans] = (await once(this.#worker, 'message')) as [SpanIdentity[]];
    return spans;
  }

  failDelivery(failing: boolean): void {
    this.#switches[FAILING] = Number(failing);
  }

  hangDelivery(hanging: boolean): void {
    this.#switches[HANGING] = Number(hanging);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

if (!isMainThread && workerData instanceof Int32Array) {
  const switches: Int32Array = workerData;
  const spans: SpanIdentity[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    if (switches[HANGING] === 1) return;
    if (switches[FAILING] === 1) {
      response.statusCode = 400;
    } else {
      spans.push(...decodeTraces(body).map(({ traceId, spanId, name }) => ({ traceId, spanId, name })));
      response.setHeader('content-type', 'application/x-protobuf');
    }
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  parentPort!.on('message', () => parentPort!.postMessage(spans));
  parentPort!.postMessage(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`);
}
