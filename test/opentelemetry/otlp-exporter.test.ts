import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import {
  AsyncContextManager,
  isTracingSuppressed,
  type OtlpExporterOptions,
  otlpExporter,
} from '@tracewell/opentelemetry';
import { countSpans, decodeTraces } from '@tracewell/otlp';
import { ExportError, type SpanBatch } from '@tracewell/plugin';
import { bufferedPlugin } from '@tracewell/sdk';
import { type Answer, otlpReceiver } from './fixtures/otlp-receiver.ts';

const tls = (file: string): Buffer => readFileSync(new URL(`./fixtures/tls/${file}`, import.meta.url));

/** Some spans of OpenTelemetry's SDK, and the same as a batch. */
function sample(
  count: number,
  padding = '',
): { spans: ReturnType<InMemorySpanExporter['getFinishedSpans']>; batch: SpanBatch } {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
  const tracer = provider.getTracer('sample', '1.0.0');
  for (let i = 0; i < count; i++) {
    tracer.startSpan(`span ${i}`, { attributes: { i, padding } }, ROOT_CONTEXT).addEvent('e').end();
  }
  const spans = memory.getFinishedSpans();
  return { spans, batch: { bytes: ProtobufTraceSerializer.serializeRequest(spans)!, spanCount: count } };
}

async function failure(promise: Promise<void>): Promise<ExportError> {
  const error = await promise.then(
    () => assert.fail('the export should have failed'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ExportError, String(error));
  return error;
}

/** Sends one batch to a receiver that answers so, and returns what went wrong. */
async function failureOf(answer: Answer, options: OtlpExporterOptions = {}): Promise<ExportError> {
  await using receiver = await otlpReceiver(answer);
  const exporter = otlpExporter({ url: receiver.url, ...options });
  try {
    return await failure(exporter.export(sample(3).batch));
  } finally {
    await exporter.shutdown?.();
  }
}

const environment = { ...process.env };
afterEach(() => {
  for (const key of Object.keys(process.env)) if (key.startsWith('OTEL_')) delete process.env[key];
  Object.assign(process.env, environment);
});

/** A protobuf message: fields of bytes or varints below 128, by number. */
function message(fields: Record<number, number | string | Buffer>): Buffer {
  return Buffer.concat(
    Object.entries(fields).map(([number, value]) => {
      if (typeof value === 'number') return Buffer.from([Number(number) << 3, value]);
      const bytes = Buffer.from(value);
      return Buffer.concat([Buffer.from([(Number(number) << 3) | 2, bytes.length]), bytes]);
    }),
  );
}

const protobuf =
  (status: number, body: Buffer, headers = {}): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/x-protobuf', ...headers }).end(body);

test("the request is the one that OpenTelemetry's exporter makes", async (t) => {
  const { spans, batch } = sample(5);
  for (const compression of ['none', 'gzip'] as const) {
    await t.test(compression, async () => {
      await using receiver = await otlpReceiver();
      process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `${receiver.origin}/prefix`;
      process.env.OTEL_EXPORTER_OTLP_HEADERS = 'x-general=1,x-both=general';
      process.env.OTEL_EXPORTER_OTLP_TRACES_HEADERS = 'x-both=traces,x-encoded=a%20b';
      process.env.OTEL_EXPORTER_OTLP_COMPRESSION = compression;
      const headers = {
        'X-Code': 'yes',
        'x-general': 'overridden',
        'content-type': 'text/plain',
        'x-none': undefined as never,
      };

      const ours = otlpExporter({ headers, userAgent: 'shop/1' });
      await ours.export(batch);
      await ours.shutdown?.();
      const theirs = new OTLPTraceExporter({ headers, userAgent: 'shop/1' });
      const result = await new Promise<ExportResult>((resolve) => theirs.export(spans, resolve));
      assert.equal(result.code, ExportResultCode.SUCCESS);
      await theirs.shutdown();

      const [a, b] = receiver.requests.map(({ method, path, headers, body }) => {
        const {
          'user-agent': agent,
          'content-length': _length,
          'transfer-encoding': _chunked,
          ...same
        } = headers;
        return { method, path, headers: same, product: agent?.split(' ')[0], spans: decodeTraces(body) };
      });
      assert.deepEqual(a, b);
      assert.equal(a!.path, '/prefix/v1/traces');
      assert.equal(a!.headers['x-both'], 'traces');
      assert.equal(a!.headers['content-encoding'], compression === 'gzip' ? 'gzip' : undefined);
    });
  }
});

test('the body is the bytes of the batch, untouched', async () => {
  await using receiver = await otlpReceiver();
  const { batch } = sample(2);
  for (const compression of ['none', 'gzip'] as const) {
    const exporter = otlpExporter({ url: receiver.url, compression });
    await exporter.export(batch);
    await exporter.shutdown?.();
  }
  for (const { body } of receiver.requests) assert.deepEqual(body, Buffer.from(batch.bytes));
});

test('variables that make no sense are ignored with a warning that shows no secret', async () => {
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = 'ada:hunter2@collector';
  process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '-1';
  process.env.OTEL_EXPORTER_OTLP_PROTOCOL = 'grpc';
  process.env.OTEL_EXPORTER_OTLP_COMPRESSION = 'brotli';
  process.env.OTEL_EXPORTER_OTLP_CERTIFICATE = '/does/not/exist';
  process.env.OTEL_EXPORTER_OTLP_HEADERS = 'broken,=x,%zz=1,x-good=1';
  const warnings: string[] = [];
  await using receiver = await otlpReceiver();
  otlpExporter({ onWarning: (text) => warnings.push(text) });
  assert.deepEqual(
    warnings.map((text) => /^OTEL_EXPORTER_OTLP_[A-Z]+/.exec(text)?.[0]).sort(),
    ['CERTIFICATE', 'COMPRESSION', 'ENDPOINT', 'HEADERS', 'PROTOCOL', 'TIMEOUT'].map(
      (name) => `OTEL_EXPORTER_OTLP_${name}`,
    ),
  );
  assert.match(warnings.join(), /HEADERS: 3 of its members/);
  assert.doesNotMatch(warnings.join(), /hunter2/);
  const exporter = otlpExporter({ url: receiver.url });
  await exporter.export(sample(1).batch);
  await exporter.shutdown?.();
  assert.equal(receiver.requests[0]!.headers['x-good'], '1');
});

test('variables for traces come before those for all signals', async () => {
  await using receiver = await otlpReceiver(() => {});
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `${receiver.origin}/`;
  process.env.OTEL_EXPORTER_OTLP_COMPRESSION = 'none';
  process.env.OTEL_EXPORTER_OTLP_TRACES_COMPRESSION = ' gzip ';
  process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '60000';
  process.env.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT = '1000';
  const exporter = otlpExporter();
  assert.match((await failure(exporter.export(sample(1).batch))).message, /within 1000 ms/);
  await exporter.shutdown?.();
  assert.equal(receiver.requests[0]!.headers['content-encoding'], 'gzip');
  assert.equal(receiver.requests[0]!.path, '/v1/traces');
});

test('variables are read where the option env says, and nowhere else', async () => {
  await using receiver = await otlpReceiver();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:1';
  process.env.OTEL_EXPORTER_OTLP_COMPRESSION = 'gzip';
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.origin, OTEL_EXPORTER_OTLP_HEADERS: 'x-own=1' };
  const exporter = otlpExporter({ env });
  await exporter.export(sample(1).batch);
  await exporter.shutdown?.();
  assert.equal(receiver.requests[0]!.headers['x-own'], '1');
  assert.equal(receiver.requests[0]!.headers['content-encoding'], undefined);
});

test('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is taken as it is', async () => {
  await using receiver = await otlpReceiver();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:1';
  process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = `${receiver.origin}/my/own/path`;
  const exporter = otlpExporter();
  await exporter.export(sample(1).batch);
  await exporter.shutdown?.();
  assert.equal(receiver.requests[0]!.path, '/my/own/path');
});

test('connections are kept, and closed by shutdown', async () => {
  await using receiver = await otlpReceiver();
  const agent = new Agent({ keepAlive: true });
  const exporter = otlpExporter({ url: receiver.url, httpAgentOptions: () => agent });
  const { batch } = sample(1);
  await exporter.export(batch);
  await exporter.export(batch);
  const kept = Object.values(agent.freeSockets).flat();
  assert.equal(kept.length, 1);
  await exporter.shutdown?.();
  await exporter.shutdown?.();
  assert.equal(kept[0]!.destroyed, true);
  assert.equal((await failure(exporter.export(batch))).retryable, false);
});

test('headers may come from a function, asked before every request', async () => {
  await using receiver = await otlpReceiver();
  let token = 0;
  const exporter = otlpExporter({
    url: receiver.url,
    headers: async () => ({ authorization: `Bearer ${++token}` }),
  });
  const { batch } = sample(1);
  await exporter.export(batch);
  await exporter.export(batch);
  await exporter.shutdown?.();
  assert.deepEqual(
    receiver.requests.map(({ headers }) => headers.authorization),
    ['Bearer 1', 'Bearer 2'],
  );
});

test('TLS: a private authority and a client certificate, from options and from the environment', async () => {
  const server = {
    key: tls('server.key'),
    cert: tls('server.pem'),
    ca: tls('ca.pem'),
    requestCert: true,
    rejectUnauthorized: true,
  };
  await using receiver = await otlpReceiver(undefined, server);
  const { batch } = sample(1);

  const strict = otlpExporter({ url: receiver.url });
  const refused = await failure(strict.export(batch));
  assert.equal(refused.retryable, true);
  assert.match(refused.message, /cannot be reached: [A-Z_]+/);

  const byOptions = otlpExporter({
    url: receiver.url,
    httpAgentOptions: { ca: tls('ca.pem'), cert: tls('client.pem'), key: tls('client.key') },
  });
  await byOptions.export(batch);

  const path = (file: string): string => fileURLToPath(new URL(`./fixtures/tls/${file}`, import.meta.url));
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = receiver.origin;
  process.env.OTEL_EXPORTER_OTLP_CERTIFICATE = path('ca.pem');
  process.env.OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE = path('client.pem');
  process.env.OTEL_EXPORTER_OTLP_CLIENT_KEY = path('client.key');
  const byEnvironment = otlpExporter();
  await byEnvironment.export(batch);

  assert.equal(receiver.requests.length, 2);
  for (const exporter of [strict, byOptions, byEnvironment]) await exporter.shutdown?.();
});

test('429, 502, 503 and 504 may be tried again, when Retry-After says', async () => {
  for (const status of [429, 502, 503, 504]) {
    const error = await failureOf((response) => response.writeHead(status, { 'retry-after': '7' }).end());
    assert.equal(error.retryable, true);
    assert.equal(error.retryAfterMs, 7000);
    assert.equal(error.rejectedSpans, undefined);
    assert.match(error.message, new RegExp(`answered ${status}`));
  }
  const date = new Date(Date.now() + 30_000).toUTCString();
  const later = await failureOf((response) => response.writeHead(503, { 'retry-after': date }).end());
  assert.ok(later.retryAfterMs! > 25_000 && later.retryAfterMs! <= 30_000);
  for (const nonsense of ['soon', '-5', '']) {
    const error = await failureOf((response) => response.writeHead(503, { 'retry-after': nonsense }).end());
    assert.equal(error.retryAfterMs, undefined, nonsense);
  }
});

test('one export is one request: retrying is left to the plugin', async () => {
  await using receiver = await otlpReceiver((response) => response.writeHead(503).end());
  const exporter = otlpExporter({ url: receiver.url });
  await failure(exporter.export(sample(1).batch));
  await exporter.shutdown?.();
  assert.equal(receiver.requests.length, 1);
});

test('any other status is final, with what the receiver says about it', async () => {
  for (const status of [301, 400, 401, 403, 404, 415, 500, 501]) {
    const error = await failureOf(protobuf(status, message({ 1: 3, 2: 'said so' })));
    assert.equal(error.retryable, false, String(status));
    assert.equal(error.retryAfterMs, undefined);
    assert.match(error.message, new RegExp(`answered ${status} \\(said so\\)`));
  }
  const json: Answer = (response) =>
    response.writeHead(400, { 'content-type': 'application/json' }).end('{"code":3,"message":"in JSON"}');
  assert.match((await failureOf(json)).message, /\(in JSON\)/);
});

test('a partial success reports how many spans were refused and why', async () => {
  const partial = message({ 1: 2, 2: 'bad ids' });
  for (const answer of [
    protobuf(200, message({ 1: partial })),
    ((response) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"bad ids"}}')) satisfies Answer,
  ]) {
    const error = await failureOf(answer);
    assert.equal(error.rejectedSpans, 2);
    assert.equal(error.retryable, false);
    assert.match(error.message, /refused 2 spans: bad ids/);
  }
});

test('a partial success that refused nothing is a warning', async () => {
  const warnings: string[] = [];
  await using receiver = await otlpReceiver(protobuf(200, message({ 1: message({ 2: 'old schema' }) })));
  const exporter = otlpExporter({ url: receiver.url, onWarning: (text) => warnings.push(text) });
  await exporter.export(sample(1).batch);
  await exporter.shutdown?.();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /old schema/);
});

test('an answer of 200 that makes no sense is a success', async () => {
  const bodies = [
    Buffer.from([0x0a]),
    Buffer.from([0x0a, 0x80]),
    Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    Buffer.from([0x0a, 0x02, 0x08, 0xff]),
    Buffer.alloc(3 << 20, 1),
    Buffer.from('{'),
  ];
  for (const body of bodies) {
    for (const type of ['application/x-protobuf', 'application/json', 'text/html']) {
      await using receiver = await otlpReceiver((response) =>
        response.writeHead(200, { 'content-type': type }).end(body),
      );
      const exporter = otlpExporter({ url: receiver.url });
      await exporter.export(sample(1).batch);
      await exporter.shutdown?.();
    }
  }
});

/** Takes bodies up to a size. */
const atMost =
  (bytes: number): Answer =>
  (response, { body }) =>
    response.writeHead(body.length > bytes ? 413 : 200).end();

test('413 cuts the batch in halves until it fits', async () => {
  const { batch } = sample(64, 'x'.repeat(200));
  await using receiver = await otlpReceiver(atMost(batch.bytes.length / 5));
  const exporter = otlpExporter({ url: receiver.url });
  await exporter.export(batch);
  await exporter.shutdown?.();
  const taken = receiver.requests.filter(({ body }) => body.length <= batch.bytes.length / 5);
  const names = taken.flatMap(({ body }) => decodeTraces(body).map((span) => span.name));
  assert.deepEqual(
    names,
    decodeTraces(batch.bytes).map((span) => span.name),
  );
  assert.ok(taken.length >= 6 && taken.length <= 16, String(taken.length));
});

test('a single span that is too large is refused and counted, the others arrive', async () => {
  const memory = [sample(7).batch, sample(1, 'x'.repeat(5000)).batch];
  const bytes = Buffer.concat(memory.map((batch) => batch.bytes));
  await using receiver = await otlpReceiver(atMost(2000));
  const exporter = otlpExporter({ url: receiver.url });
  const error = await failure(exporter.export({ bytes, spanCount: 8 }));
  await exporter.shutdown?.();
  assert.equal(error.rejectedSpans, 1);
  assert.equal(error.retryable, false);
  assert.match(error.message, /refused 1 of 8 spans: .*too large/);
  assert.equal(error.message.match(/otlp: /g)?.length, 1);
  const arrived = receiver.requests.filter(({ body }) => body.length <= 2000);
  assert.equal(
    arrived.reduce((sum, { body }) => sum + countSpans(body), 0),
    7,
  );
});

test('what a receiver took of a split batch is not sent again when the rest is retried', async () => {
  const { batch } = sample(8, 'x'.repeat(100));
  let failing = true;
  const limit = batch.bytes.length * 0.6;
  await using receiver = await otlpReceiver((response, { body }) => {
    if (body.length > limit) response.writeHead(413).end();
    else if (failing && decodeTraces(body).some((span) => span.name === 'span 7'))
      response.writeHead(503, { 'retry-after': '1' }).end();
    else response.end();
  });
  const exporter = otlpExporter({ url: receiver.url });
  const error = await failure(exporter.export(batch));
  assert.equal(error.retryable, true);
  assert.equal(error.retryAfterMs, 1000);
  failing = false;
  receiver.requests.length = 0;
  await exporter.export(batch);
  await exporter.shutdown?.();
  assert.deepEqual(
    receiver.requests.map(({ body }) => decodeTraces(body).map((span) => span.name)),
    [['span 4', 'span 5', 'span 6', 'span 7']],
  );
});

test('a receiver that does not answer in time, or whom nobody waits for, is given up', async () => {
  const silent: Answer = () => {};
  const timedOut = await failureOf(silent, { timeoutMillis: 50 });
  assert.equal(timedOut.code, 'TW_EXPORT_TIMEOUT');
  assert.equal(timedOut.retryable, true);
  assert.match(timedOut.message, /^otlp: http:\S+ did not answer within 50 ms$/);

  const half: Answer = (response) => void response.writeHead(200, { 'content-length': '10' }).write('half');
  assert.equal((await failureOf(half, { timeoutMillis: 50 })).code, 'TW_EXPORT_TIMEOUT');

  await using receiver = await otlpReceiver(silent);
  const exporter = otlpExporter({ url: receiver.url });
  const controller = new AbortController();
  const exporting = failure(exporter.export(sample(1).batch, { signal: controller.signal }));
  setTimeout(() => controller.abort(), 20);
  assert.equal((await exporting).retryable, true);
  const already = await failure(exporter.export(sample(1).batch, { signal: AbortSignal.abort() }));
  assert.equal(already.retryable, true);
  await exporter.shutdown?.();
});

test('a receiver that is not there, or hangs up, may be tried again', async () => {
  const gone = otlpExporter({ url: 'http://127.0.0.1:1/v1/traces' });
  const error = await failure(gone.export(sample(1).batch));
  assert.equal(error.retryable, true);
  assert.equal(error.message, 'otlp: http://127.0.0.1:1/v1/traces cannot be reached: ECONNREFUSED');
  assert.equal((await failureOf((response) => response.socket?.destroy())).retryable, true);
});

test('more requests in flight than the limit allows are refused, to be retried', async () => {
  const release: (() => void)[] = [];
  await using receiver = await otlpReceiver((response) => void release.push(() => response.end()));
  const exporter = otlpExporter({ url: receiver.url, concurrencyLimit: 1 });
  const { batch } = sample(1);
  const first = exporter.export(batch);
  assert.equal((await failure(exporter.export(batch))).retryable, true);
  while (release.length === 0) await new Promise((resolve) => setImmediate(resolve));
  release[0]!();
  await first;
  await exporter.shutdown?.();
});

test('F50 no header and no password of a URL shows in an error', async () => {
  const secret = 'tok-1234567890';
  const headers = { authorization: `Bearer ${secret}`, 'x-api-key': 'key-abcdef' };
  const leaks = (error: unknown): boolean =>
    /tok-1234567890|key-abcdef|hunter2/.test(
      `${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)} ${JSON.stringify((error as Error).cause ?? null)}`,
    );
  const echo: Answer = (response, request) =>
    response
      .writeHead(401, { 'content-type': 'text/plain' })
      .end(`bad ${request.headers.authorization} / ${request.headers['x-api-key']}`);
  const errors: unknown[] = [await failureOf(echo, { headers })];
  errors.push(await failureOf(() => {}, { headers, timeoutMillis: 30 }));
  for (const url of [
    'http://ada:hunter2@127.0.0.1:1/v1/traces',
    'http://127.0.0.1:1/v1/traces?key=hunter2',
  ]) {
    errors.push(await failure(otlpExporter({ url, headers }).export(sample(1).batch)));
  }
  const impossible = await failureOf(() => {}, { headers: { authorization: `${secret}\n` } });
  assert.equal(impossible.retryable, false);
  errors.push(impossible);
  for (const url of ['not a url hunter2', 'ftp://ada:hunter2@host/']) {
    try {
      otlpExporter({ url });
      assert.fail('should have thrown');
    } catch (error) {
      assert.ok(error instanceof RangeError);
      errors.push(error);
    }
  }
  for (const error of errors) assert.equal(leaks(error), false, String(error));
});

test('its product names the version of the package', async () => {
  const manifest = new URL('../../packages/opentelemetry/package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  await using receiver = await otlpReceiver();
  const exporter = otlpExporter({ url: receiver.url });
  await exporter.export(sample(1).batch);
  await exporter.shutdown?.();
  assert.equal(receiver.requests[0]!.headers['user-agent'], `OTel-OTLP-Exporter-Tracewell/${version}`);
});

test('TRACEWELL_EXIT_TIMEOUT says how long it may hold up the end, options win, nonsense is told', () => {
  const exportSync = (text: string, options: OtlpExporterOptions = {}): string[] => {
    const told: string[] = [];
    const env = { TRACEWELL_EXIT_TIMEOUT: text, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
    const exporter = otlpExporter({ env, onWarning: (warning) => told.push(warning), ...options });
    try {
      exporter.exportSync?.(sample(1).batch);
    } catch (error) {
      told.push((error as Error).message);
    }
    return told;
  };
  assert.match(exportSync('0').join(), /^[^,]*exitTimeoutMillis is 0/);
  assert.match(exportSync('0', { exitTimeoutMillis: 5000 }).join(), /^[^,]*cannot be reached: ECONNREFUSED/);
  assert.match(
    exportSync('-1').join(),
    /TRACEWELL_EXIT_TIMEOUT must be a number of milliseconds from 0 on, got "-1".*ECONNREFUSED/,
  );
});

test('wrong options throw at once and name the field', () => {
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ url: 'nowhere' }, /url/],
    [{ compression: 'br' }, /compression/],
    [{ timeoutMillis: 0 }, /timeoutMillis/],
    [{ concurrencyLimit: Number.NaN }, /concurrencyLimit/],
    [{ exitTimeoutMillis: -1 }, /exitTimeoutMillis/],
  ];
  for (const [options, expected] of wrong) {
    assert.throws(() => otlpExporter(options as OtlpExporterOptions), {
      name: 'RangeError',
      message: expected,
    });
  }
});

test('its own requests are made in a context in which nothing is traced', async () => {
  const manager = new AsyncContextManager();
  context.setGlobalContextManager(manager);
  try {
    let suppressed: boolean | undefined;
    class SpyAgent extends Agent {
      // Called by http.request, in its context.
      override createConnection(
        ...args: Parameters<Agent['createConnection']>
      ): ReturnType<Agent['createConnection']> {
        suppressed = isTracingSuppressed(context.active());
        return super.createConnection(...args);
      }
    }
    await using receiver = await otlpReceiver();
    const exporter = otlpExporter({ url: receiver.url, httpAgentOptions: () => new SpyAgent() });
    await exporter.export(sample(1).batch);
    await exporter.shutdown?.();
    assert.equal(suppressed, true);
  } finally {
    context.disable();
  }
});

test('behind a buffered plugin, spans arrive after an outage, each once', async () => {
  let down = true;
  await using receiver = await otlpReceiver((response) =>
    response.writeHead(down ? 503 : 200, { 'retry-after': '0' }).end(),
  );
  const plugin = bufferedPlugin(otlpExporter({ url: receiver.url }), {
    retry: { initialDelayMs: 5, maxDelayMs: 10 },
  });
  for (let i = 0; i < 10; i++) plugin.endSpan(plugin.startSpan({ name: `span ${i}` }));
  await assert.rejects(plugin.flush());
  down = false;
  receiver.requests.length = 0;
  await plugin.flush();
  await plugin.shutdown();
  assert.equal(
    receiver.requests.reduce((sum, { body }) => sum + countSpans(body), 0),
    10,
  );
  assert.deepEqual(
    plugin.stats().exporters.map(({ exported, retained, dropped }) => ({ exported, retained, dropped })),
    [{ exported: 10, retained: 0, dropped: 0 }],
  );
});
