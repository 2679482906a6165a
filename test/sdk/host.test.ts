import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeTraces } from '@tracewell/otlp';
import {
  type BatchExporter,
  ERROR_CODES,
  FlushError,
  INVALID_SPAN,
  type SpanData,
  type TracerPlugin,
  TracewellError,
} from '@tracewell/plugin';
import { bufferedPlugin, type ErrorReport, startTracing, type TracingOptions } from '@tracewell/sdk';
import { ReferencePlugin } from '../plugin/reference-plugin.ts';
import { MinimalPlugin, throwingPlugin } from './support/plugins.ts';

/** A host that flushes only when it is told to. */
function start(options: TracingOptions): ReturnType<typeof startTracing> {
  return startTracing({ flushIntervalMs: 1_000_000, saveAtProcessEnd: false, env: {}, ...options });
}

function arrayExporter(): BatchExporter & { readonly spans: SpanData[] } {
  const spans: SpanData[] = [];
  return {
    name: 'array',
    spans,
    export: async (batch) => void spans.push(...decodeTraces(batch.bytes)),
  };
}

const names = (spans: readonly SpanData[]): string[] => spans.map((span) => span.name);

function record(plugin: TracerPlugin, name: string): void {
  plugin.endSpan(plugin.startSpan({ name }));
}

describe('the host', () => {
  test('records through exporters, with the resource over that of the environment', async () => {
    const exporter = arrayExporter();
    await using tracing = start({
      exporters: exporter,
      resource: { 'service.name': 'shop', answer: 42 },
      env: { OTEL_SERVICE_NAME: 'other', OTEL_RESOURCE_ATTRIBUTES: 'team=checkout' },
    });
    record(tracing.plugin, 'span');
    await tracing.flush();
    const { attributes } = exporter.spans[0]!.resource;
    assert.equal(attributes['service.name'], 'shop');
    assert.equal(attributes.answer, 42);
    assert.equal(attributes.team, 'checkout');
    assert.equal(attributes['telemetry.sdk.name'], 'tracewell');
  });

  test('samples and limits as the standard variables say', async () => {
    const exporter = arrayExporter();
    await using none = start({ exporters: exporter, env: { OTEL_TRACES_SAMPLER: 'always_off' } });
    assert.equal(none.plugin.startSpan({ name: 'unsampled' }), INVALID_SPAN);
    await using limited = start({ exporters: exporter, env: { OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '1' } });
    limited.plugin.endSpan(limited.plugin.startSpan({ name: 'limited', attributes: { a: 1, b: 2 } }));
    await limited.flush();
    assert.deepEqual({ ...exporter.spans[0]!.attributes }, { a: 1 });
  });

  test('reports a malformed variable and goes on with the default', async () => {
    const errors: TracewellError[] = [];
    await using tracing = startTracing({
      exporters: arrayExporter(),
      saveAtProcessEnd: false,
      onError: (error) => errors.push(error),
      env: {
        OTEL_BSP_SCHEDULE_DELAY: 'soon',
        OTEL_TRACES_SAMPLER: 'sometimes',
        OTEL_RESOURCE_ATTRIBUTES: '%',
      },
    });
    assert.notEqual(tracing.plugin.startSpan({ name: 'span' }), INVALID_SPAN);
    assert.deepEqual(
      errors.map(({ code }) => code),
      Array.from({ length: 3 }, () => 'TW_ENVIRONMENT_INVALID'),
    );
  });

  test('flushes on its interval, which OTEL_BSP_SCHEDULE_DELAY sets', async () => {
    const exporter = arrayExporter();
    await using tracing = startTracing({
      exporters: exporter,
      saveAtProcessEnd: false,
      env: { OTEL_BSP_SCHEDULE_DELAY: '10' },
    });
    record(tracing.plugin, 'span');
    assert.deepEqual(names(exporter.spans), []);
    while (exporter.spans.length === 0) await sleep(5);
    assert.deepEqual(names(exporter.spans), ['span']);
  });

  test('flushes under pressure without waiting for the interval', async () => {
    const plugin = new ReferencePlugin({});
    await using tracing = start({ plugin, flushSpans: 10 });
    for (let index = 0; index < 9; index++) record(tracing.plugin, 'span');
    await sleep(20);
    assert.equal(plugin.delivered.length, 0);
    record(tracing.plugin, 'span');
    await sleep(20);
    assert.equal(plugin.delivered.length, 10);
  });

  test('refuses wrong options at once and says which', () => {
    const plugin = new MinimalPlugin();
    assert.throws(() => start({ plugin, flushIntervalMs: -1 }), /flushIntervalMs must be 0 to/);
    assert.throws(() => start({ plugin, flushSpans: 0.5 }), /flushSpans must be a whole number/);
    assert.throws(() => start({ exporters: [] }), /exporters/);
    const exporters = arrayExporter();
    const wrong: readonly (readonly [options: unknown, message: RegExp])[] = [
      [undefined, /startTracing: options must be an object, got undefined/],
      [{ exporter: exporters }, /give a plugin, or exporters; got an object with exporter$/],
      [{ plugin, exporters: [] }, /give a plugin or exporters, not both/],
      [{ plugin: null }, /plugin must be a TracerPlugin, got null; startSpan is missing/],
      [{ plugin: {} }, /plugin must be a TracerPlugin, got an object without keys; startSpan is missing/],
      [{ plugin: exporters }, /startSpan is missing; wrap an exporter with bufferedPlugin/],
      [{ plugin, resource: {} }, /resource does nothing beside a plugin; give it to the plugin/],
      [{ exporters: null }, /each exporter must be an object with a name and an export method, got null/],
      [{ exporters, sampler: 'always_on' }, /sampler must be a Sampler, .* got "always_on"/],
      [{ exporters, resource: { attributes: {} } }, /give { 'service.name': … }, not { attributes/],
      [{ exporters, resource: 'shop' }, /resource must be an object, got "shop"/],
      [{ plugin, onError: 'log' }, /onError must be a function, got "log"/],
      [{ plugin, env: 'x' }, /env must be an object, got "x"/],
      [{ plugin, saveAtProcessEnd: 'no' }, /saveAtProcessEnd must be true or false, got "no"/],
    ];
    for (const [options, message] of wrong) {
      assert.throws(() => startTracing(options as TracingOptions), { name: 'TypeError', message });
    }
  });
});

describe('F51 a plugin or exporter that misbehaves', () => {
  test('a plugin that throws everywhere is kept from the application and reported once a second', async () => {
    const reports: [TracewellError, ErrorReport][] = [];
    const tracing = start({
      plugin: throwingPlugin(),
      onError: (error, report) => reports.push([error, report]),
    });
    const { plugin } = tracing;
    for (let index = 0; index < 100; index++) {
      const span = plugin.startSpan({ name: 'span' });
      assert.equal(span, INVALID_SPAN);
      plugin.setAttribute(span, 'key', 1);
      plugin.endSpan(span);
    }
    assert.equal(reports.length, 1);
    assert.equal(reports[0]![0].code, 'TW_PLUGIN_FAILED');
    assert.match(reports[0]![0].message, /throwing: startSpan threw: this plugin always throws/);
    assert.equal(tracing.stats().errors, 101, 'a hundred starts, and the plugin’s own stats');
    await tracing.shutdown();
  });

  test('each operation of a span that throws is kept in, and the others still work', async () => {
    const errors: string[] = [];
    const inner = new ReferencePlugin({});
    const fails = (): never => {
      throw 'not even an error';
    };
    const plugin: TracerPlugin = Object.assign(inner, { addEvent: fails, updateName: fails });
    await using tracing = start({ plugin, onError: (error) => errors.push(error.message) });
    const span = tracing.plugin.startSpan({ name: 'span' });
    tracing.plugin.addEvent(span, { name: 'event' });
    tracing.plugin.updateName(span, 'renamed');
    tracing.plugin.setAttribute(span, 'key', 1);
    tracing.plugin.endSpan(span);
    await tracing.flush();
    assert.equal(inner.delivered[0]!.name, 'span');
    assert.deepEqual({ ...inner.delivered[0]!.attributes }, { key: 1 });
    assert.match(errors.join('\n'), /addEvent threw: not even an error;.*\n.*updateName threw/);
  });

  test('an exporter that throws, one that hangs, one that rejects with nothing, one that resolves twice', async () => {
    const errors: TracewellError[] = [];
    const healthy = arrayExporter();
    const twice = arrayExporter();
    const tracing = start({
      exporters: [
        {
          name: 'throws',
          export: () => {
            throw new Error('broken');
          },
        },
        { name: 'hangs', export: () => new Promise(() => {}) },
        { name: 'nothing', export: () => Promise.reject(undefined) },
        {
          ...twice,
          name: 'twice',
          export: (batch) => {
            // A thenable that calls back again and again, and then fails.
            const thenable = {
              // biome-ignore lint/suspicious/noThenProperty: a thenable that misbehaves is what this is about.
              then(resolve: () => void, reject: (error: unknown) => void): void {
                void twice.export(batch);
                resolve();
                resolve();
                reject(new Error('too late'));
              },
            };
            return thenable as unknown as Promise<void>;
          },
        },
        healthy,
      ],
      onError: (error) => errors.push(error),
      exportTimeoutMs: 50,
      flushTimeoutMs: 1000,
    });
    for (let index = 0; index < 5; index++) record(tracing.plugin, `span ${index}`);
    await assert.rejects(tracing.flush(), FlushError);
    assert.equal(healthy.spans.length, 5);
    assert.equal(twice.spans.length, 5);
    const { exporters } = tracing.stats().plugin;
    assert.deepEqual(
      exporters.map(({ name, exported }) => [name, exported]),
      [
        ['throws', 0],
        ['hangs', 0],
        ['nothing', 0],
        ['twice', 5],
        ['array', 5],
      ],
    );
    for (const error of errors) assert.ok(error instanceof TracewellError && error.code in ERROR_CODES);
    await tracing.shutdown({ timeoutMs: 200 }).catch(() => {});
  });

  test('a back end that is down is reported by its exporter, and not again by the flush around it', async () => {
    const errors: TracewellError[] = [];
    const exporter = arrayExporter();
    let isDown = true;
    await using tracing = start({
      exporters: {
        ...exporter,
        export: (batch) => (isDown ? Promise.reject(new Error('no route')) : exporter.export(batch)),
      },
      onError: (error) => errors.push(error),
      flushIntervalMs: 5,
      breaker: { failures: 1000 },
    });
    record(tracing.plugin, 'span');
    for (let waited = 0; errors.length === 0 && waited < 400; waited++) await sleep(5);
    // Several flushes later.
    await sleep(100);
    assert.deepEqual(
      errors.map(({ code, message }) => [code, message]),
      [['TW_EXPORT_FAILED', 'array: no route']],
    );
    isDown = false;
    await tracing.flush();
    assert.deepEqual(names(exporter.spans), ['span']);
  });

  test('spans that are dropped because a back end is down are reported all the same', async () => {
    const errors: TracewellError[] = [];
    await using tracing = start({
      exporters: { name: 'down', export: () => Promise.reject(new Error('no route')) },
      onError: (error) => errors.push(error),
      flushIntervalMs: 5,
      retry: { maxElapsedMs: 1 },
    });
    record(tracing.plugin, 'span');
    const dropped = (): number[] =>
      errors.filter((error) => error instanceof FlushError).map((error) => error.dropped);
    for (let waited = 0; dropped().length === 0 && waited < 400; waited++) await sleep(5);
    assert.deepEqual(dropped(), [1]);
  });

  test('a flush that hangs is given up, and the next one is tried', async () => {
    let flushes = 0;
    const plugin = Object.assign(new MinimalPlugin(), {
      flush: (): Promise<void> => {
        flushes += 1;
        return flushes === 1 ? new Promise(() => {}) : Promise.resolve();
      },
    });
    await using tracing = start({ plugin, flushTimeoutMs: 30 });
    await assert.rejects(tracing.flush(), /minimal: flush failed: flush did not settle within 30 ms/);
    await tracing.flush();
    assert.equal(flushes, 2);
  });

  test('an error callback that throws changes nothing', async () => {
    await using tracing = start({
      plugin: throwingPlugin(),
      onError: () => {
        throw new Error('the callback fails too');
      },
    });
    assert.equal(tracing.plugin.startSpan({ name: 'span' }), INVALID_SPAN);
  });
});

describe('replacing the plugin', () => {
  test('live spans finish on the old one, new ones go to the new one, no span is lost', async () => {
    const first = new ReferencePlugin({});
    const second = new ReferencePlugin({});
    await using tracing = start({ plugin: first });
    const { plugin } = tracing;
    const live = plugin.startSpan({ name: 'live' });
    const replaced = tracing.replace(second);
    record(plugin, 'new');
    plugin.setAttribute(live, 'still', 'here');
    assert.equal(first.isShutDown, false);
    assert.equal(tracing.stats().replaced.length, 1);
    plugin.endSpan(live);
    await replaced;
    assert.equal(first.isShutDown, true);
    assert.deepEqual(tracing.stats().replaced, []);
    await tracing.flush();
    assert.deepEqual(names(first.delivered), ['live']);
    assert.deepEqual({ ...first.delivered[0]!.attributes }, { still: 'here' });
    assert.deepEqual(names(second.delivered), ['new']);
  });

  test('a trace goes on across it', async () => {
    const first = new ReferencePlugin({});
    const second = arrayExporter();
    await using tracing = start({ plugin: first });
    const parent = tracing.plugin.startSpan({ name: 'parent' });
    const replaced = tracing.replace(bufferedPlugin(second));
    tracing.plugin.endSpan(tracing.plugin.startSpan({ name: 'child', parent }));
    tracing.plugin.endSpan(parent);
    await replaced;
    await tracing.flush();
    const child = second.spans[0]!;
    assert.equal(child.traceId, first.delivered[0]!.traceId);
    assert.equal(child.parentSpanId, first.delivered[0]!.spanId);
    assert.equal(child.flags & 0x300, 0x100, 'the parent is known not to be remote');
  });

  test('F51 a replaced plugin that cannot say who its spans are costs their children the trace, not more', async () => {
    const errors: TracewellError[] = [];
    const broken = Object.assign(new ReferencePlugin({}), { spanContext: () => assert.fail('broken') });
    const tracing = start({ plugin: broken, onError: (error) => void errors.push(error) });
    const parent = tracing.plugin.startSpan({ name: 'parent' });
    const next = new ReferencePlugin({});
    const replaced = tracing.replace(next);
    tracing.plugin.endSpan(tracing.plugin.startSpan({ name: 'child', parent }));
    tracing.plugin.endSpan(parent);
    await replaced;
    await tracing.flush();
    assert.deepEqual(names(next.delivered), ['child']);
    assert.equal(next.delivered[0]!.parentSpanId, '');
    assert.match(errors[0]!.message, /spanContext threw: broken/);
  });

  test('handles of both never meet, whatever numbers the plugins use', async () => {
    const first = new MinimalPlugin('first');
    const second = new MinimalPlugin('second');
    await using tracing = start({ plugin: first });
    const old = tracing.plugin.startSpan({ name: 'old' });
    const replaced = tracing.replace(second);
    const young = tracing.plugin.startSpan({ name: 'young' });
    assert.notEqual(old, young);
    tracing.plugin.setAttribute(old, 'on', 'first');
    tracing.plugin.setAttribute(young, 'on', 'second');
    tracing.plugin.endSpan(old);
    tracing.plugin.endSpan(old);
    tracing.plugin.endSpan(young);
    await replaced;
    const calls = (plugin: MinimalPlugin): unknown => plugin.calls.filter(([name]) => name !== 'flush');
    for (const plugin of [first, second]) {
      assert.deepEqual(calls(plugin), [
        ['startSpan', plugin === first ? 'old' : 'young'],
        ['setAttribute', 1, 'on', plugin.name],
        ['endSpan', 1],
      ]);
    }
  });

  test('a span that never ends holds the old plugin only until the deadline', async () => {
    const first = new ReferencePlugin({});
    await using tracing = start({ plugin: first });
    tracing.plugin.startSpan({ name: 'forgotten' });
    await tracing.replace(new ReferencePlugin({}), { drainTimeoutMs: 20 });
    assert.deepEqual(names(first.delivered), ['forgotten']);
    assert.equal(first.delivered[0]!.attributes['tracewell.unfinished'], true);
  });

  test('under load, ten times in a row, every span arrives exactly once', async () => {
    const plugins = Array.from({ length: 11 }, () => new ReferencePlugin({}));
    await using tracing = start({ plugin: plugins[0]! });
    let recorded = 0;
    const load = Array.from({ length: 20 }, async (_, worker) => {
      for (let index = 0; index < 50; index++) {
        const span = tracing.plugin.startSpan({ name: `${worker}/${index}` });
        await sleep(Math.random() * 4);
        tracing.plugin.endSpan(span);
        recorded += 1;
      }
    });
    for (const plugin of plugins.slice(1)) {
      await sleep(5);
      void tracing.replace(plugin);
    }
    await Promise.all(load);
    await tracing.flush();
    const delivered = plugins.flatMap((plugin) => names(plugin.delivered));
    assert.equal(delivered.length, recorded);
    assert.equal(new Set(delivered).size, recorded);
  });

  test('what is no plugin replaces none', async () => {
    const tracing = start({ plugin: new MinimalPlugin() });
    const replace = (plugin: unknown): Promise<void> => tracing.replace(plugin as TracerPlugin);
    await assert.rejects(replace(undefined), /replace: plugin must be a TracerPlugin, got undefined/);
    await assert.rejects(replace({}), { name: 'TypeError', message: /startSpan is missing/ });
    assert.notEqual(record(tracing.plugin, 'span'), INVALID_SPAN);
  });

  test('a plugin that is in use cannot replace itself', async () => {
    const plugin = new ReferencePlugin({});
    await using tracing = start({ plugin });
    await assert.rejects(tracing.replace(plugin), /in use already/);
    assert.equal(plugin.isShutDown, false);
  });

  test('the rejection of the old plugin’s shutdown comes out, and the new one works on', async () => {
    const first = new ReferencePlugin({});
    const second = new ReferencePlugin({});
    await using tracing = start({ plugin: first });
    record(tracing.plugin, 'lost');
    first.failing = true;
    await assert.rejects(tracing.replace(second), FlushError);
    record(tracing.plugin, 'new');
    await tracing.flush();
    assert.deepEqual(names(second.delivered), ['new']);
  });
});

describe('shutdown', () => {
  test('delivers everything, open spans marked, and is idempotent', async () => {
    const exporter = arrayExporter();
    const tracing = start({ exporters: exporter });
    record(tracing.plugin, 'ended');
    tracing.plugin.startSpan({ name: 'open' });
    const first = tracing.shutdown();
    assert.equal(tracing.shutdown(), first);
    await first;
    assert.deepEqual(names(exporter.spans).sort(), ['ended', 'open']);
    assert.equal(tracing.plugin.startSpan({ name: 'late' }), INVALID_SPAN);
    await assert.rejects(tracing.replace(new MinimalPlugin()), /the host is shut down/);
  });

  test('F54 with a hanging exporter it returns by its deadline and says who hangs', async () => {
    const healthy = arrayExporter();
    const tracing = start({
      exporters: [{ name: 'hanging', export: () => new Promise(() => {}) }, healthy],
    });
    record(tracing.plugin, 'span');
    const began = performance.now();
    await assert.rejects(tracing.shutdown({ timeoutMs: 100 }), (error) => {
      assert.ok(error instanceof TracewellError);
      assert.equal(error.code, 'TW_SHUTDOWN_TIMEOUT');
      assert.match(error.message, /hanging.* did not finish within 100 ms \(spans not delivered: 1\); allow/);
      return true;
    });
    const took = performance.now() - began;
    assert.ok(took >= 95 && took < 1000, `it took ${took} ms`);
    assert.deepEqual(names(healthy.spans), ['span']);
  });

  test('F54 with a plugin whose shutdown hangs and another that drains, both are waited for until then', async () => {
    const first = Object.assign(new ReferencePlugin({}), { shutdown: () => new Promise<void>(() => {}) });
    const second = new ReferencePlugin({});
    const tracing = start({ plugin: first });
    tracing.plugin.startSpan({ name: 'live' });
    const replaced = tracing.replace(second, { drainTimeoutMs: 60_000 });
    record(tracing.plugin, 'span');
    await assert.rejects(tracing.shutdown({ timeoutMs: 50 }), { code: 'TW_SHUTDOWN_TIMEOUT' });
    assert.deepEqual(names(second.delivered), ['span']);
    void replaced.catch(() => {});
  });

  test('at the end of the process an exporter without exportSync is one error, with its spans and what to do', async () => {
    const errors: TracewellError[] = [];
    const tracing = start({
      exporters: [
        { name: 'slow', export: async () => {} },
        { ...arrayExporter(), exportSync() {} },
      ],
      saveAtProcessEnd: true,
      onError: (error) => void errors.push(error),
    });
    for (let index = 0; index < 3; index++) record(tracing.plugin, 'span');
    // As Node.js does it, but nobody else's listeners are called.
    const [flushAll] = process.listeners('exit');
    flushAll?.call(process, 0);
    assert.equal(errors.length, 1);
    assert.match(
      errors[0]!.message,
      /flush failed: slow: it has no exportSync, so its 3 spans need .*: await shutdown\(\) before/,
    );
    assert.equal(tracing.stats().errors, 1);
    await tracing.shutdown();
  });

  test('rejects with a FlushError when something could not be delivered', async () => {
    const plugin = new ReferencePlugin({});
    const tracing = start({ plugin });
    record(tracing.plugin, 'span');
    plugin.failing = true;
    await assert.rejects(tracing.shutdown(), FlushError);
  });

  test('a buffered plugin given as plugin is shut down as well', async () => {
    const exporter = arrayExporter();
    const tracing = start({ plugin: bufferedPlugin(exporter) });
    record(tracing.plugin, 'span');
    await tracing[Symbol.asyncDispose]();
    assert.deepEqual(names(exporter.spans), ['span']);
  });
});

describe('the listeners on the process', () => {
  const listeners = (): Record<string, number> =>
    Object.fromEntries(
      ['exit', 'beforeExit', 'newListener', 'removeListener', 'SIGTERM', 'SIGINT', 'SIGHUP'].map((event) => [
        event,
        process.listenerCount(event),
      ]),
    );

  test('are there once for any number of hosts, and gone after the last', async () => {
    const before = listeners();
    const plugin = (): MinimalPlugin => new MinimalPlugin();
    const first = startTracing({ plugin: plugin() });
    const one = listeners();
    assert.equal(one.exit, before.exit! + 1);
    assert.equal(one.SIGTERM, 1);
    const second = startTracing({ plugin: plugin() });
    assert.deepEqual(listeners(), one);
    await first.shutdown();
    assert.deepEqual(listeners(), one);
    await second.shutdown();
    assert.deepEqual(listeners(), before);
  });

  test('for signals are there only while nobody else listens', async () => {
    const tracing = startTracing({ plugin: new MinimalPlugin() });
    const others: (() => void)[] = [() => {}, () => {}];
    for (const other of others) process.on('SIGHUP', other);
    await sleep(1);
    assert.deepEqual(process.listeners('SIGHUP'), others);
    for (const other of others) process.off('SIGHUP', other);
    assert.equal(process.listenerCount('SIGHUP'), 1);
    process.on('SIGHUP', others[0]!);
    process.off('SIGHUP', others[0]!);
    await sleep(1);
    assert.equal(process.listenerCount('SIGHUP'), 1, 'added and removed before ours could go');
    await tracing.shutdown();
    assert.equal(process.listenerCount('SIGHUP'), 0);
  });
});
