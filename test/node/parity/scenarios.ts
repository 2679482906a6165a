import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ClientRequest, IncomingMessage, RequestListener, RequestOptions, Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { context, propagation, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Settings } from './recorded-span.ts';

// Late and by `require`, so that instrumentations which patch what a module exports come first.
const require = createRequire(import.meta.url);
const http = (): typeof import('node:http') => require('node:http');
const https = (): typeof import('node:https') => require('node:https');

type Scenario = () => Promise<void>;

/** Some scenarios, and the settings that both sides run them with. */
interface Group {
  readonly settings: Settings;
  readonly scenarios: Readonly<Record<string, Scenario>>;
}

/** Runs `traffic` against a server that lives as long. */
async function serving(
  handler: RequestListener | undefined,
  traffic: (port: number, server: Server) => Promise<unknown>,
  host = '127.0.0.1',
): Promise<void> {
  const server = http().createServer(handler!);
  server.listen(0, host);
  await once(server, 'listening');
  try {
    await traffic((server.address() as AddressInfo).port, server);
  } finally {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
}

/** A handler that leaves the request unanswered, and a promise that it has come. */
function silence(then: RequestListener = () => {}): { handler: RequestListener; arrived: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    arrived: promise,
    handler(request, response) {
      resolve();
      then(request, response);
    },
  };
}

const hello: RequestListener = (_request, response) => void response.end('hello');

/** Sends a request and reads the answer to its end. */
async function ask(options: RequestOptions | string | URL, body?: string): Promise<string> {
  const request = http().request(options);
  request.end(body);
  return read(request);
}

async function read(request: ClientRequest): Promise<string> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

const local = (port: number, path = '/'): RequestOptions => ({ host: '127.0.0.1', port, path });

/** Resolves when the request is over, however it ended. */
async function over(request: ClientRequest): Promise<void> {
  request.on('error', () => {});
  await new Promise((resolve) => request.on('close', resolve));
}

/** Sends text as it is, and waits until the server closes the connection. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  let answer = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  await new Promise((resolve) => socket.on('close', resolve));
  return answer;
}

const get = (target: string, ...headers: string[]): string =>
  [`GET ${target} HTTP/1.1`, 'Connection: close', ...headers, '', ''].join('\r\n');

/** A span of the application's own, under whatever is active. */
function mark(name: string): void {
  trace.getTracer('application').startSpan(name).end();
}

const plain: Group = {
  settings: { http: {}, fetch: {} },
  scenarios: {
    'GET with a query': () =>
      serving(hello, (port) =>
        ask({ ...local(port, '/items/42?page=2&sort=name'), headers: { 'user-agent': 'test/1' } }),
      ),

    'POST whose body is read by events, and work in each of them': () =>
      serving(
        (request, response) => {
          mark('in handler');
          request.on('data', () => mark('on data'));
          request.on('end', () => {
            mark('on end');
            setTimeout(() => {
              mark('in timer');
              response.end('done');
            }, 5);
          });
          response.on('finish', () => mark('on finish'));
          response.on('close', () => mark('on close'));
        },
        async (port) => {
          const request = http().request({ ...local(port), method: 'POST' });
          request.write('first');
          await sleep(20);
          request.end('second');
          await read(request);
        },
      ),

    'POST whose body is read with for await': () =>
      serving(
        async (request, response) => {
          for await (const _chunk of request) mark('chunk');
          mark('after');
          response.end();
        },
        (port) => ask({ ...local(port), method: 'POST' }, 'body'),
      ),

    'the listeners of a client run where it was made': () =>
      serving(hello, async (port) => {
        await trace.getTracer('application').startActiveSpan('caller', async (span) => {
          const request = http().get(local(port), (response) => {
            mark('in callback');
            response.on('data', () => mark('on data'));
            response.on('end', () => mark('on end'));
          });
          request.on('socket', () => mark('on socket'));
          request.on('close', () => mark('on close'));
          await over(request);
          span.end();
        });
      }),

    'a request in a request': () =>
      serving(
        async (request, response) => {
          if (request.url === '/inner') return void response.end('inner');
          const { port } = request.socket.address() as AddressInfo;
          response.end(await ask(local(port, '/inner')));
        },
        (port) => ask(local(port, '/outer')),
      ),

    baggage: () =>
      serving(
        (_request, response) => {
          const baggage = propagation.getActiveBaggage();
          trace.getActiveSpan()?.setAttribute('seen', baggage?.getEntry('tenant')?.value ?? 'nothing');
          response.end();
        },
        (port) =>
          context.with(
            propagation.setBaggage(
              context.active(),
              propagation.createBaggage({ tenant: { value: 'acme' } }),
            ),
            () => ask(local(port)),
          ),
      ),

    'a caller that was not sampled, and one that sends nonsense': () =>
      serving(
        (_request, response) => response.end(),
        async (port) => {
          await raw(
            port,
            get('/', 'Host: a', 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
          );
          await raw(
            port,
            get('/', 'Host: a', 'traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01'),
          );
          await raw(port, get('/', 'Host: a', 'traceparent: nonsense', 'tracestate: a=b'));
        },
      ),

    'status codes': () =>
      serving(
        (request, response) => {
          response.statusCode = Number(request.url!.slice(1));
          response.end();
        },
        async (port) => {
          for (const status of [200, 204, 302, 304, 400, 404, 499, 500, 503, 599])
            await ask(local(port, `/${status}`));
        },
      ),

    'a status that the handler never chose': () =>
      serving(
        (request) => void request.socket.destroy(),
        (port) => over(http().get(local(port))),
      ),

    methods: () =>
      serving(hello, async (port) => {
        for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'QUERY', 'PROPFIND', 'M-SEARCH']) {
          await ask({ ...local(port), method });
        }
        await ask({ ...local(port), method: 'post' }, 'x');
        await ask({ ...local(port), method: 'propfind' });
      }),

    'every way to say where to': () =>
      serving(hello, async (port) => {
        await ask(`http://127.0.0.1:${port}/text?a=1`);
        await ask(new URL(`http://localhost:${port}/url?a=1#hash`));
        await ask({ hostname: '127.0.0.1', port: String(port), path: '/options' });
        await read(
          http().get(`http://127.0.0.1:${port}/both`, { headers: { 'x-a': '1' }, path: '/overridden' }),
        );
        await ask({ ...local(port, '/host'), headers: { host: 'shop.example' } });
        await ask({ ...local(port, '/auth'), auth: 'user:password' });
        await ask(`http://user:password@127.0.0.1:${port}/userinfo`);
        await ask({ ...local(port, '/no-agent'), agent: false });
        await ask({
          ...local(port, '/connection'),
          createConnection: () => connect(port, '127.0.0.1'),
        });
      }),

    IPv6: () =>
      serving(
        hello,
        async (port) => {
          await ask(`http://[::1]:${port}/six`);
        },
        '::1',
      ),

    'a head that is fixed at once: Expect and headers as an array': () =>
      serving(
        (request, response) => {
          request.resume();
          response.end('ok');
        },
        async (port) => {
          const request = http().request({
            ...local(port),
            method: 'POST',
            headers: { expect: '100-continue' },
          });
          request.on('continue', () => request.end('body'));
          request.flushHeaders();
          await read(request);
        },
      ),

    'sensitive parameters': () =>
      serving(hello, async (port) => {
        for (const query of [
          '?sig=secret',
          '?a=1&sig=secret&b=2',
          '?Signature=s&AWSAccessKeyId=s&X-Amz-Signature=s&X-Amz-Credential=s&X-Amz-Security-Token=s&X-Goog-Signature=s',
          '?SIG=kept&sig=one&sig=two',
          '?',
          '?a',
          '?a=b=c',
          '?a=%20b+c&d=%C3%A9',
          '?&&a=1&&',
          '?=1',
        ]) {
          await ask(local(port, `/search${query}`));
        }
      }),

    'targets that need parsing': () =>
      serving(hello, async (port) => {
        for (const target of [
          '/a/../b',
          '/a/./b',
          '/%2e%2e/x',
          '/.well-known/x',
          '/a%20b',
          '/a//b',
          '/a;b=c/d,e',
          "/it's",
          '/"quoted"',
          '/<b>',
          '/{id}',
          '/a\\b',
          '/x#y?z',
          '//double/slash',
          'http://other.example/absolute?x=1',
          '*',
        ]) {
          await raw(port, get(target, 'Host: shop.example'));
        }
      }),

    'hosts and proxies': () =>
      serving(hello, async (port) => {
        for (const headers of [
          ['Host: shop.example'],
          ['Host: shop.example:8080'],
          ['Host: [2001:db8::1]'],
          ['Host: [2001:db8::1]:8080'],
          ['Host: a', 'Forwarded: for=192.0.2.60;proto=https;host=shop.example'],
          ['Host: a', 'Forwarded: for="[2001:db8:cafe::17]:4711"'],
          ['Host: a', 'Forwarded: for=192.0.2.43, for=198.51.100.17;host="b.example:81"'],
          ['Host: a', 'Forwarded: by=unknown;for=_hidden'],
          ['Host: a', 'Forwarded: for="quo\\"ted"'],
          ['Host: a', 'Forwarded: this is nonsense'],
          ['Host: a', 'X-Forwarded-Host: b.example', 'X-Forwarded-Proto: https'],
          ['Host: a', 'X-Forwarded-Host: b.example:444'],
          ['Host: a', 'X-Forwarded-For: 203.0.113.195, 70.41.3.18'],
          ['Host: a', 'X-Forwarded-For: 203.0.113.195:4711'],
          ['Host: a', 'X-Forwarded-For: [2001:db8::1]:80'],
          ['Host: a', 'X-Forwarded-For: unknown'],
          ['Host: a', 'User-Agent: Mozilla/5.0'],
        ]) {
          await raw(port, get('/', ...headers));
        }
        await raw(port, 'GET /old HTTP/1.0\r\n\r\n');
      }),

    'keep-alive, one after the other, and each in its own context': () =>
      serving(
        async (request, response) => {
          await sleep(2);
          mark(`work of ${request.url}`);
          response.end('x'.repeat(10));
        },
        async (port) => {
          const agent = new (http().Agent)({ keepAlive: true, maxSockets: 1 });
          await Promise.all(['/1', '/2', '/3'].map((path) => ask({ ...local(port, path), agent })));
          agent.destroy();
        },
      ),

    'two requests in one packet': () =>
      serving(
        async (request, response) => {
          await sleep(request.url === '/1' ? 10 : 1);
          mark(`work of ${request.url}`);
          response.end('ok');
        },
        (port) => raw(port, `GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${get('/2', 'Host: a')}`),
      ),

    'connection refused': async () => {
      await over(http().get({ host: '127.0.0.1', port: 9, path: '/nobody' }));
    },

    'an unknown host': async () => {
      await over(http().get('http://host.invalid/'));
    },

    'the server resets before the head': () =>
      serving(
        (request) => void request.socket.resetAndDestroy(),
        (port) => over(http().get(local(port))),
      ),

    'the server breaks off in the body, and the client listens': () =>
      serving(
        (request, response) => {
          response.writeHead(200, { 'content-length': 100 });
          response.write('some');
          setTimeout(() => request.socket.destroy(), 10);
        },
        async (port) => {
          const request = http().get(local(port), (response) => {
            response.on('error', () => {});
            response.resume();
          });
          await over(request);
        },
      ),

    'the client goes before the head': () => {
      const { handler, arrived } = silence();
      return serving(handler, async (port) => {
        const request = http().get(local(port));
        arrived.then(() => request.destroy());
        await over(request);
      });
    },

    'the client goes in the body': () =>
      serving(
        (_request, response) => {
          response.write('some');
        },
        async (port) => {
          const request = http().get(local(port), (response) => {
            response.on('error', () => {});
            response.once('data', () => response.destroy());
          });
          await over(request);
        },
      ),

    'the client loses patience': () =>
      serving(
        () => {},
        async (port) => {
          const request = http().get({ ...local(port), timeout: 300 });
          request.on('timeout', () => request.destroy(new Error('too slow')));
          await over(request);
        },
      ),

    'an AbortSignal': () => {
      const { handler, arrived } = silence();
      return serving(handler, async (port) => {
        const controller = new AbortController();
        arrived.then(() => controller.abort());
        await over(http().get({ ...local(port), signal: controller.signal }));
      });
    },

    'an upgrade, after a request on the same connection': () =>
      serving(
        (_request, response) => {
          response.end('plain');
        },
        async (port, server) => {
          server.on('upgrade', (_request, socket: Socket) => {
            mark('in upgrade');
            socket.end(
              'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
            );
          });
          await raw(
            port,
            'GET /first HTTP/1.1\r\nHost: a\r\n\r\n' +
              'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
          );
          const request = http().get({
            ...local(port, '/chat'),
            headers: { connection: 'Upgrade', upgrade: 'websocket' },
          });
          request.on('upgrade', (_response, socket) => socket.destroy());
          await over(request);
        },
      ),

    CONNECT: () =>
      serving(hello, async (port, server) => {
        server.on('connect', (_request, socket: Socket) => void socket.end('HTTP/1.1 200 Connected\r\n\r\n'));
        const request = http().request({ ...local(port), method: 'CONNECT', path: 'shop.example:443' });
        request.on('connect', (_response, socket) => socket.destroy());
        request.end();
        await over(request);
      }),

    'bodies that stream both ways': () =>
      serving(
        (request, response) => void request.pipe(response),
        async (port) => {
          const request = http().request({ ...local(port), method: 'POST' });
          const answer = read(request);
          for (let at = 0; at < 5; at++) {
            request.write(`${at}`.repeat(1000));
            await sleep(2);
          }
          request.end();
          await answer;
        },
      ),

    'nobody reads the answer': () =>
      serving(hello, async (port) => {
        await over(http().get(local(port)));
      }),

    'a handler that throws': () => {
      const { handler, arrived } = silence(() => {
        throw new RangeError('out of range');
      });
      return serving(handler, async (port) => {
        process.once('uncaughtException', () => {});
        const request = http().get(local(port));
        arrived.then(() => setTimeout(() => request.destroy(), 20));
        await over(request);
      });
    },

    'a response that fails': () =>
      serving(
        (_request, response) => {
          response.on('error', () => {});
          response.write('some');
          response.destroy(new Error('no more'));
        },
        (port) => over(http().get(local(port), (response) => void response.on('error', () => {}).resume())),
      ),

    'a handler that describes the span': () =>
      serving(
        (_request, response) => {
          const span = trace.getActiveSpan()!;
          span.setAttribute('app.user', 'u1');
          span.updateName('renamed');
          span.setStatus({ code: SpanStatusCode.ERROR, message: 'said so' });
          response.end();
        },
        (port) => ask(local(port)),
      ),

    TLS: async () => {
      const key = readFileSync(new URL('./localhost.key.pem', import.meta.url));
      const cert = readFileSync(new URL('./localhost.cert.pem', import.meta.url));
      const server = https().createServer({ key, cert }, hello);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      await read(https().get(`https://127.0.0.1:${port}/secure?x=1`, { ca: cert }));
      await over(https().get(`https://127.0.0.1:${port}/distrusted`));
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },

    fetch: () =>
      serving(
        (request, response) => {
          if (request.url === '/redirect') return void response.writeHead(302, { location: '/target' }).end();
          response.statusCode = Number(/\d+$/.exec(request.url!)?.[0] ?? 200);
          request.pipe(response);
        },
        async (port) => {
          const base = `http://127.0.0.1:${port}`;
          for (const path of ['/?a=1&sig=kept#hash', '/404', '/500', '/redirect']) {
            await (await fetch(base + path)).text();
          }
          await (
            await fetch(base, { method: 'POST', body: 'text', headers: { 'user-agent': 'mine' } })
          ).text();
          await (await fetch(base, { method: 'patch', body: 'text' })).text();
          await (await fetch(base, { method: 'PROPFIND' })).text();
          await (await fetch(base, { method: 'HEAD' })).text();
          await trace.getTracer('application').startActiveSpan('caller', async (span) => {
            await (await fetch(base)).text();
            mark('after');
            span.end();
          });
        },
      ),

    'fetch that fails': () =>
      serving(
        (request, response) => {
          if (request.url === '/reset') request.socket.resetAndDestroy();
          if (request.url === '/break') {
            response.write('some');
            setTimeout(() => request.socket.destroy(), 10);
          }
        },
        async (port) => {
          const base = `http://127.0.0.1:${port}`;
          await fetch('http://127.0.0.1:9/').catch(() => {});
          await fetch(`${base}/reset`).catch(() => {});
          await fetch(`${base}/break`)
            .then((response) => response.text())
            .catch(() => {});
          await fetch(`${base}/never`, { signal: AbortSignal.timeout(300) }).catch(() => {});
          const controller = new AbortController();
          setTimeout(() => controller.abort(), 300);
          await fetch(`${base}/never`, { signal: controller.signal }).catch(() => {});
        },
      ),
  },
};

const configured: Group = {
  settings: {
    http: {
      ignoreIncomingRequestHook: (request: IncomingMessage) => request.url === '/ignored-by-server',
      ignoreOutgoingRequestHook: (request: RequestOptions) => {
        if (request.path === '/hook-throws') throw new Error('hook');
        return request.path === '/ignored-by-client';
      },
      startIncomingSpanHook: () => ({ 'hook.start': 'incoming' }),
      startOutgoingSpanHook: (request: RequestOptions) => ({ 'hook.start': `outgoing ${request.path}` }),
      requestHook: (span: Span) => void span.setAttribute('hook.request', true),
      responseHook: (span: Span) => void span.setAttribute('hook.response', true),
      applyCustomAttributesOnSpan: (span: Span) => void span.setAttribute('hook.custom', true),
      headersToSpanAttributes: {
        client: { requestHeaders: ['X-Asked'], responseHeaders: ['X-Answered', 'Set-Cookie', 'x-none'] },
        server: { requestHeaders: ['x-asked'], responseHeaders: ['x-answered', 'set-cookie'] },
      },
      enableSyntheticSourceDetection: true,
      redactedQueryParams: ['mine'],
      redactedQueryParamsServer: ['yours'],
    },
    fetch: {
      ignoreRequestHook: (request: { path: string }) => request.path === '/ignored-by-client',
      startSpanHook: () => ({ 'hook.start': 'fetch' }),
      requestHook: (span: Span) => void span.setAttribute('hook.request', true),
      responseHook: (span: Span) => void span.setAttribute('hook.response', true),
      headersToSpanAttributes: {
        requestHeaders: ['X-Asked', 'traceparent-not-there'],
        responseHeaders: ['X-Answered', 'set-cookie'],
      },
    },
  },
  scenarios: {
    'hooks and headers': () =>
      serving(
        (_request, response) => {
          mark('in handler');
          response.setHeader('x-answered', 'yes');
          response.setHeader('set-cookie', ['a=1', 'b=2']);
          response.end();
        },
        async (port) => {
          const headers = { 'x-asked': 'please', 'user-agent': 'Googlebot/2.1' };
          await ask({ ...local(port, '/?mine=1&yours=2&sig=3'), headers });
          await ask({ ...local(port, '/ignored-by-server'), headers });
          await ask({ ...local(port, '/ignored-by-client'), headers });
          await ask({ ...local(port, '/hook-throws'), headers: { 'user-agent': 'AlwaysOn' } });
          await (await fetch(`http://127.0.0.1:${port}/fetch`, { headers })).text();
          await (await fetch(`http://127.0.0.1:${port}/ignored-by-client`, { headers })).text();
        },
      ),

    'work under an ignored request is not recorded': () =>
      serving(
        async (request, response) => {
          request.on('end', () => mark('on end'));
          request.resume();
          await sleep(5);
          mark('later');
          response.end();
        },
        (port) => raw(port, 'GET /ignored-by-server HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
      ),
  },
};

const parented: Group = {
  settings: { http: { requireParentforOutgoingSpans: true }, fetch: { requireParentforSpans: true } },
  scenarios: {
    'a parent is required': () =>
      serving(hello, async (port) => {
        await ask(local(port, '/without'));
        await (await fetch(`http://127.0.0.1:${port}/without`)).text();
        await trace.getTracer('application').startActiveSpan('caller', async (span) => {
          await ask(local(port, '/with'));
          await (await fetch(`http://127.0.0.1:${port}/with`)).text();
          span.end();
        });
      }),
  },
};

const serversOnly: Group = {
  settings: { http: { disableOutgoingRequestInstrumentation: true }, fetch: {} },
  scenarios: { 'only servers': () => serving(hello, (port) => ask(local(port))) },
};

const clientsOnly: Group = {
  settings: { http: { disableIncomingRequestInstrumentation: true }, fetch: {} },
  scenarios: { 'only clients': () => serving(hello, (port) => ask(local(port))) },
};

export const groups: Readonly<Record<string, Group>> = {
  plain,
  configured,
  parented,
  serversOnly,
  clientsOnly,
};
