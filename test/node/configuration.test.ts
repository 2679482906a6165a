import { deepStrictEqual, match, ok, strictEqual } from 'node:assert';
import { describe, it } from 'node:test';
import { readConfiguration } from '../../packages/node/src/start/configuration.ts';

describe('configuration from the environment', () => {
  for (const [env, exporters] of [
    [{}, ['store']],
    [{ OTEL_TRACES_EXPORTER: '' }, ['store']],
    [{ OTEL_TRACES_EXPORTER: ' otlp , console ' }, ['otlp', 'console']],
    [{ OTEL_TRACES_EXPORTER: 'none' }, []],
    [{ OTEL_TRACES_EXPORTER: 'none', TRACEWELL_DIRECTORY: 'd' }, ['store']],
    [{ OTEL_TRACES_EXPORTER: 'console', TRACEWELL_DIRECTORY: 'd' }, ['store', 'console']],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, ['otlp']],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/v1/traces' }, ['otlp']],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_TRACES_EXPORTER: 'console' }, ['console']],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', TRACEWELL_DIRECTORY: 'd' }, ['store', 'otlp']],
  ] as const) {
    it(`${JSON.stringify(env)} sends spans to ${exporters.join(' and ') || 'nobody'}`, () => {
      const configuration = readConfiguration(env);
      deepStrictEqual(configuration.exporters, exporters);
      deepStrictEqual(configuration.warnings, []);
    });
  }

  it('knows its own name for the directory', () => {
    strictEqual(readConfiguration({}).directory, '.tracewell');
    strictEqual(readConfiguration({ TRACEWELL_DIRECTORY: ' /var/traces ' }).directory, '/var/traces');
  });

  it('is off only if it is told so', () => {
    ok(readConfiguration({ OTEL_SDK_DISABLED: 'TRUE' }).isDisabled);
    for (const value of ['false', '', '1', 'yes'])
      ok(!readConfiguration({ OTEL_SDK_DISABLED: value }).isDisabled);
  });

  it('wants every instrumentation but fs, or those that are named, but never one that is disabled', () => {
    const wanted = (env: Record<string, string>): string[] =>
      ['http', 'pg', 'fs'].filter(readConfiguration(env).wants);
    deepStrictEqual(wanted({}), ['http', 'pg']);
    deepStrictEqual(wanted({ OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'pg, fs' }), ['pg', 'fs']);
    deepStrictEqual(wanted({ OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'pg' }), ['http']);
    deepStrictEqual(
      wanted({ OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'pg,http', OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'pg' }),
      ['http'],
    );
  });

  it('says what it could not understand, and what would have been right', () => {
    const { warnings, exporters, http } = readConfiguration({
      OTEL_TRACES_EXPORTER: 'jaeger,otlp',
      TRACEWELL_HTTP: 'mine',
    });
    deepStrictEqual([exporters, http], [['otlp'], 'tracewell']);
    strictEqual(warnings.length, 2);
    match(warnings[0]!, /"jaeger".*known are otlp, console, none/);
    match(warnings[1]!, /"mine".*known are tracewell, opentelemetry/);
  });
});
