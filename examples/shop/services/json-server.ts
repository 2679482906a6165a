// The few lines of HTTP that the shop's services share. Nothing in this folder but log.ts
// knows that it is traced.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export class HttpError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Handler = (body: Record<string, unknown>, params: string[]) => unknown;

/** Serves JSON on a free port of 127.0.0.1 and tells the parent process where. */
export function serveJson(routes: Record<string, Handler>): void {
  const table = Object.entries(routes).map(([route, handler]) => {
    const [method, path] = route.split(' ') as [string, string];
    return { method, pattern: new RegExp(`^${path.replaceAll('*', '([^/]+)')}$`), handler };
  });
  let answered = 0;

  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://shop').pathname;
    const route = table.find(({ method, pattern }) => method === request.method && pattern.test(path));
    let status = 200;
    let result: unknown;
    try {
      if (route === undefined) throw new HttpError(404, `nothing at ${path}`);
      result = await route.handler(await readJson(request), path.match(route.pattern)!.slice(1));
    } catch (error) {
      status = error instanceof HttpError ? error.status : 500;
      result = { error: error instanceof Error ? error.message : String(error) };
    }
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(result), () => process.send?.({ answered: ++answered }));
  });
  server.listen(0, '127.0.0.1', () => {
    process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  // The parent asks for the end by SIGTERM; a service finishes what it is answering.
  process.once('SIGTERM', () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

/** Calls another service; an answer of 400 or above becomes an `HttpError`. */
export async function callJson(url: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(5_000),
    ...(body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const result = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new HttpError(response.status >= 500 ? 502 : response.status, String(result.error));
  return result;
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
}
