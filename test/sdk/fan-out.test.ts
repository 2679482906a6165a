import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { decodeTraces } from '@tracewell/otlp';
import {
  type BatchExporter,
  ExportError,
  FlushError,
  INVALID_SPAN,
  type SpanBatch,
  type SpanData,
  type TracerPlugin,
  type TracewellError,
} from '@tracewell/plugin';
import { type BufferedPluginOptions, bufferedPlugin, fanOut, traceIdRatio } from '@tracewell/sdk';
import fc from 'fast-check';
import { HandleTable } from '../../packages/sdk/src/fan-out/handle-table.ts';
import { ReferencePlugin } from '../plugin/reference-plugin.ts';
import { MinimalPlugin, throwingPlugin } from './support/plugins.ts';

const references = (count: number): ReferencePlugin[] =>
  Array.from({ length: count }, () => new ReferencePlugin({}));

// Timers of the SDK keep no process alive, and neither does the test runner of Node 22.
const alive = setInterval(() => {}, 1000);
after(() => clearInterval(alive));

describe('fan-out', () => {
  test('every branch records the same spans under the same identity', async () => {
    const branches = references(3);
    const plugin = fanOut(branches);
    const root = plugin.startSpan({ name: 'root' });
    const child = plugin.startSpan({ name: 'child', parent: root, attributes: { a: 1 } });
    plugin.addEvent(child, { name: 'event', timeUnixNanos: 5n });
    plugin.setStatus(child, { code: 2, message: 'no' });
    plugin.updateName(child, 'renamed');
    const context = plugin.spanContext(child);
    plugin.endSpan(child, 7n);
    plugin.endSpan(root, 8n);
    await plugin.flush();
    const [first, ...others] = branches.map(({ delivered }) =>
      delivered.map((span) => ({ ...span, startTimeUnixNanos: 0n })),
    );
    assert.equal(first?.length, 2);
    assert.equal(first[0]!.name, 'renamed');
    assert.equal(first[0]!.spanId, context?.spanId);
    assert.equal(first[0]!.parentSpanId, first[1]!.spanId);
    for (const other of others) assert.deepEqual(other, first);
  });

  test('a given context is passed on, a remote parent continued, a dead parent makes a root', () => {
    const minimal = new MinimalPlugin();
    const plugin = fanOut(minimal);
    const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
    const given = plugin.startSpan({ name: 'given', context });
    assert.equal(plugin.spanContext(given)?.traceId, context.traceId);
    assert.equal(plugin.spanContext(given)?.spanId, context.spanId);
    const remoteParent = { ...context, traceFlags: 3, traceState: 'v=1' };
    const remote = plugin.startSpan({ name: 'remote', remoteParent });
    assert.deepEqual(
      { ...plugin.spanContext(remote), spanId: '' },
      { traceId: context.traceId, spanId: '', traceFlags: 3, traceState: 'v=1' },
    );
    plugin.endSpan(given);
    const orphan = plugin.startSpan({ name: 'orphan', parent: given, remoteParent });
    assert.notEqual(plugin.spanContext(orphan)?.traceId, context.traceId);
    assert.equal(minimal.starts.at(-1)?.parent, undefined);
    assert.equal(minimal.starts.at(-1)?.remoteParent, undefined);
  });

  test('is INVALID_SPAN only when no branch samples; each branch goes its own way', async () => {
    const all = new ReferencePlugin({});
    const none = new ReferencePlugin({ sampled: false });
    const both = fanOut([none, all]);
    const root = both.startSpan({ name: 'root' });
    assert.notEqual(root, INVALID_SPAN);
    both.endSpan(both.startSpan({ name: 'child', parent: root }));
    both.endSpan(root);
    await both.flush();
    assert.deepEqual(
      all.delivered.map((span) => span.name),
      ['child', 'root'],
    );
    assert.equal(none.counts.started, 0);
    assert.equal(fanOut([none, none]).startSpan({ name: 'nobody' }), INVALID_SPAN);
    assert.equal(both.stats().unsampled, 0);
  });

  test('branches that sample by ratio choose the same traces, as they would alone', async () => {
    const seen: Set<string>[] = [new Set(), new Set()];
    const branch = (index: number): TracerPlugin =>
      bufferedPlugin({ name: `half ${index}`, export: async () => {} }, { sampler: traceIdRatio(0.5) });
    const branches = [branch(0), branch(1)];
    const plugin = fanOut(branches);
    for (let index = 0; index < 200; index++) {
      const span = plugin.startSpan({ name: 'span' });
      const context = plugin.spanContext(span);
      if (context !== undefined) for (const set of seen) set.add(context.traceId);
      plugin.endSpan(span);
    }
    const started = plugin.stats().children.map((child) => child.started);
    assert.equal(started[0], started[1]);
    assert.equal(started[0], seen[0]!.size);
    assert.ok(started[0]! > 60 && started[0]! < 140, `${started[0]} of 200`);
    await plugin.shutdown();
  });

  test('F51 what one branch does wrong stays with it, is counted and reported', async () => {
    const healthy = new ReferencePlugin({});
    const errors: TracewellError[] = [];
    const scribbler = Object.assign(new MinimalPlugin('scribbler'), {
      startSpan(start: { name: string; context?: { traceId: string } }): number {
        start.name = 'scribbled';
        if (start.context) start.context.traceId = 'nonsense';
        return Number.NaN;
      },
    });
    const plugin = fanOut([throwingPlugin(), scribbler, healthy], { onError: (error) => errors.push(error) });
    for (let index = 0; index < 10; index++) plugin.endSpan(plugin.startSpan({ name: 'span' }));
    await plugin.flush();
    assert.deepEqual(new Set(healthy.delivered.map((span) => span.name)), new Set(['span']));
    assert.equal(healthy.delivered.length, 10);
    assert.equal(plugin.stats().failures, 20);
    assert.deepEqual(
      errors.slice(0, 2).map(({ code, message }) => [code, message.slice(0, 40)]),
      [
        ['TW_PLUGIN_FAILED', 'throwing: startSpan threw: this plugin a'],
        ['TW_PLUGIN_FAILED', 'scribbler: startSpan threw: startSpan re'],
      ],
    );
  });

  test('F51 flush waits for the others, gives up one that hangs, and sums up what failed', async () => {
    const [healthy, failing] = references(2) as [ReferencePlugin, ReferencePlugin];
    const hanging = Object.assign(new MinimalPlugin('hanging'), { flush: () => new Promise<void>(() => {}) });
    const odd = Object.assign(new MinimalPlugin('odd'), { flush: () => Promise.reject('no error at all') });
    const rude = Object.assign(new MinimalPlugin('rude'), {
      flush: (): Promise<void> => {
        throw new Error('thrown, not rejected');
      },
    });
    const plugin = fanOut([hanging, failing, odd, rude, healthy], { flushTimeoutMs: 20 });
    plugin.endSpan(plugin.startSpan({ name: 'span' }));
    failing.failing = true;
    await assert.rejects(plugin.flush(), (error) => {
      assert.ok(error instanceof FlushError);
      assert.equal(error.plugin, 'fan-out');
      assert.equal(error.retained, 1);
      assert.ok(error.cause instanceof AggregateError);
      assert.deepEqual(
        error.cause.errors.map((each: FlushError) => each.plugin),
        ['hanging', 'reference', 'odd', 'rude'],
      );
      assert.match(error.message, /4 of 5 plugins failed/);
      assert.match(error.message, /no error at all/);
      return true;
    });
    assert.equal(healthy.delivered.length, 1);
  });

  test('what is known of a plugin that hangs in a flush or a shutdown is in the error', async () => {
    const hanging: BatchExporter = { name: 'hanging', export: () => new Promise(() => {}) };
    const odd = Object.assign(new MinimalPlugin('odd'), {
      flush: () => Promise.reject(new Error('odd')),
      stats: () => ({}) as never,
    });
    const buffered = bufferedPlugin([hanging, taker('quick')], { batchMaxSpans: 10, queueMaxBytes: 6000 });
    const plugin = fanOut([buffered, odd], { flushTimeoutMs: 50 });
    const counts = async (flushing: Promise<void>): Promise<string[]> => {
      const error = await flushing.then(
        () => assert.fail('it was delivered'),
        (reason: FlushError) => reason,
      );
      const { errors } = error.cause as AggregateError;
      return errors.map((each: FlushError) => `${each.plugin} ${each.retained} ${each.dropped}`);
    };
    const record = (spans: number): void => {
      for (let span = 0; span < spans; span++) plugin.endSpan(plugin.startSpan({ name: 'span' }));
    };
    record(7);
    assert.deepEqual(await counts(plugin.flush()), ['hanging+quick 7 0', 'odd 0 0']);
    record(200);
    const [slow, quick] = buffered.stats().exporters;
    const retained = slow!.retained;
    const dropped = slow!.dropped + quick!.dropped;
    assert.ok(retained > 7 && dropped > 0, `${retained} retained, ${dropped} dropped`);
    assert.deepEqual(await counts(plugin.flush()), [`hanging+quick ${retained} ${dropped}`, 'odd 0 0']);
    assert.deepEqual(await counts(plugin.shutdown()), [`hanging+quick ${retained} 0`, 'odd 0 0']);
  });

  test('flushSync and shutdown reach every branch, whatever the others do', async () => {
    const [failing, healthy] = references(2) as [ReferencePlugin, ReferencePlugin];
    failing.failing = true;
    const plugin = fanOut([failing, new MinimalPlugin(), healthy]);
    plugin.startSpan({ name: 'open' });
    assert.throws(() => plugin.flushSync(), FlushError);
    assert.equal(healthy.delivered.length, 1);
    await assert.rejects(plugin.shutdown(), FlushError);
    assert.equal(healthy.isShutDown, true);
    assert.equal(plugin.startSpan({ name: 'late' }), INVALID_SPAN);
    assert.equal(plugin.shutdown(), plugin.shutdown());
  });

  test('spans beyond the bound are refused and counted', () => {
    const plugin = fanOut(references(2), { liveMaxSpans: 3 });
    const spans = Array.from({ length: 5 }, () => plugin.startSpan({ name: 'span' }));
    assert.deepEqual(spans.slice(3), [INVALID_SPAN, INVALID_SPAN]);
    assert.equal(plugin.stats().refused, 2);
    plugin.endSpan(spans[0]!);
    assert.notEqual(plugin.startSpan({ name: 'room again' }), INVALID_SPAN);
  });

  test('a branch that records spans of its own while it is called does not confuse the handles', async () => {
    const inner = new ReferencePlugin({});
    let depth = 0;
    const recursive = Object.assign(new MinimalPlugin('recursive'), {
      startSpan(): number {
        if (depth++ < 200) plugin.endSpan(plugin.startSpan({ name: 'inner' }));
        return 1;
      },
    });
    const plugin = fanOut([recursive, inner]);
    const outer = plugin.startSpan({ name: 'outer' });
    plugin.setAttribute(outer, 'is', 'outer');
    plugin.endSpan(outer);
    await plugin.flush();
    assert.equal(inner.delivered.length, 201);
    const marked = inner.delivered.filter((span) => span.attributes.is === 'outer');
    assert.deepEqual(
      marked.map((span) => span.name),
      ['outer'],
    );
  });

  test('F55 a start that throws while it is read leaves nothing open, in no branch', () => {
    const branches = references(2);
    const plugin = fanOut(branches);
    let reads = 0;
    const throwing = Object.defineProperty({ name: 'span' }, 'attributes', {
      get: () => (reads++ === 0 ? {} : assert.fail('read again')),
    });
    const never = Object.defineProperty({ name: 'span' }, 'attributes', { get: () => assert.fail('read') });
    const span = plugin.startSpan(throwing);
    plugin.endSpan(span);
    assert.equal(plugin.startSpan(never), INVALID_SPAN);
    assert.deepEqual([plugin.stats().live, plugin.stats().refused], [0, 1]);
    assert.deepEqual(
      branches.map(({ open, ended }) => [open.size, ended.length]),
      [
        [0, 1],
        [0, 1],
      ],
    );
  });

  test('wrong options throw at once', () => {
    assert.throws(() => fanOut([]), /plugins is empty/);
    assert.throws(() => fanOut([new MinimalPlugin()], { liveMaxSpans: 2 ** 21 }), /liveMaxSpans must be/);
    assert.throws(() => fanOut([new MinimalPlugin()], { flushTimeoutMs: Number.NaN }), /flushTimeoutMs/);
    const wrong: readonly (readonly [plugins: unknown, options: unknown, message: RegExp])[] = [
      [undefined, {}, /fanOut: plugins must be a TracerPlugin, got undefined; startSpan is missing/],
      [[new MinimalPlugin(), {}], {}, /plugins\[1\] must be a TracerPlugin, got an object without keys/],
      [[taker('memory')], {}, /plugins\[0\] .* startSpan is missing; wrap an exporter with bufferedPlugin/],
      [[[new MinimalPlugin()]], {}, /plugins\[0\] .* got an array; .* put fanOut around several/],
      [[new MinimalPlugin('')], {}, /plugins\[0\] .* name is missing/],
      [[new MinimalPlugin()], null, /options must be an object, got null/],
      [[new MinimalPlugin()], { name: 7 }, /name must be a non-empty string, got 7/],
      [[new MinimalPlugin()], { onError: {} }, /onError must be a function, got an object without keys/],
    ];
    for (const [plugins, options, message] of wrong) {
      assert.throws(() => fanOut(plugins as never, options as never), { name: 'TypeError', message });
    }
  });
});

interface Taker extends BatchExporter {
  readonly batches: SpanBatch[];
  spans(): SpanData[];
}

function taker(name: string): Taker {
  const batches: SpanBatch[] = [];
  return {
    name,
    batches,
    spans: () => batches.flatMap(({ bytes }) => decodeTraces(bytes)),
    export: async (batch) => void batches.push(batch),
    exportSync: (batch) => void batches.push(batch),
  };
}

const names = (exporter: Taker): string[] => exporter.spans().map((span) => span.name);

describe('buffered plugins behind a fan-out', () => {
  test('share one encoding if they record alike, and only then', async () => {
    const shared = async (first: BufferedPluginOptions, second: BufferedPluginOptions): Promise<boolean> => {
      const [a, b] = [taker('a'), taker('b')];
      const plugin = fanOut([bufferedPlugin(a, first), bufferedPlugin(b, second)]);
      plugin.endSpan(plugin.startSpan({ name: 'span' }));
      await plugin.shutdown();
      assert.deepEqual([names(a), names(b)], [['span'], ['span']]);
      return a.batches[0]!.bytes === b.batches[0]!.bytes;
    };
    assert.equal(await shared({}, {}), true);
    assert.equal(await shared({ name: 'x' }, { queueMaxBytes: 1_000_000, onError: () => {} }), true);
    const sampler = traceIdRatio(1);
    assert.equal(await shared({ sampler }, { sampler }), true);
    assert.equal(await shared({ sampler }, { sampler: traceIdRatio(1) }), false);
    assert.equal(await shared({}, { limits: { eventCountLimit: 1 } }), false);
    assert.equal(await shared({}, { resource: { attributes: { 'service.name': 'other' } } }), false);
    assert.equal(await shared({}, { batchMaxSpans: 100 }), false);
  });

  test('show nothing of it: spans, statistics and errors are those of plugins on their own', async () => {
    const observed = async (alike: boolean): Promise<unknown> => {
      const exporters = [taker('a'), taker('b'), taker('c')];
      exporters[1] = {
        ...exporters[1]!,
        export: async () => {
          throw new ExportError('no', { retryable: false });
        },
      };
      const plugins = exporters.map((exporter, index) =>
        bufferedPlugin(exporter, alike ? {} : { liveMaxAgeMs: 1_000_000 + index }),
      );
      const plugin = fanOut(plugins);
      const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
      const root = plugin.startSpan({ name: 'root', context: ids, startTimeUnixNanos: 1n });
      const child = { traceId: ids.traceId, spanId: 'c'.repeat(16) };
      const span = plugin.startSpan({ name: 'child', parent: root, context: child, startTimeUnixNanos: 2n });
      plugin.setAttribute(span, 'key', 'value');
      plugin.endSpan(span, 3n);
      const before = plugin.stats();
      const error = await plugin.flush().then(
        () => undefined,
        (reason: FlushError) => [reason.plugin, reason.retained, reason.dropped, reason.message],
      );
      plugin.endSpan(root, 4n);
      await plugin.shutdown().catch(() => {});
      const plain = (value: unknown): unknown =>
        JSON.parse(
          JSON.stringify(value, (_, part) =>
            typeof part === 'bigint' ? String(part) : part instanceof Error ? part.message : part,
          ),
        );
      return plain([before, error, plugin.stats(), exporters.map((exporter) => exporter.spans())]);
    };
    assert.deepEqual(await observed(true), await observed(false));
  });

  test('one that is used, flushed or shut down on its own does so for itself', async () => {
    const [a, b] = [taker('a'), taker('b')];
    const first = bufferedPlugin(a);
    const second = bufferedPlugin(b);
    const plugin = fanOut([first, second]);
    first.endSpan(first.startSpan({ name: 'of the first alone' }));
    plugin.endSpan(plugin.startSpan({ name: 'of both' }));
    await first.flush();
    assert.deepEqual(names(a).sort(), ['of both', 'of the first alone']);
    assert.deepEqual([first.stats().started, second.stats().started], [2, 1]);
    await first.shutdown();
    plugin.endSpan(plugin.startSpan({ name: 'later' }));
    plugin.startSpan({ name: 'open' });
    await plugin.shutdown();
    assert.deepEqual(names(b).sort(), ['later', 'of both', 'open']);
    assert.equal(b.spans().filter((span) => span.attributes['tracewell.unfinished'] === true).length, 1);
    assert.equal(names(a).length, 2);
    assert.equal(first.stats().exporters[0]?.dropped, 0, 'it is given nothing any more');
  });

  test('deliver at exit, each what is open too, and the same plugin twice is not one', async () => {
    const [a, b] = [taker('a'), taker('b')];
    const plugin = fanOut([bufferedPlugin(a), bufferedPlugin(b)]);
    plugin.startSpan({ name: 'open' });
    plugin.flushSync();
    assert.deepEqual([names(a), names(b)], [['open'], ['open']]);
    const c = taker('c');
    const once = bufferedPlugin(c);
    const twice = fanOut([once, once]);
    twice.endSpan(twice.startSpan({ name: 'span' }));
    await twice.flush();
    assert.deepEqual(names(c), ['span', 'span']);
  });
});

describe('the table of handles', () => {
  test('finds live handles and nothing else, as a map would', () => {
    const handle = fc.oneof(
      fc.nat(400),
      fc.constantFrom(0, -1, 0.5, Number.NaN, Infinity, 2 ** 20, 2 ** 53, 1n, '1', null, undefined, {}),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 }), fc.array(handle, { maxLength: 400 }), (limit, steps) => {
        let capacity = 0;
        const table = new HandleTable(limit, (slots) => {
          capacity = slots;
        });
        const live = new Map<number, number>();
        const issued: number[] = [];
        for (const step of steps) {
          if (typeof step === 'number' && step % 3 === 0) {
            const acquired = table.acquire();
            assert.equal(acquired === 0, live.size === limit);
            if (acquired === 0) continue;
            assert.ok(!issued.includes(acquired), 'a handle is never issued twice');
            const slot = table.slotOf(acquired);
            assert.ok(slot >= 0 && slot < capacity);
            assert.ok(![...live.values()].includes(slot), 'no two live spans share a slot');
            live.set(acquired, slot);
            issued.push(acquired);
          } else {
            const handle = (
              typeof step === 'number' ? (issued[step % issued.length] ?? step) : step
            ) as number;
            assert.equal(table.slotOf(handle), live.get(handle) ?? -1);
            table.release(handle);
            live.delete(handle);
          }
          assert.equal(table.size, live.size);
        }
      }),
      { numRuns: 300 },
    );
  });
});
