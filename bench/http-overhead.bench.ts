// What tracing adds to a request of a plain HTTP server, in CPU time of the server's process: ours, OpenTelemetry's
// SDK with its HTTP instrumentation, dd-trace. Each server is a process of its own and does nothing but say hello;
// what it records it sends to a receiver here, which takes everything. Clients are here too, on the other core.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { alternate, type Bench, compare } from './harness.ts';

const CONNECTIONS = 4;
const SERVER = fileURLToPath(new URL('./http-overhead/server.ts', import.meta.url));

type Side = 'untraced' | 'ours' | 'opentelemetry' | 'dd-trace';
const SIDES: readonly Side[] = ['untraced', 'ours', 'opentelemetry', 'dd-trace'];

const bench: Bench = {
  name: 'http-overhead',
  what: 'answers GET /items/42?page=2 over keep-alive connections, records a server span and sends it off',
  async run({ tiny, report }) {
    const requests = tiny ? 50 : 20_000;
    await using receiver = await startReceiver();
    const servers = new Map<Side, TracedServer>();
    try {
      for (const side of SIDES) servers.set(side, await TracedServer.start(side, receiver.port));
      const measure = (side: Side) => () => servers.get(side)!.cpuPerRequest(requests);
      const cpu = await alternate(tiny ? 1 : 7, {
        untraced: measure('untraced'),
        ours: measure('ours'),
        opentelemetry: measure('opentelemetry'),
        'dd-trace': measure('dd-trace'),
      });
      const added = (side: Side): number => cpu[side] - cpu.untraced;
      for (const peer of ['opentelemetry', 'dd-trace'] as const) {
        const metric = 'CPU added to a request';
        report(compare('http-overhead', metric, 'us', 'lower', added('ours'), peer, added(peer)));
      }
    } finally {
      for (const server of servers.values()) server.stop();
    }
    if (!tiny && receiver.requests() === 0) throw new Error('http-overhead: nothing was exported');
  },
};

export default bench;

class TracedServer {
  readonly #child: ChildProcess;
  readonly #side: Side;
  readonly #port: number;

  private constructor(child: ChildProcess, side: Side, port: number) {
    this.#child = child;
    this.#side = side;
    this.#port = port;
  }

  static async start(side: Side, receiverPort: number): Promise<TracedServer> {
    const child = fork(SERVER, [side, String(receiverPort)], {
      execArgv: ['--conditions=@tracewell/source'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    try {
      return new TracedServer(child, side, await nextMessage(child, side));
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** Microseconds of CPU, user and system, that the server's process spends on a request. */
  async cpuPerRequest(requests: number): Promise<number> {
    const before = await this.#cpuMicros();
    const each = Math.ceil(requests / CONNECTIONS);
    await Promise.all(Array.from({ length: CONNECTIONS }, () => sendRequests(this.#port, each)));
    return ((await this.#cpuMicros()) - before) / (each * CONNECTIONS);
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  /** What the process has spent so far, once everything that it recorded is sent off. */
  async #cpuMicros(): Promise<number> {
    this.#child.send('cpu');
    return await nextMessage(this.#child, this.#side);
  }
}

/** What a server says next; an error if it ends instead, or says nothing for a minute. */
async function nextMessage(child: ChildProcess, side: Side): Promise<number> {
  const over = new AbortController();
  const { signal } = over;
  const ended = once(child, 'exit', { signal }).then(([code, killedBy]) => {
    throw new Error(`http-overhead: the server of ${side} ended with ${killedBy ?? `code ${code}`}`);
  });
  const silent = sleep(60_000, undefined, { signal }).then(() => {
    throw new Error(`http-overhead: the server of ${side} said nothing for a minute`);
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal }), ended, silent])) as [number];
    return message;
  } finally {
    over.abort();
  }
}

const REQUEST = [
  'GET /items/42?page=2 HTTP/1.1',
  'Host: 127.0.0.1:8080',
  'User-Agent: bench/1.0',
  'Accept: */*',
  '',
  '',
].join('\r\n');

/** Sends requests over one connection, each after the answer to the one before. */
async function sendRequests(port: number, count: number): Promise<void> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let left = count;
  socket.on('data', (chunk) => {
    // Answers are small and asked for one by one, so each comes as one piece.
    if (!chunk.toString('latin1').endsWith('hello')) return;
    if (--left > 0) socket.write(REQUEST);
    else socket.end();
  });
  socket.write(REQUEST);
  await once(socket, 'close');
  if (left > 0) throw new Error(`http-overhead: the server hung up with ${left} requests to go`);
}

/** Takes what any of the sides exports, as a collector and a Datadog agent would. */
async function startReceiver(): Promise<AsyncDisposable & { port: number; requests(): number }> {
  let requests = 0;
  const server: Server = createServer((request, response) => {
    requests++;
    request.resume().on('end', () => response.end(request.url?.startsWith('/v0') ? '{}' : ''));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
