// The smallest OTLP/HTTP endpoint that is honest: it takes trace requests and counts what is in them.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { countSpans } from '@tracewell/otlp';

/** A running collector. */
export interface Collector {
  readonly url: string;
  readonly spanCount: number;
  readonly requestCount: number;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  let spanCount = 0;
  let requestCount = 0;
  const server = createServer(async (request, response) => {
    if (request.url !== '/v1/traces' || request.method !== 'POST') {
      response.writeHead(404).end();
      return;
    }
    try {
      spanCount += countSpans(await readBody(request));
      requestCount++;
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    } catch (error) {
      response.writeHead(400).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get spanCount() {
      return spanCount;
    },
    get requestCount() {
      return requestCount;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}
