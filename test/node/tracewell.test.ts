import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from 'node:assert';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { trace } from '@opentelemetry/api';
import { type PublishedInstrumentation, tracewell } from '@tracewell/node';
import { decodeTraces } from '@tracewell/otlp';
import { SpanKind } from '@tracewell/plugin';
import { lateExporter } from '../../packages/node/src/start/late-exporter.ts';
import { VERSION } from '../../packages/node/src/version.ts';
import { otlpReceiver } from '../opentelemetry/fixtures/otlp-receiver.ts';
import { storedSpans, temporaryFolder } from './run-app.ts';

const batch = { bytes: new Uint8Array([1]), spanCount: 1 };

describe('tracewell()', () => {
  it('instruments the process, keeps spans in a store, and takes all of it back', async (t) => {
    const directory = join(temporaryFolder(t), 'traces');
    const node = await tracewell({ directory, instrumentations: false, env: {} });
    deepStrictEqual([node.instrumented, node.warnings], [['http', 'fetch'], []]);
    strictEqual(await tracewell(), node);
    await rejects(tracewell({ directory }), { code: 'TW_ALREADY_STARTED' });

    const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await (await fetch(`${url}/recorded`)).text();
    trace.getTracer('application').startSpan('own').end();
    await node.tracing.flush();
    const { spans } = await node.store!.queryTraces({ kind: SpanKind.SERVER });
    deepStrictEqual(
      spans.map((span) => span.attributes['url.path']),
      ['/recorded'],
    );

    const store = node.store!;
    await Promise.all([node.shutdown(), node.shutdown()]);
    await rejects(store.insertSpans([]), { code: 'TW_STORE_CLOSED' });
    await (await fetch(`${url}/after`)).text();
    trace.getTracer('application').startSpan('after').end();
    server.close();
    strictEqual((await storedSpans(directory)).length, 3);
  });

  it('starts again after it was shut down', async (t) => {
    const directory = temporaryFolder(t);
    for (const name of ['first', 'second']) {
      await using node = await tracewell({ directory, instrumentations: false, env: {} });
      trace.getTracer('application').startSpan(name).end();
      ok(node.store !== undefined);
    }
    deepStrictEqual(
      (await storedSpans(directory)).map((span) => span.name),
      ['first', 'second'],
    );
  });

  it('rejects, and leaves nothing behind, if the store cannot be opened', async () => {
    await rejects(tracewell({ directory: '/dev/null/no', instrumentations: false, env: {} }), {
      code: 'TW_STORE_OPEN_FAILED',
      message: /\/dev\/null\/no cannot be opened: ENOTDIR.*name a directory/,
    });
    const node = await tracewell({
      exporters: [{ name: 'none', async export() {} }],
      instrumentations: false,
      env: {},
    });
    strictEqual(node.store, undefined);
    await node.shutdown();
  });

  it('rejects, and takes back what it did, if an instrumentation that it is given cannot be enabled', async (t) => {
    const calls: string[] = [];
    const given = (name: string, what: Partial<PublishedInstrumentation> = {}): PublishedInstrumentation => ({
      instrumentationName: name,
      enable: () => void calls.push(`enable ${name}`),
      disable: () => void calls.push(`disable ${name}`),
      ...what,
    });
    const fails = (): never => {
      throw new Error('on purpose');
    };
    const folder = temporaryFolder(t);
    const instrumentations = [
      given('first', { disable: fails }),
      given('second'),
      given('third', { enable: fails }),
      given('fourth'),
    ];
    await rejects(tracewell({ directory: join(folder, 'a'), instrumentations, env: {} }), {
      message: 'on purpose',
    });
    deepStrictEqual(calls, ['enable first', 'enable second', 'disable third', 'disable second']);
    strictEqual(trace.getTracer('any').startSpan('one').isRecording(), false);

    const directory = join(folder, 'b');
    const node = await tracewell({ directory, instrumentations: false, env: {} });
    deepStrictEqual(node.warnings, []);
    const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)).text();
    server.close();
    await node.shutdown();
    strictEqual((await storedSpans(directory)).length, 2);
    deepStrictEqual(await storedSpans(join(folder, 'a')), []);
  });

  it('delivers and closes though an instrumentation cannot be disabled, and tells', async (t) => {
    const directory = temporaryFolder(t);
    const instrumentation = {
      instrumentationName: 'mine',
      enable() {},
      disable() {
        throw new Error('on purpose');
      },
    };
    const node = await tracewell({ directory, instrumentations: [instrumentation], env: {} });
    trace.getTracer('application').startSpan('own').end();
    await node.shutdown();
    match(node.warnings.join(), /^mine could not be disabled: on purpose$/);
    strictEqual(trace.getTracer('any').startSpan('one').isRecording(), false);
    strictEqual((await storedSpans(directory)).length, 1);
  });

  it('goes on though whoever is told of warnings throws', async () => {
    const onWarning = (): never => {
      throw new Error('on purpose');
    };
    const env = { OTEL_TRACES_EXPORTER: 'none,bogus' };
    const node = await tracewell({ onWarning, instrumentations: false, env });
    match(node.warnings.join(), /bogus/);
    await node.shutdown();
  });

  it('goes to the exporters that it is given, whatever the environment says', async () => {
    let spanCount = 0;
    const exporter = {
      name: 'count',
      async export(given: { spanCount: number }) {
        spanCount += given.spanCount;
      },
    };
    const env = { OTEL_TRACES_EXPORTER: 'console', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
    await using node = await tracewell({ exporters: [exporter], instrumentations: false, http: false, env });
    deepStrictEqual(node.instrumented, ['fetch']);
    trace.getTracer('application').startSpan('one').end();
    await node.tracing.flush();
    strictEqual(spanCount, 1);
  });

  it('reads every variable where it is told to: those of the OTLP exporter and of propagators too', async () => {
    await using collector = await otlpReceiver();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin, OTEL_PROPAGATORS: 'bogus' };
    const node = await tracewell({ instrumentations: false, env });
    match(node.warnings.join(), /^The propagator "bogus" is not known/);
    trace.getTracer('application').startSpan('one').end();
    await node.shutdown();
    deepStrictEqual(
      collector.requests.flatMap(({ body }) => decodeTraces(body)).map(({ name }) => name),
      ['one'],
    );
  });

  it('enables instrumentations that it is given, and disables them', async () => {
    const calls: string[] = [];
    const given = {
      instrumentationName: '@opentelemetry/instrumentation-mine',
      enable: () => void calls.push('enable'),
      disable: () => void calls.push('disable'),
    };
    const node = await tracewell({ exporters: [], instrumentations: [given], env: {} });
    deepStrictEqual(node.instrumented, ['http', 'fetch', 'mine']);
    await node.shutdown();
    deepStrictEqual(calls, ['enable', 'disable']);
  });

  it('knows its version', () => {
    const manifest = new URL('../../packages/node/package.json', import.meta.url);
    strictEqual(VERSION, JSON.parse(readFileSync(manifest, 'utf8')).version);
  });
});

describe('an exporter that is opened late', () => {
  it('delivers what came before it was open, in its order', async () => {
    const delivered: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const exporter = lateExporter('late', async () => {
      await promise;
      return {
        name: 'inner',
        async export({ spanCount }) {
          delivered.push(spanCount);
        },
      };
    });
    const exports = [1, 2, 3].map((spanCount) => exporter.export({ ...batch, spanCount }));
    throws(() => exporter.exportSync?.(batch), { code: 'TW_EXPORT_FAILED', message: /before it was open/ });
    deepStrictEqual(delivered, []);
    resolve();
    await Promise.all(exports);
    deepStrictEqual(delivered, [1, 2, 3]);
  });

  it('refuses everything for good if it cannot be opened', async () => {
    const exporter = lateExporter('late', async () => {
      throw new Error('no such disk');
    });
    await rejects(exporter.export(batch), {
      code: 'TW_EXPORT_FAILED',
      retryable: false,
      message: /no such disk/,
    });
    throws(() => exporter.exportSync?.(batch), { code: 'TW_EXPORT_FAILED', message: /no such disk/ });
  });
});
