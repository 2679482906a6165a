import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from 'node:assert';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeTraces } from '@tracewell/otlp';
import { type SpanData, SpanKind } from '@tracewell/plugin';
import { otlpReceiver } from '../opentelemetry/fixtures/otlp-receiver.ts';
import { runApp, storedSpans, temporaryFolder } from './run-app.ts';

const byName = (spans: readonly SpanData[]): string[] => spans.map((span) => span.name).sort();
const scopes = (spans: readonly SpanData[]): string[] =>
  [...new Set(spans.map((span) => span.scope.name))].sort();

describe('node --import @tracewell/node/register', { concurrency: 2 }, () => {
  for (const app of ['http.mjs', 'http.cjs']) {
    it(`records HTTP and fetch of ${app} in .tracewell, as whole traces, and says nothing`, async (t) => {
      const cwd = temporaryFolder(t);
      const { code, stdout, stderr } = await runApp(app, cwd);
      deepStrictEqual({ code, stdout, stderr }, { code: 0, stdout: 'hello\n', stderr: '' });
      const spans = await storedSpans(join(cwd, '.tracewell'));
      strictEqual(spans.length, 4);
      for (const path of ['/by-http', '/by-fetch']) {
        const server = spans.find(
          (span) => span.attributes['url.path'] === path && span.kind === SpanKind.SERVER,
        )!;
        const client = spans.find((span) => span.spanId === server.parentSpanId)!;
        strictEqual(client.kind, SpanKind.CLIENT);
        strictEqual(client.traceId, server.traceId);
        strictEqual(server.resource.attributes['service.name'], 'app');
      }
    });
  }

  it('tells in a line that an SDK which the application starts gets no spans', async (t) => {
    const cwd = temporaryFolder(t);
    const { code, stderr } = await runApp('own-sdk.mjs', cwd);
    strictEqual(code, 0);
    match(stderr, /^tracewell: Another OpenTelemetry SDK was started in this process and refused, [^\n]*\n$/);
    deepStrictEqual(byName(await storedSpans(join(cwd, '.tracewell'))), ['work']);
  });

  for (const app of ['express.mjs', 'express.cjs']) {
    it(`loads the instrumentations that are installed, and takes the route of ${app} from them`, async (t) => {
      const cwd = temporaryFolder(t);
      const { code, stderr } = await runApp(app, cwd);
      deepStrictEqual({ code, stderr }, { code: 0, stderr: '' });
      const spans = await storedSpans(join(cwd, '.tracewell'));
      const server = spans.find((span) => span.kind === SpanKind.SERVER)!;
      strictEqual(server.name, 'GET /users/:id');
      strictEqual(server.attributes['http.route'], '/users/:id');
      const handler = spans.find((span) => span.attributes['express.type'] === 'request_handler')!;
      strictEqual(handler.traceId, server.traceId);
      deepStrictEqual(scopes(spans), ['@opentelemetry/instrumentation-express', '@tracewell/node']);
    });
  }

  for (const [how, main] of [
    ['a directory', 'service'],
    ['behind a symbolic link', 'bin/service'],
    ['named without its extension', 'service/lib/main'],
  ] as const) {
    it(`finds the instrumentations of an application that is ${how}, wherever it is run`, async (t) => {
      const folder = temporaryFolder(t);
      for (const name of ['service/lib', 'bin', 'elsewhere'])
        mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, 'service/package.json'), '{ "main": "lib/main.js" }');
      copyFileSync(new URL('./apps/express.cjs', import.meta.url), join(folder, 'service/lib/main.js'));
      symlinkSync('../service/lib/main.js', join(folder, 'bin/service'));
      const installed = fileURLToPath(new URL('../../node_modules', import.meta.url));
      symlinkSync(installed, join(folder, 'service/node_modules'));

      const cwd = join(folder, 'elsewhere');
      const { code, stderr } = await runApp('', cwd, { main: join(folder, main) });
      deepStrictEqual({ code, stderr }, { code: 0, stderr: '' });
      const spans = await storedSpans(join(cwd, '.tracewell'));
      deepStrictEqual(scopes(spans), ['@opentelemetry/instrumentation-express', '@tracewell/node']);
    });
  }

  it('leaves out what OTEL_NODE_DISABLED_INSTRUMENTATIONS names', async (t) => {
    const cwd = temporaryFolder(t);
    await runApp('express.mjs', cwd, { env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'express, undici' } });
    const spans = await storedSpans(join(cwd, '.tracewell'));
    deepStrictEqual(
      spans.map(({ name, kind }) => [name, kind]),
      [['GET', SpanKind.SERVER]],
    );
  });

  it('takes only what OTEL_NODE_ENABLED_INSTRUMENTATIONS names', async (t) => {
    const cwd = temporaryFolder(t);
    await runApp('express.mjs', cwd, { env: { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'express,http' } });
    const spans = await storedSpans(join(cwd, '.tracewell'));
    deepStrictEqual(scopes(spans), ['@opentelemetry/instrumentation-express', '@tracewell/node']);
    ok(spans.every((span) => span.kind !== SpanKind.CLIENT));
  });

  it('tells of a name in OTEL_NODE_ENABLED_INSTRUMENTATIONS that nothing installed has', async (t) => {
    const { code, stderr } = await runApp('express.mjs', temporaryFolder(t), {
      env: { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'express,http,undici,expres' },
    });
    strictEqual(code, 0);
    match(
      stderr,
      /^tracewell: OTEL_NODE_ENABLED_INSTRUMENTATIONS: "expres" was left out; install @opentelemetry\/instrumentation-expres.*\n$/,
    );
  });

  for (const app of ['http.mjs', 'http.cjs']) {
    it(`leaves HTTP of ${app} to the published instrumentations if TRACEWELL_HTTP=opentelemetry`, async (t) => {
      const cwd = temporaryFolder(t);
      const { stderr } = await runApp(app, cwd, { env: { TRACEWELL_HTTP: 'opentelemetry' } });
      strictEqual(stderr, '');
      const spans = await storedSpans(join(cwd, '.tracewell'));
      deepStrictEqual(scopes(spans), [
        '@opentelemetry/instrumentation-http',
        '@opentelemetry/instrumentation-undici',
      ]);
      strictEqual(spans.length, 4);
    });
  }

  it('sends spans to OTEL_EXPORTER_OTLP_ENDPOINT, and keeps no store unless TRACEWELL_DIRECTORY is set too', async (t) => {
    const received: SpanData[] = [];
    const collector = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        if (request.url === '/v1/traces') received.push(...decodeTraces(Buffer.concat(chunks)));
        response.end();
      });
    }).listen(0, '127.0.0.1');
    t.after(() => collector.close());
    await once(collector, 'listening');
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    };

    const cwd = temporaryFolder(t);
    strictEqual((await runApp('http.mjs', cwd, { env })).stderr, '');
    deepStrictEqual(byName(received), ['GET', 'GET', 'GET', 'GET']);
    ok(!existsSync(join(cwd, '.tracewell')));

    await runApp('http.mjs', cwd, { env: { ...env, TRACEWELL_DIRECTORY: 'kept' } });
    strictEqual(received.length, 8);
    strictEqual((await storedSpans(join(cwd, 'kept'))).length, 4);
  });

  it('prints trees if OTEL_TRACES_EXPORTER=console', async (t) => {
    const cwd = temporaryFolder(t);
    const { stderr } = await runApp('http.mjs', cwd, { env: { OTEL_TRACES_EXPORTER: 'console' } });
    match(stderr, /^GET \/by-fetch /m);
    ok(!existsSync(join(cwd, '.tracewell')));
  });

  it('keeps nothing, yet passes sampled contexts on, if OTEL_TRACES_EXPORTER=none', async (t) => {
    const cwd = temporaryFolder(t);
    const { stdout, stderr } = await runApp('downstream.mjs', cwd, { env: { OTEL_TRACES_EXPORTER: 'none' } });
    match(stdout, /^00-[\da-f]{32}-[\da-f]{16}-01$/m);
    strictEqual(stderr, '');
    ok(!existsSync(join(cwd, '.tracewell')));
  });

  it('samples as OTEL_TRACES_SAMPLER says, and passes the decision on', async (t) => {
    const cwd = temporaryFolder(t);
    const { stdout } = await runApp('downstream.mjs', cwd, { env: { OTEL_TRACES_SAMPLER: 'always_off' } });
    match(stdout, /^00-[\da-f]{32}-[\da-f]{16}-00$/m);
    deepStrictEqual(await storedSpans(join(cwd, '.tracewell')), []);
  });

  it('does nothing at all if OTEL_SDK_DISABLED=true', async (t) => {
    const cwd = temporaryFolder(t);
    const { stdout, stderr } = await runApp('downstream.mjs', cwd, { env: { OTEL_SDK_DISABLED: 'true' } });
    deepStrictEqual({ stdout, stderr }, { stdout: 'undefined\n', stderr: '' });
    ok(!existsSync(join(cwd, '.tracewell')));
  });

  it('tells of a wrong variable in one line, and runs the application', async (t) => {
    const cwd = temporaryFolder(t);
    const { code, stdout, stderr } = await runApp('http.mjs', cwd, {
      env: {
        OTEL_TRACES_EXPORTER: 'zipkin,console',
        TRACEWELL_HTTP: 'theirs',
        OTEL_TRACES_SAMPLER: 'sometimes',
      },
    });
    deepStrictEqual({ code, stdout }, { code: 0, stdout: 'hello\n' });
    const told = stderr.split('\n').filter((line) => line.startsWith('tracewell: '));
    strictEqual(told.length, 3);
    match(told[0]!, /OTEL_TRACES_EXPORTER: "zipkin" .* known are/);
    match(told[1]!, /TRACEWELL_HTTP: "theirs" .* known are/);
    match(told[2]!, /OTEL_TRACES_SAMPLER: .*"sometimes"/);
  });

  it('runs the application though nobody reads what is told of it', async (t) => {
    const { code, stdout } = await runApp('stderr.mjs', temporaryFolder(t), {
      env: { OTEL_TRACES_EXPORTER: 'bogus' },
      closedStderr: true,
    });
    deepStrictEqual({ code, stdout }, { code: 0, stdout: 'done\n' });
  });

  for (const exporters of ['none', 'none,bogus']) {
    it(`leaves it to the application what a line of its own does that nobody reads, with ${exporters}`, async (t) => {
      const { code, stdout } = await runApp('stderr.mjs', temporaryFolder(t), {
        args: ['own'],
        env: { OTEL_TRACES_EXPORTER: exporters },
        closedStderr: true,
      });
      deepStrictEqual({ code, stdout }, { code: 1, stdout: '' });
    });
  }

  it('runs the application without a store that cannot be opened', async (t) => {
    const cwd = temporaryFolder(t);
    const { code, stdout, stderr } = await runApp('http.mjs', cwd, {
      env: { TRACEWELL_DIRECTORY: '/dev/null/no' },
    });
    deepStrictEqual({ code, stdout }, { code: 0, stdout: 'hello\n' });
    // One cause is one line, however often it comes up again.
    match(
      stderr,
      /^tracewell: spans are not kept in a store: .*cannot be opened: ENOTDIR.*; .*name a directory.*\n$/,
    );
  });

  it('gives every thread and process of an application a log of its own', async (t) => {
    const cwd = temporaryFolder(t);
    const { code, stderr } = await runApp('family.mjs', cwd);
    deepStrictEqual({ code, stderr }, { code: 0, stderr: '' });
    deepStrictEqual(byName(await storedSpans(join(cwd, '.tracewell'))), [
      'cluster',
      'forked',
      'main',
      'worker',
    ]);
  });

  for (const [how, expected] of [
    ['exit', { code: 3, signal: null }],
    ['throw', { code: 1, signal: null }],
    ['signal', { code: null, signal: 'SIGTERM' }],
    ['idle', { code: 0, signal: null }],
  ] as const) {
    it(`F53 an application that ends by ${how} ends as it would have, and its spans are there`, async (t) => {
      const cwd = temporaryFolder(t);
      const { code, signal } = await runApp('end.mjs', cwd, {
        args: [how],
        onOutput: (child) => child.kill('SIGTERM'),
      });
      deepStrictEqual({ code, signal }, expected);
      const spans = await storedSpans(join(cwd, '.tracewell'));
      deepStrictEqual(byName(spans), ['ended', 'open']);
      const open = spans.find((span) => span.name === 'open')!;
      strictEqual(open.attributes['tracewell.unfinished'], true);
    });

    it(`F53 nor does it lose any by ${how} that only a collector gets`, async (t) => {
      await using collector = await otlpReceiver();
      const { code, signal, stderr } = await runApp('end.mjs', temporaryFolder(t), {
        args: [how],
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin },
        onOutput: (child) => child.kill('SIGTERM'),
      });
      deepStrictEqual({ code, signal }, expected);
      doesNotMatch(stderr, /tracewell:/);
      deepStrictEqual(byName(collector.requests.flatMap(({ body }) => decodeTraces(body))), [
        'ended',
        'open',
      ]);
    });
  }
});
