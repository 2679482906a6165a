// An OTLP collector over HTTP that can be down, slow or unwilling.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { decodeTraces } from '@tracewell/otlp';

/** How the collector answers. */
export type Mood = 'takes' | 'busy' | 'refuses' | 'hangs' | 'breaks';

export interface Collector {
  readonly url: string;
  mood: Mood;
  /** How often each span arrived, by span id. */
  readonly arrived: ReadonlyMap<string, number>;
  /** Spans of each request that was taken. */
  readonly requests: readonly number[];
  /** Requests that came in, whatever became of them. */
  readonly attempts: number;
  /** Listens no more, so that connections are refused. */
  goDown(): Promise<void>;
  /** Listens again, if it does not. */
  comeBack(): Promise<void>;
}

/** A collector on a free port of 127.0.0.1, until the test is over. */
export async function startCollector(t: TestContext): Promise<Collector> {
  const arrived = new Map<string, number>();
  const requests: number[] = [];
  let attempts = 0;
  let port = 0;
  let server: Server | undefined;
  const listen = async (): Promise<void> => {
    if (server?.listening) return;
    server = createServer(async (request, response) => {
      attempts++;
      const bytes = await buffer(request).catch(() => undefined);
      if (bytes === undefined) return;
      switch (collector.mood) {
        case 'busy':
          response.writeHead(503, { 'Retry-After': '1' }).end();
          return;
        case 'refuses':
          response.writeHead(400).end();
          return;
        case 'breaks':
          response.destroy();
          return;
        case 'hangs':
          return;
        default: {
          const spans = decodeTraces(bytes);
          for (const { spanId } of spans) arrived.set(spanId, (arrived.get(spanId) ?? 0) + 1);
          requests.push(spans.length);
          response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end();
        }
      }
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  const goDown = async (): Promise<void> => {
    if (!server?.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  const collector: Collector = {
    url: '',
    mood: 'takes',
    arrived,
    requests,
    get attempts() {
      return attempts;
    },
    goDown,
    comeBack: listen,
  };
  await listen();
  t.after(goDown);
  return Object.assign(collector, { url: `http://127.0.0.1:${port}/v1/traces` });
}
