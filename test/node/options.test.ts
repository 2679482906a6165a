import { deepStrictEqual, rejects, strictEqual, throws } from 'node:assert';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { trace } from '@opentelemetry/api';
import { instrumentFetch, instrumentHttp, tracewell } from '@tracewell/node';
import { bufferedPlugin } from '@tracewell/sdk';
import { temporaryFolder } from './run-app.ts';

const exporter = { name: 'none', async export() {} };
const plugin = bufferedPlugin(exporter);

describe('options of tracewell()', () => {
  const wrong: readonly [unknown, RegExp][] = [
    [5, /^tracewell: options must be an object, got 5$/],
    [null, /^tracewell: options must be an object, got null$/],
    [[], /^tracewell: options must be an object, got an array$/],
    [{ dir: 'x' }, /^tracewell: options\.dir is not known; known are directory, store, .*, env$/],
    [{ directory: 5 }, /^tracewell: options\.directory must be a non-empty string, got 5$/],
    [{ directory: '' }, /options\.directory must be a non-empty string, got ""/],
    [{ store: 5 }, /options\.store must be an object, got 5/],
    [{ store: { segmntBytes: 1 } }, /options\.store\.segmntBytes is not known; known are .*segmentBytes/],
    [{ exporters: 5 }, /options\.exporters must be an array, got 5/],
    [{ exporters: exporter }, /options\.exporters must be an array, got an object with name, export/],
    [
      { exporters: [{ name: 'x' }] },
      /options\.exporters\[0\] must be a BatchExporter.*, got an object with name/,
    ],
    [{ plugin, exporters: [] }, /options\.exporters does nothing beside options\.plugin/],
    [{ plugin, directory: 'x' }, /options\.directory does nothing beside options\.plugin/],
    [{ plugin: {} }, /plugin must be a TracerPlugin, got an object without keys/],
    [{ plugin: null }, /plugin must be a TracerPlugin, got null/],
    [{ tracing: 5 }, /options\.tracing must be an object, got 5/],
    [{ tracing: { flushMs: 5 } }, /options\.tracing\.flushMs is not known; known are .*flushIntervalMs/],
    [{ tracing: { onError() {} } }, /options\.tracing\.onError is not known/],
    [{ exporters: [], tracing: { sampler: 'always_on' } }, /sampler must be a Sampler.*, got "always_on"/],
    [{ http: 5 }, /options\.http must be an object or false, got 5/],
    [{ http: true }, /options\.http must be an object or false, got true/],
    [{ http: { requestHook: 'x' } }, /options\.http\.requestHook must be a function, got "x"/],
    [
      { http: { headersToSpanAttributes: { server: { requestHeaders: 'x' } } } },
      /server\.requestHeaders must be an array, got "x"/,
    ],
    [
      { http: { redactedQueryParams: [5] } },
      /http\.redactedQueryParams\[0\] must be a non-empty string, got 5/,
    ],
    [{ fetch: 'no' }, /options\.fetch must be an object or false, got "no"/],
    [{ fetch: { ignoreHook() {} } }, /options\.fetch\.ignoreHook is not known; known are ignoreRequestHook/],
    [{ fetch: { requireParentforSpans: 1 } }, /fetch\.requireParentforSpans must be true or false, got 1/],
    [{ instrumentations: 'pg' }, /options\.instrumentations must be 'installed', an array .*, got "pg"/],
    [{ instrumentations: [5] }, /options\.instrumentations\[0\] must be an instrumentation .*, got 5/],
    [{ applicationFolder: {} }, /options\.applicationFolder must be a non-empty string, got an object/],
    [{ onError: 'log' }, /options\.onError must be a function, got "log"/],
    [{ onWarning: 1 }, /options\.onWarning must be a function, got 1/],
    [{ env: 5 }, /options\.env must be an object of variables, got 5/],
    [{ env: { OTEL_SDK_DISABLED: true } }, /options\.env\.OTEL_SDK_DISABLED must be a string, got true/],
  ];
  for (const [options, message] of wrong) {
    it(`are refused before anything is done: ${message.source}`, async (t) => {
      const folder = temporaryFolder(t);
      const before = process.cwd();
      process.chdir(folder);
      try {
        await rejects(tracewell(options as never), { name: 'TypeError', message });
      } finally {
        process.chdir(before);
      }
      deepStrictEqual(readdirSync(folder), []);
      strictEqual(trace.getTracer('any').startSpan('one').isRecording(), false);
    });
  }

  it('may be given as undefined', async (t) => {
    const directory = join(temporaryFolder(t), 'traces');
    const nothing = { exporters: undefined, plugin: undefined, http: undefined, tracing: undefined };
    const options = { ...nothing, directory, instrumentations: false, env: {} };
    const node = await tracewell(options as never);
    await node.shutdown();
    strictEqual(existsSync(directory), true);
  });

  it('are those of instrumentHttp and instrumentFetch too', () => {
    throws(() => instrumentHttp(plugin, { requestHook: 5 } as never), {
      name: 'TypeError',
      message: 'instrumentHttp: options.requestHook must be a function, got 5',
    });
    throws(() => instrumentFetch(plugin, { onerror() {} } as never), {
      name: 'TypeError',
      message: /^instrumentFetch: options\.onerror is not known; known are .*onError$/,
    });
    throws(
      () => instrumentFetch(plugin, null as never),
      /^TypeError: instrumentFetch: options must be an object/,
    );
  });
});
