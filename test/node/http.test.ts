import { deepStrictEqual, match, notStrictEqual, ok, strictEqual, throws } from 'node:assert';
import { once } from 'node:events';
import {
  createServer,
  get,
  type IncomingHttpHeaders,
  IncomingMessage,
  request,
  ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { instrumentFetch, instrumentHttp } from '@tracewell/node';
import { registerOpenTelemetry, suppressTracing } from '@tracewell/opentelemetry';
import { decodeTraces } from '@tracewell/otlp';
import { type SpanData, SpanKind } from '@tracewell/plugin';
import { type BufferedPlugin, bufferedPlugin } from '@tracewell/sdk';

describe('HTTP spans in this process', () => {
  let plugin: BufferedPlugin;
  let unregister: () => void;
  const spans: SpanData[] = [];
  /** What the server got, by path. */
  const received = new Map<string, IncomingHttpHeaders>();
  const server = createServer((incoming, response) => {
    received.set(incoming.url!, incoming.headers);
    incoming.resume();
    response.end('hello');
  });
  let port = 0;

  before(async () => {
    plugin = bufferedPlugin({
      name: 'memory',
      async export({ bytes }) {
        spans.push(...decodeTraces(bytes));
      },
    });
    ({ unregister } = registerOpenTelemetry({ plugin }));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  after(async () => {
    server.close();
    unregister();
    await plugin.shutdown();
  });

  async function recorded(): Promise<SpanData[]> {
    for (let waited = 0; plugin.stats().live > 0 && waited < 100; waited++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await plugin.flush();
    return spans.splice(0);
  }

  async function finished(sent: ReturnType<typeof request>): Promise<void> {
    sent.on('response', (response) => response.resume());
    await once(sent, 'close');
  }

  it('sends its context also where the head is fixed before it is sent', async () => {
    const http = instrumentHttp(plugin);
    const host = `127.0.0.1:${port}`;
    await finished(get({ port, host: '127.0.0.1', path: '/object', headers: { 'x-mine': '1' } }));
    await finished(get({ port, host: '127.0.0.1', path: '/array', headers: ['Host', host, 'X-Mine', '1'] }));
    const expecting = request({
      port,
      host: '127.0.0.1',
      path: '/expect',
      method: 'POST',
      headers: { expect: '100-continue', 'x-mine': '1' },
    });
    expecting.on('continue', () => expecting.end('body'));
    await finished(expecting);
    http.disable();

    const clients = (await recorded()).filter((span) => span.kind === SpanKind.CLIENT);
    strictEqual(clients.length, 3);
    for (const path of ['/object', '/array', '/expect']) {
      const client = clients.find((span) => String(span.attributes['url.full']).endsWith(path))!;
      strictEqual(received.get(path)!.traceparent, `00-${client.traceId}-${client.spanId}-01`);
      strictEqual(received.get(path)!['x-mine'], '1');
    }
  });

  it('F50 keeps secrets of a query out of the spans of http and fetch alike', async () => {
    const origin = `http://127.0.0.1:${port}`;
    const secret = '/blob?part=1&sig=s3cret&X-Amz-Signature=s3cret%20too';
    const redacted = '/blob?part=1&sig=REDACTED&X-Amz-Signature=REDACTED';
    const http = instrumentHttp(plugin, { disableIncomingRequestInstrumentation: true });
    await finished(get(`${origin}${secret}`));
    http.disable();
    const viaFetch = instrumentFetch(plugin);
    for (const path of [secret, '/blob?own=s3cret', '/blob?a=%2F%20b&c'])
      await (await fetch(origin + path)).text();
    viaFetch.disable();
    const own = instrumentFetch(plugin, { redactedQueryParams: ['own'] });
    await (await fetch(`${origin}/blob?own=s3cret`)).text();
    own.disable();

    const all = await recorded();
    const urls = all.map(({ attributes }) => String(attributes['url.full']).slice(origin.length));
    deepStrictEqual(urls, [
      redacted,
      redacted,
      '/blob?own=s3cret',
      '/blob?a=%2F%20b&c',
      '/blob?own=REDACTED',
    ]);
    const query = all[1]!.attributes['url.query'];
    strictEqual(query, '?part=1&sig=REDACTED&X-Amz-Signature=REDACTED');
  });

  it('records nothing and sends nothing where tracing is suppressed', async () => {
    const http = instrumentHttp(plugin);
    const viaFetch = instrumentFetch(plugin);
    await context.with(suppressTracing(ROOT_CONTEXT), async () => {
      await finished(get({ port, host: '127.0.0.1', path: '/suppressed' }));
      await (await fetch(`http://127.0.0.1:${port}/suppressed-fetch`)).text();
    });
    http.disable();
    viaFetch.disable();
    strictEqual(received.get('/suppressed')!.traceparent, undefined);
    strictEqual(received.get('/suppressed-fetch')!.traceparent, undefined);
    deepStrictEqual(
      (await recorded()).map((span) => span.kind),
      [SpanKind.SERVER, SpanKind.SERVER],
    );
  });

  it('records an incoming request that needs a parent only if it has one', async () => {
    const http = instrumentHttp(plugin, {
      requireParentforIncomingSpans: true,
      disableOutgoingRequestInstrumentation: true,
    });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await finished(get({ port, host: '127.0.0.1', path: '/orphan' }));
    await finished(get({ port, host: '127.0.0.1', path: '/child', headers: { traceparent } }));
    http.disable();
    deepStrictEqual(
      (await recorded()).map((span) => [span.attributes['url.path'], span.parentSpanId]),
      [['/child', 'b7ad6b7169203331']],
    );
  });

  it('lets no context of a request out, neither to the next on its connection nor to the handler’s caller', async () => {
    const http = instrumentHttp(plugin);
    const seen: (string | undefined)[] = [];
    const active = (): string | undefined => trace.getActiveSpan()?.spanContext().spanId;
    const other = createServer((_incoming, response) => {
      seen.push(active());
      response.end();
    });
    other.on('upgrade', (_incoming, socket) => {
      seen.push(active());
      socket.end();
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const socket = connect((other.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    let answers = '';
    socket.on('data', (chunk) => {
      answers += chunk;
      if (answers.split('\r\n\r\n').length !== 3) return;
      socket.write('GET /3 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    });
    await once(socket, 'close');
    strictEqual(active(), undefined);
    other.close();
    http.disable();
    const [first, second, upgrade] = seen;
    notStrictEqual(first, second);
    strictEqual(upgrade, undefined);
    deepStrictEqual(new Set((await recorded()).map((span) => span.spanId)), new Set([first, second]));
  });

  it('goes on when hooks throw, and says so', async () => {
    const errors: unknown[] = [];
    const hook = (): never => {
      throw new Error('hook');
    };
    const http = instrumentHttp(plugin, {
      ignoreIncomingRequestHook: hook,
      ignoreOutgoingRequestHook: hook,
      startIncomingSpanHook: hook,
      startOutgoingSpanHook: hook,
      requestHook: hook,
      responseHook: hook,
      applyCustomAttributesOnSpan: hook,
      onError: (error) => errors.push(error),
    });
    await finished(get({ port, host: '127.0.0.1', path: '/hooks' }));
    http.disable();
    strictEqual((await recorded()).length, 2);
    strictEqual(errors.length, 10);
  });

  it('keeps its own failures from requests that are unlike any', async () => {
    const errors: unknown[] = [];
    const http = instrumentHttp(plugin, { onError: (error) => errors.push(error) });
    // Node takes anything for a path that says what it is; a request may be made up, without a connection.
    const path = { toString: () => '/odd' } as unknown as string;
    await finished(get({ port, host: '127.0.0.1', path }));
    ok(received.has('/odd'));
    const madeUp = new IncomingMessage(undefined as never);
    madeUp.url = '/made-up';
    ok(server.emit('request', madeUp, new ServerResponse(madeUp)));
    ok(received.has('/made-up'));
    http.disable();
    strictEqual(errors.length, 2);
    await recorded();
  });

  it('records on the OpenTelemetry SDK as well', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const http = instrumentHttp(provider);
    await finished(get({ port, host: '127.0.0.1', path: '/sdk' }));
    http.disable();
    await new Promise((resolve) => setTimeout(resolve, 20));
    strictEqual(exporter.getFinishedSpans().length, 2);
    deepStrictEqual(await recorded(), []);
  });

  it('leaves nothing behind when it is disabled', async () => {
    const emits = (): unknown[] =>
      [Server, IncomingMessage, ServerResponse].map(({ prototype }) => prototype.emit);
    const untouched = emits();
    const http = instrumentHttp(plugin);
    const viaFetch = instrumentFetch(plugin);
    for (const [index, emit] of emits().entries()) notStrictEqual(emit, untouched[index]);
    for (const one of [http, viaFetch, http, viaFetch]) one.disable();
    deepStrictEqual(emits(), untouched);
    ok(!Object.hasOwn(IncomingMessage.prototype, 'emit'));
    await finished(get({ port, host: '127.0.0.1', path: '/disabled' }));
    await (await fetch(`http://127.0.0.1:${port}/disabled`)).text();
    deepStrictEqual(await recorded(), []);
  });

  it('wants a plugin or a tracer provider', () => {
    for (const wrong of [undefined, null, 1, {}, 'plugin']) {
      throws(
        () => instrumentHttp(wrong as never),
        (error: Error) => {
          match(error.message, /^instrumentHttp: recorder must be a TracerPlugin or a TracerProvider, got /);
          return error instanceof TypeError;
        },
      );
      throws(() => instrumentFetch(wrong as never), TypeError);
    }
  });
});
