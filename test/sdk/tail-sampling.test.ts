import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeTraces } from '@tracewell/otlp';
import {
  type BatchExporter,
  INVALID_SPAN,
  type SpanContext,
  type SpanData,
  StatusCode,
  type TracerPlugin,
  type TracewellError,
} from '@tracewell/plugin';
import { testTracerPlugin } from '@tracewell/plugin/conformance';
import { bufferedPlugin, type TailSampling, type TailSamplingOptions, tailSampling } from '@tracewell/sdk';
import fc from 'fast-check';
import { ReferencePlugin } from '../plugin/reference-plugin.ts';
import { ManualTimers } from './support/manual-timers.ts';
import { throwingPlugin } from './support/plugins.ts';

const ERROR = { code: StatusCode.ERROR, message: 'no' };
const MS = 1_000_000n;

interface Setup {
  readonly plugin: TailSampling;
  readonly inner: ReferencePlugin;
  readonly timers: ManualTimers;
  /** Names of what was delivered, in the order of its ends. */
  kept(): Promise<string[]>;
}

function setup(options: TailSamplingOptions = {}): Setup {
  const inner = new ReferencePlugin({});
  const timers = new ManualTimers();
  const plugin = tailSampling(inner, { timers, ...options });
  const kept = async (): Promise<string[]> => {
    await plugin.flush();
    return inner.delivered.map((span) => span.name);
  };
  return { plugin, inner, timers, kept };
}

function record(plugin: TracerPlugin, name: string, parent?: number): number {
  const span = plugin.startSpan(parent === undefined ? { name } : { name, parent });
  plugin.endSpan(span);
  return span;
}

describe('tail sampling', () => {
  test('keeps a trace with an error whole, and drops one without', async () => {
    const { plugin, timers, kept } = setup();
    for (const fails of [true, false]) {
      const root = plugin.startSpan({ name: `root ${fails}` });
      record(plugin, `before ${fails}`, root);
      const child = plugin.startSpan({ name: `child ${fails}`, parent: root });
      if (fails) plugin.setStatus(child, ERROR);
      plugin.endSpan(child);
      record(plugin, `after ${fails}`, root);
      plugin.endSpan(root);
    }
    timers.pass(1000);
    assert.deepEqual(await kept(), ['before true', 'child true', 'after true', 'root true']);
    const { keptTraces, droppedTraces, droppedSpans, heldTraces, heldBytes, started, ended, live } =
      plugin.stats();
    assert.deepEqual(
      { keptTraces, droppedTraces, droppedSpans, heldTraces, heldBytes, started, ended, live },
      {
        keptTraces: 1,
        droppedTraces: 1,
        droppedSpans: 4,
        heldTraces: 0,
        heldBytes: 0,
        started: 8,
        ended: 8,
        live: 0,
      },
    );
  });

  test('an error that is taken back is none', async () => {
    const { plugin, timers, kept } = setup();
    const span = plugin.startSpan({ name: 'span' });
    plugin.setStatus(span, ERROR);
    plugin.setStatus(span, { code: StatusCode.OK });
    plugin.endSpan(span);
    timers.pass(1000);
    assert.deepEqual(await kept(), []);
  });

  test('keeps what is slow, and what has an attribute, and what the predicate wants', async () => {
    const { plugin, timers, kept } = setup({
      keepSlowerThanMs: 100,
      keepAttributes: { tier: ['gold', /^plat/], flagged: true, items: 3 },
      keepIf: ({ spans, durationMs }) => spans.length === 2 && durationMs === 99,
    });
    const at = (
      name: string,
      attributes: Record<string, string | number>,
      ms: bigint,
      children = 0,
    ): void => {
      const root = plugin.startSpan({ name, attributes, startTimeUnixNanos: 0n });
      for (let i = 0; i < children; i++)
        plugin.endSpan(plugin.startSpan({ name: 'child', parent: root, startTimeUnixNanos: MS }), MS);
      plugin.endSpan(root, ms * MS);
    };
    at('slow', {}, 100n);
    at('quick', {}, 99n);
    at('gold', { tier: 'gold' }, 1n);
    at('platinum', { tier: 'platinum' }, 1n);
    at('silver', { tier: 'silver' }, 1n);
    at('flagged', { flagged: '' }, 1n);
    at('three', { items: 3 }, 1n);
    at('four', { items: 4 }, 1n);
    at('asked', {}, 99n, 1);
    timers.pass(1000);
    assert.deepEqual(await kept(), ['slow', 'gold', 'platinum', 'flagged', 'three', 'child', 'asked']);
  });

  test('keeps a share of the rest, the same traces in every process', async () => {
    const setups = [setup({ keepRatio: 0.25 }), setup({ keepRatio: 0.25 }), setup({ keepRatio: 0.5 })];
    for (let index = 0; index < 400; index++) {
      const context = {
        traceId: (BigInt(index + 1) * 0x9e3779b97f4a7c15n).toString(16).padStart(32, '1'),
        spanId: 'b'.repeat(16),
      };
      for (const { plugin } of setups) plugin.endSpan(plugin.startSpan({ name: 'span', context }));
    }
    const [first, second, wider] = await Promise.all(
      setups.map(async ({ timers, kept, inner }) => {
        timers.pass(1000);
        await kept();
        return inner.delivered.map((span) => span.traceId);
      }),
    );
    assert.deepEqual(first, second);
    assert.ok(first!.length > 60 && first!.length < 140, `${first!.length} of 400`);
    assert.ok(first!.every((traceId) => wider!.includes(traceId)));
  });

  test('waits after the end of the local root, and for every one of them', async () => {
    const { plugin, timers, kept } = setup({ decisionWaitMs: 500 });
    const remoteParent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
    const first = plugin.startSpan({ name: 'first request', remoteParent });
    plugin.endSpan(first);
    timers.pass(499);
    const second = plugin.startSpan({ name: 'second request', remoteParent });
    timers.pass(1000);
    assert.equal(plugin.stats().heldTraces, 1, 'the second request of the same trace is open');
    plugin.setStatus(second, ERROR);
    plugin.endSpan(second);
    assert.deepEqual(await kept(), ['first request', 'second request']);
  });

  test('spans that arrive after the decision follow it', async () => {
    for (const fails of [true, false]) {
      const { plugin, timers, kept, inner } = setup({ decisionWaitMs: 100 });
      const root = plugin.startSpan({ name: 'root' });
      const { traceId, spanId } = plugin.spanContext(root)!;
      const open = plugin.startSpan({ name: 'open', parent: root });
      if (fails) plugin.setStatus(root, ERROR);
      plugin.endSpan(root);
      timers.pass(100);
      // The trace is decided: one child is still open, one is its child, one comes by its context.
      plugin.setAttribute(open, 'late', 1);
      record(plugin, 'grandchild', open);
      plugin.endSpan(open);
      const late = plugin.startSpan({ name: 'late', remoteParent: { traceId, spanId, isRemote: false } });
      assert.equal(late !== INVALID_SPAN, fails);
      plugin.setStatus(late, ERROR);
      plugin.endSpan(late);
      assert.deepEqual(await kept(), fails ? ['root', 'grandchild', 'open', 'late'] : []);
      if (!fails) continue;
      const of = (name: string): SpanData => inner.delivered.find((span) => span.name === name)!;
      assert.deepEqual({ ...of('open').attributes }, { late: 1 });
      assert.equal(of('open').parentSpanId, spanId);
      assert.equal(of('grandchild').parentSpanId, of('open').spanId);
      assert.equal(of('late').parentSpanId, spanId);
    }
  });

  test('a child of an open span whose trace was dropped does not begin a trace of its own', async () => {
    const { plugin, timers } = setup({ decisionWaitMs: 0 });
    const root = plugin.startSpan({ name: 'root' });
    const open = plugin.startSpan({ name: 'open', parent: root });
    plugin.endSpan(root);
    timers.pass(0);
    assert.equal(plugin.startSpan({ name: 'child', parent: open }), INVALID_SPAN);
    plugin.endSpan(open);
    assert.equal(plugin.stats().live, 0);
  });

  test('replays exactly what was said: times, kind, scope, links, events, names, statuses', async () => {
    const said = async (plugin: TracerPlugin): Promise<void> => {
      const scope = { name: 'scope', version: '1' };
      const context = (digit: string): SpanContext => ({ traceId: 'c'.repeat(32), spanId: digit.repeat(16) });
      const linked = {
        context: { traceId: 'd'.repeat(32), spanId: 'e'.repeat(16) },
        attributes: { l: [1, 2] },
      };
      const root = plugin.startSpan({
        name: 'root',
        kind: 2,
        scope,
        context: context('1'),
        remoteParent: { traceId: 'c'.repeat(32), spanId: '9'.repeat(16), traceState: 'x=y' },
        attributes: {
          text: 'é',
          list: ['a', 'b'],
          map: { deep: { bytes: new Uint8Array([1, 2]) } },
          big: 2n ** 60n,
        },
        links: [linked],
        startTimeUnixNanos: 1n,
      });
      const child = plugin.startSpan({
        name: 'x',
        context: context('2'),
        parent: root,
        startTimeUnixNanos: 2n,
      });
      plugin.updateName?.(child, 'child');
      plugin.addLink?.(child, linked);
      plugin.addEvent(child, { name: 'event', timeUnixNanos: 3n, attributes: { e: 0.5 } });
      plugin.setAttribute(child, 'over', 1);
      plugin.setAttribute(child, 'over', 2);
      plugin.setStatus(child, ERROR);
      plugin.endSpan(child, 4n);
      plugin.endSpan(root, 5n);
      await plugin.flush();
    };
    const direct = new ReferencePlugin({});
    await said(direct);
    const { plugin, inner } = setup();
    await said(plugin);
    assert.equal(direct.delivered.length, 2);
    assert.deepEqual(inner.delivered, direct.delivered);
  });

  test('keeps no reference to what the caller passed', async () => {
    const { plugin, kept, inner } = setup();
    const list = [1, 2];
    const map = { inner: { list } };
    const span = plugin.startSpan({ name: 'span', attributes: { map } });
    plugin.setAttribute(span, 'list', list);
    plugin.addEvent(span, { name: 'event', attributes: map as never });
    list.push(3);
    plugin.setStatus(span, ERROR);
    plugin.endSpan(span);
    await kept();
    const { attributes, events } = inner.delivered[0]!;
    assert.deepEqual(JSON.parse(JSON.stringify([attributes, events[0]!.attributes])), [
      { map: { inner: { list: [1, 2] } }, list: [1, 2] },
      { inner: { list: [1, 2] } },
    ]);
  });

  test('beyond its bounds it decides about the oldest trace early, and counts that', async () => {
    const { plugin, kept, timers } = setup({ heldMaxTraces: 10 });
    const first = plugin.startSpan({ name: 'first' });
    plugin.setStatus(first, ERROR);
    for (let index = 0; index < 9; index++) plugin.startSpan({ name: `open ${index}` });
    assert.equal(plugin.stats().decidedEarly, 0);
    plugin.startSpan({ name: 'one more' });
    assert.equal(plugin.stats().decidedEarly, 1);
    assert.equal(plugin.stats().heldTraces, 10);
    // It stands as failed already, so it was kept, and goes on.
    plugin.setAttribute(first, 'after', 1);
    plugin.endSpan(first);
    assert.deepEqual(await kept(), ['first']);
    timers.pass(1000);
  });

  test('traces are decided once each, in whatever order that is', async () => {
    const { plugin } = setup({ heldMaxTraces: 4 });
    const spans = Array.from({ length: 4 }, (_, index) => plugin.startSpan({ name: String(index) }));
    for (const index of [2, 1]) {
      plugin.setStatus(spans[index]!, ERROR);
      plugin.endSpan(spans[index]!);
    }
    await plugin.shutdown();
    const { keptTraces, droppedTraces, heldTraces } = plugin.stats();
    assert.deepEqual([keptTraces, droppedTraces, heldTraces], [2, 2, 0]);
  });

  test('its memory is bounded whatever one span says', () => {
    const { plugin } = setup({ heldMaxBytes: 100_000 });
    const span = plugin.startSpan({ name: 'span' });
    for (let index = 0; index < 1000; index++) {
      plugin.setAttribute(span, `key ${index}`, 'x'.repeat(1000));
      assert.ok(plugin.stats().heldBytes <= 100_000);
    }
    assert.equal(plugin.stats().decidedEarly, 1);
    const other = plugin.startSpan({ name: 'overwritten' });
    for (let index = 0; index < 1000; index++) plugin.setAttribute(other, 'key', 'x'.repeat(1000));
    assert.equal(plugin.stats().decidedEarly, 1, 'an overwritten value takes no more than one');
    plugin.endSpan(other);
    plugin.endSpan(span);
  });

  test('decisions are remembered up to their bound, the latest used ones', async () => {
    const { plugin, timers } = setup({ decisionsMax: 2, decisionWaitMs: 0 });
    const remote = (digit: string): SpanContext => ({ traceId: digit.repeat(32), spanId: digit.repeat(16) });
    for (const digit of ['1', '2'])
      plugin.endSpan(plugin.startSpan({ name: digit, remoteParent: remote(digit) }));
    const again = (digit: string): boolean =>
      plugin.startSpan({ name: 'again', remoteParent: remote(digit) }) !== INVALID_SPAN;
    assert.equal(again('1'), false);
    plugin.endSpan(plugin.startSpan({ name: '3', remoteParent: remote('3') }));
    assert.equal(again('1'), false, 'it was used later than 2');
    assert.equal(again('2'), true, 'it is forgotten, and held anew');
    timers.pass(0);
  });

  test('flushSync and shutdown decide about what is open', async () => {
    for (const end of ['flushSync', 'shutdown'] as const) {
      const { plugin, inner } = setup();
      const root = plugin.startSpan({ name: 'root' });
      const failed = plugin.startSpan({ name: 'failed', parent: root });
      plugin.setStatus(failed, ERROR);
      plugin.startSpan({ name: 'another trace' });
      await plugin[end]();
      assert.deepEqual(inner.delivered.map((span) => span.name).sort(), ['failed', 'root']);
      assert.ok(inner.delivered.every((span) => span.attributes['tracewell.unfinished'] === true));
    }
  });

  test('F51 a predicate that throws keeps the trace and is reported; a plugin that throws loses only itself', async () => {
    const errors: TracewellError[] = [];
    const inner = new ReferencePlugin({});
    const plugin = tailSampling([throwingPlugin(), inner], {
      decisionWaitMs: 0,
      keepIf: () => {
        throw new Error('oops');
      },
      onError: (error) => errors.push(error),
    });
    const root = plugin.startSpan({ name: 'root' });
    record(plugin, 'child', root);
    plugin.endSpan(root);
    await plugin.flush();
    assert.deepEqual(
      inner.delivered.map((span) => span.name),
      ['child', 'root'],
    );
    assert.match(errors[0]!.message, /keepIf threw: oops; the trace is kept/);
    assert.match(errors[1]!.message, /throwing: startSpan threw/);
  });

  test('a predicate that records spans does not have those judged, and the books stay right', async () => {
    const { plugin, kept } = setup({
      heldMaxTraces: 10,
      keepIf() {
        record(plugin, 'inside');
        plugin.setStatus(open, ERROR);
        return false;
      },
    });
    const open = plugin.startSpan({ name: 'open' });
    for (let trace = 0; trace < 100; trace++) record(plugin, `trace ${trace}`);
    plugin.endSpan(open);
    await plugin.shutdown();
    // It failed only while `keepIf` decided against it.
    assert.deepEqual(await kept(), []);
    const { started, buffered, heldBytes, heldTraces, keptTraces, droppedTraces } = plugin.stats();
    assert.deepEqual([started, buffered, heldBytes, heldTraces], [101, 0, 0, 0]);
    assert.deepEqual([keptTraces, droppedTraces], [0, 101]);
  });

  test('a predicate that ends spans, of its trace or another, or flushes is asked once about each trace', async () => {
    const asked: string[] = [];
    const { plugin, kept } = setup({
      decisionWaitMs: 0,
      heldMaxBytes: 20_000,
      keepIf({ spans }) {
        asked.push(spans[0]!.name);
        plugin.setAttribute(background, 'large', 'x'.repeat(20_000));
        plugin.endSpan(background);
        plugin.endSpan(other);
        record(plugin, 'inside');
        plugin.flushSync();
        return spans[0]!.name === 'root';
      },
    });
    const root = plugin.startSpan({ name: 'root' });
    const background = plugin.startSpan({ name: 'background', parent: root });
    const other = plugin.startSpan({ name: 'other' });
    plugin.endSpan(root);
    assert.deepEqual(asked, ['root', 'other']);
    assert.deepEqual(await kept(), ['root', 'background']);
    const { started, ended, live, buffered, heldBytes, heldTraces } = plugin.stats();
    assert.deepEqual([started, ended, live, buffered, heldBytes, heldTraces], [3, 3, 0, 0, 0, 0]);
    const { keptTraces, droppedTraces, droppedSpans } = plugin.stats();
    assert.deepEqual([keptTraces, droppedTraces, droppedSpans], [1, 1, 1]);
  });

  test('wrong options throw at once', () => {
    const inner = new ReferencePlugin({});
    assert.throws(() => tailSampling([]), /plugins is empty/);
    assert.throws(() => tailSampling(inner, { keepRatio: 2 }), /keepRatio/);
    assert.throws(() => tailSampling(inner, { keepSlowerThanMs: -1 }), /keepSlowerThanMs/);
    assert.throws(() => tailSampling(inner, { keepIf: 1 as never }), /keepIf/);
    assert.throws(() => tailSampling(inner, { heldMaxTraces: 0 }), /heldMaxTraces/);
    assert.throws(() => tailSampling(undefined as never), /plugins must be a TracerPlugin, got undefined/);
    const wrong: readonly (readonly [options: unknown, message: RegExp])[] = [
      [null, /tailSampling: options must be an object, got null/],
      [{ keepErrors: 'yes' }, /keepErrors must be true or false, got "yes"/],
      [{ keepSlowerThanMs: '500' }, /keepSlowerThanMs must be a number .* got "500"/],
      [{ keepRatio: '0.5' }, /keepRatio must be a number from 0 to 1, got "0.5"/],
      [{ keepAttributes: ['user.id'] }, /keepAttributes must be an object, got an array/],
      [{ onError: 1 }, /onError must be a function, got 1/],
      [{ clock: {} }, /clock must be an object with monotonicMs, wallMs, .*; monotonicMs is no method/],
      [{ timers: { now: () => 0 } }, /timers must be an object with now, after, .*; after is no method/],
    ];
    for (const [options, message] of wrong) {
      assert.throws(() => tailSampling(inner, options as never), { message });
    }
  });

  test('any interleaving of any traces: a trace is kept whole or not at all, as its spans deserve', async () => {
    const step = fc.record({
      what: fc.constantFrom('root', 'child', 'end', 'fail', 'wait'),
      which: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 80 }),
        fc.integer({ min: 1, max: 6 }),
        async (steps, bound) => {
          const { plugin, inner, timers } = setup({ decisionWaitMs: 10, heldMaxTraces: bound });
          interface Live {
            readonly handle: number;
            readonly trace: { readonly id: number; spans: number };
          }
          const live: Live[] = [];
          const traces: { readonly id: number; spans: number; fails: boolean }[] = [];
          for (const { what, which } of steps) {
            const some = live[which % Math.max(1, live.length)];
            if (what === 'wait') timers.pass(which % 15);
            else if (what === 'root') {
              const trace = { id: traces.length, spans: 1, fails: false };
              traces.push(trace);
              live.push({ trace, handle: plugin.startSpan({ name: String(trace.id) }) });
            } else if (some === undefined) continue;
            else if (what === 'child') {
              const handle = plugin.startSpan({ name: String(some.trace.id), parent: some.handle });
              some.trace.spans += 1;
              live.push({ trace: some.trace, handle });
            } else if (what === 'fail') plugin.setStatus(some.handle, ERROR);
            else {
              plugin.endSpan(some.handle);
              live.splice(live.indexOf(some), 1);
            }
          }
          for (const { handle } of live) plugin.endSpan(handle);
          timers.pass(1000);
          await plugin.flush();
          const delivered = Map.groupBy(inner.delivered, (span) => span.name);
          for (const [name, spans] of delivered) {
            assert.equal(spans.length, traces[Number(name)]!.spans, `trace ${name} is whole`);
            assert.equal(new Set(spans.map((span) => span.traceId)).size, 1);
            const ids = new Set(spans.map((span) => span.spanId));
            for (const { parentSpanId } of spans) assert.ok(parentSpanId === '' || ids.has(parentSpanId));
          }
          const {
            heldTraces,
            heldBytes,
            live: open,
            started,
            ended,
            unsampled,
            droppedSpans,
          } = plugin.stats();
          assert.deepEqual({ heldTraces, heldBytes, open }, { heldTraces: 0, heldBytes: 0, open: 0 });
          assert.equal(started - droppedSpans, inner.delivered.length);
          assert.equal(ended, started);
          assert.equal(plugin.stats().keptTraces, delivered.size);
          assert.equal(
            started + unsampled,
            traces.reduce((sum, trace) => sum + trace.spans, 0),
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});

testTracerPlugin('tail sampling that holds every trace back', {
  reuses: 20_000,
  create() {
    const spans: SpanData[] = [];
    const exporter: BatchExporter = {
      name: 'array',
      export: async ({ bytes }) => void spans.push(...decodeTraces(bytes)),
      exportSync: ({ bytes }) => void spans.push(...decodeTraces(bytes)),
    };
    const plugin = tailSampling(bufferedPlugin(exporter), { keepIf: () => true, decisionWaitMs: 0 });
    return { plugin, spans: () => [...spans], dispose: () => plugin.shutdown() };
  },
});
