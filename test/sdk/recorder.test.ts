import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type AttributeValue,
  Double,
  INVALID_SPAN,
  type InstrumentationScope,
  type SpanData,
  type SpanHandle,
  StatusCode,
} from '@tracewell/plugin';
import { peerDecode } from '../otlp/protobufjs.ts';
import { ManualClock, recording } from './support/recording.ts';

/** Collects garbage although the process was not started with `--expose-gc`. */
const collectGarbage = ((): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
})();

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const MEBIBYTE = 1_048_576;

describe('ids', () => {
  it('come from the random source in blocks, and are never all zero', async () => {
    let calls = 0;
    // Mostly zeros, so that ids of nothing but zeros would come out again and again.
    const random = (bytes: Uint8Array): void => {
      calls++;
      bytes.fill(0);
      for (let at = 7; at < bytes.length; at += 40) bytes[at] = calls;
    };
    const { plugin, spans } = recording({ random });
    for (let index = 0; index < 500; index++) plugin.endSpan(plugin.startSpan({ name: 'span' }));
    for (const { traceId, spanId } of await spans()) {
      assert.match(traceId, /[1-9a-f]/);
      assert.match(spanId, /[1-9a-f]/);
    }
    assert.ok(calls < 20, `${calls} calls`);
  });

  it('of a remote parent or a context that are invalid are replaced', async () => {
    const { plugin, spans } = recording();
    const invalid = [
      { traceId: '0'.repeat(32), spanId: SPAN_ID },
      { traceId: TRACE_ID, spanId: '0'.repeat(16) },
      { traceId: TRACE_ID.slice(1), spanId: SPAN_ID },
      { traceId: TRACE_ID.replace('0', 'g'), spanId: SPAN_ID },
      { traceId: TRACE_ID.replace('0', '０'), spanId: SPAN_ID },
      { traceId: 1, spanId: null } as never,
    ];
    for (const context of invalid) {
      plugin.endSpan(plugin.startSpan({ name: 'child', remoteParent: context }));
      plugin.endSpan(plugin.startSpan({ name: 'given', context }));
    }
    for (const span of await spans()) {
      assert.notEqual(span.traceId, TRACE_ID);
      assert.match(span.traceId, /^[0-9a-f]{32}$/);
      assert.equal(span.parentSpanId, '');
    }
  });
});

describe('flags and trace state', () => {
  it('tell where the parent is', async () => {
    const { plugin, spans } = recording();
    const remoteParent = { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 3, traceState: 'a=1,b=2' };
    const server = plugin.startSpan({ name: 'server', remoteParent });
    const inner = plugin.startSpan({ name: 'inner', parent: server });
    const root = plugin.startSpan({ name: 'root' });
    const late = plugin.startSpan({ name: 'late', remoteParent: { ...remoteParent, isRemote: false } });
    assert.deepEqual(plugin.spanContext(inner)!.traceState, 'a=1,b=2');
    for (const span of [late, root, inner, server]) plugin.endSpan(span);
    const byName = Object.fromEntries((await spans()).map((span) => [span.name, span]));
    assert.deepEqual(
      ['server', 'inner', 'root', 'late'].map((name) => [byName[name]!.flags, byName[name]!.traceState]),
      [
        [0x303, 'a=1,b=2'],
        [0x103, 'a=1,b=2'],
        [0x101, ''],
        [0x103, 'a=1,b=2'],
      ],
    );
  });

  it('are inherited also when the trace state is large', async () => {
    const { plugin, spans } = recording();
    const traceState = `a=${'x'.repeat(4000)}`;
    const parent = plugin.startSpan({
      name: 'p',
      remoteParent: { traceId: TRACE_ID, spanId: SPAN_ID, traceState },
    });
    const child = plugin.startSpan({ name: 'c', parent });
    assert.equal(plugin.spanContext(child)!.traceState, traceState);
    plugin.endSpan(child);
    plugin.endSpan(parent);
    assert.deepEqual(
      (await spans()).map((span) => span.traceState),
      [traceState, traceState],
    );
  });
});

describe('batches', () => {
  it('hold each resource once and the spans of a scope together', async () => {
    const { plugin, batches } = recording();
    const scopes: InstrumentationScope[] = [{ name: 'http' }, { name: 'pg', version: '1' }, { name: 'http' }];
    for (let index = 0; index < 30; index++) {
      plugin.endSpan(plugin.startSpan({ name: `span ${index}`, scope: scopes[index % 3]! }));
    }
    await plugin.flush();
    assert.equal(batches.length, 1);
    const names = peerDecode(batches[0]!.bytes).map((span) => span.scope.name);
    assert.deepEqual(names, [...Array(20).fill('http'), ...Array(10).fill('pg')]);
  });

  it('are bytes of their own, which nobody overwrites', async () => {
    const { plugin, batches } = recording();
    for (let round = 0; round < 3; round++) {
      plugin.endSpan(plugin.startSpan({ name: `span ${round}` }));
      await plugin.flush();
    }
    assert.deepEqual(
      batches.flatMap(({ bytes }) => peerDecode(bytes).map((span) => span.name)),
      ['span 0', 'span 1', 'span 2'],
    );
  });

  it('keep below their bound, but for a span that is larger, which has one for itself', async () => {
    const { plugin, batches } = recording({ batchMaxBytes: 2000, resource: { attributes: {} } });
    for (let index = 0; index < 50; index++) {
      plugin.endSpan(plugin.startSpan({ name: `span ${index}`, attributes: { value: 'x'.repeat(300) } }));
    }
    plugin.endSpan(plugin.startSpan({ name: 'large', attributes: { value: 'x'.repeat(5000) } }));
    await plugin.flush();
    const large = batches.filter(({ bytes }) => bytes.length > 2000 + 64);
    assert.deepEqual(
      large.map(({ spanCount }) => spanCount),
      [1],
    );
    assert.equal(batches.flatMap(({ bytes }) => peerDecode(bytes)).length, 51);
  });

  it('have a scope for those who make up new ones for ever', async () => {
    const { plugin, batches } = recording();
    for (let index = 0; index < 3000; index++) {
      plugin.endSpan(plugin.startSpan({ name: 'span', scope: { name: `scope ${index}` } }));
    }
    await plugin.flush();
    const names = batches.flatMap(({ bytes }) => peerDecode(bytes).map((span) => span.scope.name));
    assert.equal(names.length, 3000);
    assert.ok(new Set(names).size <= 1025);
    assert.ok(names.includes('tracewell.other-scopes'));
  });
});

describe('F55 hostile use of the recorder', () => {
  it('a million handles: each is unique, and a stale one touches nothing', () => {
    const { plugin } = recording({ onError: () => {} });
    const stale: SpanHandle[] = [];
    const victim = plugin.startSpan({ name: 'victim' });
    let last = 0;
    for (let index = 0; index < 1_000_000; index++) {
      const span = plugin.startSpan({ name: 'span' });
      if (span === last || !Number.isSafeInteger(span) || span <= 0) assert.fail(`handle ${span}`);
      last = span;
      plugin.endSpan(span);
      if (index % 10_000 === 0) stale.push(span);
    }
    const live = plugin.startSpan({ name: 'live' });
    for (const span of stale) {
      plugin.setAttribute(span, 'stale', true);
      plugin.endSpan(span);
      assert.equal(plugin.spanContext(span), undefined);
    }
    assert.notEqual(plugin.spanContext(live), undefined);
    assert.notEqual(plugin.spanContext(victim), undefined);
    // Nothing could be exported meanwhile, so the queue is full, and what it lost is counted.
    const { ended, buffered, exporters } = plugin.stats();
    const { exported, retained, dropped } = exporters[0]!;
    assert.equal(ended, 1_000_000);
    assert.equal(buffered + exported + retained + dropped, 1_000_000);
    assert.ok(dropped > 0);
  });

  it('handles of other plugins, and what is no handle at all, do nothing', async () => {
    const plugins = Array.from({ length: 20 }, () => recording().plugin);
    const handles = plugins.map((plugin) => plugin.startSpan({ name: 'span' }));
    const strange = [
      0,
      -0,
      -1,
      0.5,
      Number.NaN,
      Infinity,
      2 ** 53,
      -(2 ** 40),
      '1',
      null,
      undefined,
      1n,
      Symbol('x'),
      {},
    ];
    for (const [index, plugin] of plugins.entries()) {
      for (const handle of [...handles.filter((_, other) => other !== index), ...strange] as SpanHandle[]) {
        plugin.setAttribute(handle, 'foreign', true);
        plugin.addEvent(handle, { name: 'foreign' });
        plugin.endSpan(handle);
        assert.equal(plugin.spanContext(handle), undefined);
      }
      assert.deepEqual([plugin.stats().ended, plugin.stats().live], [0, 1]);
    }
  });

  it('spans that end twice are recorded once', async () => {
    const { plugin, only } = recording();
    const span = plugin.startSpan({ name: 'span' });
    plugin.endSpan(span);
    plugin.endSpan(span);
    assert.equal((await only()).name, 'span');
    assert.equal(plugin.stats().live, 0);
  });

  it('values that OTLP cannot say are dropped and counted, the others are recorded', async () => {
    const circular: Record<string, unknown> = {};
    circular.self = [circular];
    let deep: unknown = 1;
    for (let depth = 0; depth < 10_000; depth++) deep = [deep];
    const throwing = Object.defineProperty({}, 'boom', {
      enumerable: true,
      get() {
        throw new Error('boom');
      },
    });
    const hostile = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('no keys');
        },
      },
    );
    const dropped = [
      Symbol('s'),
      () => 1,
      class {},
      circular,
      deep,
      throwing,
      hostile,
      new Map(),
      new Date(0),
      new Error('e'),
      2n ** 63n,
      -(2n ** 63n) - 1n,
      [1, Symbol('s')],
      { f() {} },
      new Float64Array(1),
      Array(20_000).fill(0),
    ];
    const kept: [AttributeValue, AttributeValue?][] = [
      [Number.NaN],
      [Number.POSITIVE_INFINITY],
      [-0],
      [Number.MIN_VALUE],
      [null],
      [2 ** 53],
      ['', ''],
      [new Double(1)],
      [2n ** 63n - 1n],
      [-(2n ** 63n)],
      ['\ud800', '\ufffd'],
      ['a\udc00b', 'a\ufffdb'],
      ['\0'],
    ];
    const { plugin, only } = recording();
    const span = plugin.startSpan({ name: 'span' });
    for (const [index, value] of dropped.entries())
      plugin.setAttribute(span, `dropped ${index}`, value as never);
    for (const [index, [value]] of kept.entries()) plugin.setAttribute(span, `kept ${index}`, value);
    plugin.setAttribute(span, '', 1);
    plugin.setAttribute(span, Symbol('key') as never, 1);
    plugin.setAttribute(span, 'absent', undefined as never);
    plugin.endSpan(span);
    const { attributes, droppedAttributesCount } = await only();
    assert.equal(droppedAttributesCount, dropped.length + 2);
    assert.deepEqual(Object.keys(attributes).length, kept.length);
    for (const [index, [value, read = value]] of kept.entries())
      assert.deepEqual(attributes[`kept ${index}`], read);
  });

  it('a getter that throws costs its own attribute, a proxy without keys only what it holds', async () => {
    const attributes = {
      before: 1,
      get broken(): number {
        throw new Error('broken');
      },
      after: 2,
    };
    const hostile = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('no keys');
        },
      },
    );
    const { plugin, spans } = recording();
    const span = plugin.startSpan({ name: 'getter', attributes });
    plugin.addEvent(span, { name: 'event', attributes });
    plugin.addEvent(span, { name: 'hostile', attributes: hostile });
    plugin.endSpan(span);
    plugin.endSpan(plugin.startSpan({ name: 'hostile', attributes: hostile }));
    const [first, second] = await spans();
    assert.deepEqual({ ...first!.attributes }, { before: 1, after: 2 });
    assert.equal(first!.droppedAttributesCount, 1);
    assert.deepEqual(
      first!.events.map((event) => [{ ...event.attributes }, event.droppedAttributesCount]),
      [
        [{ before: 1, after: 2 }, 1],
        [{}, 1],
      ],
    );
    assert.equal(second!.droppedAttributesCount, 1);
  });

  it('a getter that ends its own span, or starts others, breaks nothing', async () => {
    const { plugin, spans } = recording();
    const span = plugin.startSpan({ name: 'outer' });
    plugin.addEvent(span, {
      name: 'event',
      attributes: {
        get trap(): number {
          plugin.endSpan(span);
          assert.equal(plugin.startSpan({ name: 'inner' }), INVALID_SPAN);
          plugin.flushSync();
          return 1;
        },
      },
    });
    plugin.endSpan(span);
    assert.deepEqual(
      (await spans()).map(({ name, events }) => [name, events[0]!.attributes.trap]),
      [['outer', 1]],
    );
    assert.equal(plugin.stats().refused, 1);
  });

  it('a string of 10 MB is dropped and counted, or cut off where a limit says so', async () => {
    const huge = 'ä'.repeat(5 * MEBIBYTE);
    const free = recording();
    const limited = recording({ limits: { attributeValueLengthLimit: 100 } });
    for (const { plugin } of [free, limited]) {
      const span = plugin.startSpan({ name: huge, attributes: { huge } });
      plugin.setAttribute(span, 'huge too', [huge]);
      plugin.setAttribute(span, huge, 1);
      plugin.setAttribute(span, 'small', 1);
      plugin.addEvent(span, { name: huge, attributes: { huge } });
      plugin.setStatus(span, { code: StatusCode.ERROR, message: huge });
      plugin.endSpan(span);
    }
    const span = await free.only();
    assert.deepEqual({ ...span.attributes }, { small: 1 });
    assert.equal(span.droppedAttributesCount, 3);
    assert.equal(span.events[0]!.droppedAttributesCount, 1);
    assert.deepEqual(
      [span.name.length, span.events[0]!.name.length, span.status.message.length],
      [16_384, 16_384, 16_384],
    );
    const cut = await limited.only();
    assert.deepEqual(
      { ...cut.attributes },
      { huge: 'ä'.repeat(100), 'huge too': ['ä'.repeat(100)], small: 1 },
    );
  });

  it('a span that reaches its bound keeps what it has and counts the rest', async () => {
    const { plugin, only } = recording({
      spanMaxBytes: 2048,
      limits: { eventCountLimit: 1000, linkCountLimit: 1000 },
    });
    const span = plugin.startSpan({ name: 'span' });
    const context = { traceId: TRACE_ID, spanId: SPAN_ID };
    for (let index = 0; index < 100; index++) {
      plugin.setAttribute(span, `key ${index}`, index);
      plugin.addEvent(span, { name: `event ${index}` });
      plugin.addLink(span, { context });
    }
    plugin.setStatus(span, { code: StatusCode.ERROR });
    plugin.endSpan(span);
    const { attributes, events, links, ...counts } = await only();
    assert.equal(Object.keys(attributes).length + counts.droppedAttributesCount, 100);
    assert.equal(events.length + counts.droppedEventsCount, 100);
    assert.equal(links.length + counts.droppedLinksCount, 100);
    assert.ok(counts.droppedAttributesCount > 0 && events.length > 0 && links.length > 0);
  });

  it('an attribute that is overwritten for ever takes no more room than its last value', async () => {
    const { plugin, only } = recording({ spanMaxBytes: 4096 });
    const span = plugin.startSpan({ name: 'span', attributes: { first: 1 } });
    for (let index = 0; index < 50_000; index++)
      plugin.setAttribute(span, 'progress', 'x'.repeat(index % 500));
    plugin.setAttribute(span, 'progress', 'done');
    for (let index = 0; index < 5000; index++) plugin.updateName(span, 'n'.repeat(index % 300));
    for (let index = 0; index < 5000; index++) {
      plugin.setStatus(span, { code: StatusCode.ERROR, message: 'm'.repeat(index % 300) });
    }
    plugin.setStatus(span, { code: StatusCode.OK });
    plugin.updateName(span, 'renamed');
    plugin.endSpan(span);
    const { name, attributes, status, droppedAttributesCount } = await only();
    assert.deepEqual([name, { ...attributes }], ['renamed', { first: 1, progress: 'done' }]);
    assert.deepEqual([status.code, status.message, droppedAttributesCount], [StatusCode.OK, '', 0]);
  });

  it('spans that nobody ends are refused beyond the bound, and written as unfinished when they are old', async () => {
    const clock = new ManualClock();
    const { plugin, spans } = recording({ clock, liveMaxSpans: 100, liveMaxAgeMs: 60_000 });
    for (let index = 0; index < 150; index++) plugin.startSpan({ name: 'forgotten' });
    assert.deepEqual([plugin.stats().live, plugin.stats().refused], [100, 50]);
    clock.pass(60_001);
    plugin.endSpan(plugin.startSpan({ name: 'new' }));
    const written = await spans();
    assert.equal(written.length, 101);
    assert.equal(written.filter((span) => span.attributes['tracewell.unfinished'] === true).length, 100);
    assert.equal(plugin.stats().live, 0);
  });

  it('live spans never take more bytes together than their bound', async () => {
    const { plugin } = recording({ liveMaxBytes: 100_000 });
    const handles = Array.from({ length: 90 }, () => plugin.startSpan({ name: 'span' }));
    for (const span of handles) plugin.setAttribute(span, 'large', 'x'.repeat(3000));
    for (let index = 0; index < 20; index++) handles.push(plugin.startSpan({ name: 'span' }));
    assert.ok(plugin.stats().refused > 0);
    for (const span of handles) plugin.endSpan(span);
    // All of it is given back.
    const again = Array.from({ length: 97 }, () => plugin.startSpan({ name: 'span' }));
    assert.ok(again.every((span) => span !== INVALID_SPAN));
    await plugin.flush();
  });

  it('more live spans than the arena and a slab hold, of every size, come out whole', async () => {
    const { plugin, spans } = recording();
    const handles = Array.from({ length: 6000 }, (_, index) => plugin.startSpan({ name: `span ${index}` }));
    for (const [index, span] of handles.entries())
      plugin.setAttribute(span, 'value', 'x'.repeat((index * 7) % 5000));
    for (const span of handles.reverse()) plugin.endSpan(span);
    const written = await spans();
    assert.equal(written.length, 6000);
    for (const { name, attributes } of written) {
      const index = Number(name.slice('span '.length));
      assert.equal(attributes.value, 'x'.repeat((index * 7) % 5000));
    }
  });

  it('memory stays flat over a million spans with values that never repeat', {
    timeout: 120_000,
  }, async () => {
    const { plugin, batches } = recording();
    batches.push = () => 0;
    let rss = 0;
    for (let index = 0; index < 1_000_000; index++) {
      const span = plugin.startSpan({ name: 'span' });
      plugin.setAttribute(span, 'url.path', `/orders/${index}`);
      if (index % 100 === 0) plugin.setAttribute(span, `key ${index}`, index);
      plugin.endSpan(span);
      if (index % 2000 === 0) await plugin.flush();
      if (index === 300_000) {
        globalThis.gc?.();
        rss = process.memoryUsage.rss();
      }
    }
    globalThis.gc?.();
    assert.ok(process.memoryUsage.rss() - rss < 60 * MEBIBYTE, `grew by ${process.memoryUsage.rss() - rss}`);
    assert.equal(plugin.stats().exporters[0]!.dropped, 0);
  });
});

describe('recorders of one thread', () => {
  it('do not touch the spans of one another', async () => {
    const [one, other] = [recording(), recording()];
    const mine = one.plugin.startSpan({ name: 'mine' });
    other.plugin.setAttribute(mine, 'touched', true);
    other.plugin.updateName(mine, 'touched');
    other.plugin.endSpan(mine);
    assert.equal(other.plugin.spanContext(mine), undefined);
    other.plugin.endSpan(other.plugin.startSpan({ name: 'child', parent: mine }));
    other.plugin.flushSync();
    one.plugin.setAttribute(mine, 'own', true);
    one.plugin.endSpan(mine);
    const [span, child] = [await one.only(), await other.only()];
    assert.deepEqual([span.name, { ...span.attributes }], ['mine', { own: true }]);
    assert.deepEqual([child.name, child.parentSpanId], ['child', '']);
  });

  it('record on when one of them is shut down with spans live', async () => {
    const [one, other] = [recording(), recording()];
    const span = other.plugin.startSpan({ name: 'other' });
    for (let index = 0; index < 10; index++) one.plugin.startSpan({ name: 'open' });
    await one.plugin.shutdown();
    other.plugin.setAttribute(span, 'key', 'value');
    other.plugin.endSpan(span);
    assert.equal((await one.spans()).length, 10);
    assert.deepEqual({ ...(await other.only()).attributes }, { key: 'value' });
  });

  it('give the slots of live spans back when they are forgotten without a shutdown', async () => {
    const slotOf = (handle: number): number => handle % 2 ** 18;
    // What earlier tests forgot would come between.
    for (let round = 0; round < 3; round++) {
      collectGarbage();
      await setImmediate();
    }
    let forgotten: number[] = [];
    (() => {
      const { plugin } = recording();
      forgotten = Array.from({ length: 100 }, () => slotOf(plugin.startSpan({ name: 'forgotten' })));
    })();
    const { plugin } = recording();
    const isReused = async (): Promise<boolean> => {
      collectGarbage();
      await setImmediate();
      const span = plugin.startSpan({ name: 'new' });
      plugin.endSpan(span);
      return forgotten.includes(slotOf(span));
    };
    for (let attempt = 0; attempt < 50; attempt++) if (await isReused()) return;
    assert.fail('no slot was used again');
  });

  it('overwrite attributes also when the cache of keys has started anew in between', async () => {
    const { plugin, spans } = recording({ limits: { attributeCountLimit: 20 } });
    const span = plugin.startSpan({ name: 'span' });
    const other = plugin.startSpan({ name: 'other' });
    const keys = Array.from({ length: 20 }, (_, index) => `mine ${index}`);
    for (const key of keys) plugin.setAttribute(span, key, 'old');
    for (let index = 0; index < 3000; index++) plugin.setAttribute(other, `filler ${index}`, 1);
    for (const key of keys.reverse()) plugin.setAttribute(span, key, 'new');
    plugin.endSpan(span);
    const [{ attributes, droppedAttributesCount }] = (await spans()) as [SpanData];
    assert.deepEqual([Object.values(attributes), droppedAttributesCount], [keys.map(() => 'new'), 0]);
  });

  it('write the right key when a getter fills the cache of keys through another one', async () => {
    const [one, other] = [recording(), recording()];
    const span = one.plugin.startSpan({ name: 'span' });
    const others = other.plugin.startSpan({ name: 'other' });
    one.plugin.setAttribute(span, 'right key', {
      get inner() {
        for (let index = 0; index < 3000; index++) other.plugin.setAttribute(others, `other ${index}`, 1);
        return 1;
      },
    });
    one.plugin.endSpan(span);
    assert.deepEqual(Object.keys((await one.only()).attributes), ['right key']);
  });
});
