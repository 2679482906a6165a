import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  context,
  createTraceState,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { suppressTracing as suppressTracingOfCore } from '@opentelemetry/core';
import {
  contextWithSpan,
  createTracerProvider,
  isTracingSuppressed,
  suppressTracing,
} from '@tracewell/opentelemetry';
import { INVALID_SPAN } from '@tracewell/plugin';
import {
  alwaysOff,
  fanOut,
  parentBased,
  redact,
  secretRules,
  startTracing,
  tailSampling,
  traceIdRatio,
} from '@tracewell/sdk';
import { recording, spy } from './recording.ts';

const remote = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: 1,
  isRemote: true,
};

const within = (span: Span) => trace.setSpan(ROOT_CONTEXT, span);
const withRemote = (parent = remote) => trace.setSpanContext(ROOT_CONTEXT, parent);

test('a span arrives with name, scope, times, attributes, events, links and status', async () => {
  const { tracer, only } = recording();
  const before = BigInt(Date.now()) * 1_000_000n;
  const span = tracer.startSpan('work', {
    kind: SpanKind.CLIENT,
    attributes: { text: 'a', whole: 1, fraction: 0.5, yes: true, list: ['a', 'b'] },
    links: [{ context: remote, attributes: { why: 'batch' } }],
  });
  span.setAttribute('later', 2).setAttributes({ text: 'b', more: [1, 2] });
  span.addEvent('started').addEvent('loaded', { rows: 3 });
  span.addLink({ context: { ...remote, isRemote: false } });
  span.addLinks([{ context: { ...remote, traceFlags: 0 } }]);
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'no' });
  span.updateName('renamed');
  assert.equal(span.isRecording(), true);
  const { traceId, spanId } = span.spanContext();
  span.end();

  const data = await only();
  assert.equal(data.name, 'renamed');
  assert.equal(data.traceId, traceId);
  assert.equal(data.spanId, spanId);
  assert.equal(data.parentSpanId, '');
  assert.equal(data.kind, 3);
  assert.deepEqual(
    { ...data.attributes },
    { text: 'b', whole: 1, fraction: 0.5, yes: true, list: ['a', 'b'], later: 2, more: [1, 2] },
  );
  assert.deepEqual(
    data.events.map(({ name, attributes }) => [name, { ...attributes }]),
    [
      ['started', {}],
      ['loaded', { rows: 3 }],
    ],
  );
  assert.deepEqual(
    data.links.map((link) => [link.traceId, link.spanId, link.flags, { ...link.attributes }]),
    [
      [remote.traceId, remote.spanId, 0x301, { why: 'batch' }],
      [remote.traceId, remote.spanId, 0x101, {}],
      [remote.traceId, remote.spanId, 0x300, {}],
    ],
  );
  assert.deepEqual({ ...data.status }, { code: 2, message: 'no' });
  assert.equal(data.scope.name, 'test');
  assert.equal(data.scope.version, '1.2.3');
  assert.equal(data.scope.schemaUrl, 'https://example.test/schema');
  assert.ok(data.startTimeUnixNanos >= before - 1_000_000n);
  assert.ok(data.endTimeUnixNanos >= data.startTimeUnixNanos);
});

test('kinds of the API, which count from 0, become those of OTLP, which count from 1', async () => {
  const { tracer, spans } = recording();
  for (const kind of [
    undefined,
    SpanKind.INTERNAL,
    SpanKind.SERVER,
    SpanKind.CLIENT,
    SpanKind.PRODUCER,
    SpanKind.CONSUMER,
    99,
  ]) {
    tracer.startSpan('work', (kind === undefined ? {} : { kind }) as SpanOptions).end();
  }
  assert.deepEqual(
    (await spans()).map((span) => span.kind),
    [1, 1, 2, 3, 4, 5, 1],
  );
});

test('the same tracer is given out for the same scope, and another for any other', () => {
  const { provider } = recording();
  const tracer = provider.getTracer('a', '1', { schemaUrl: 'u' });
  assert.equal(provider.getTracer('a', '1', { schemaUrl: 'u' }), tracer);
  for (const [name, version, schemaUrl] of [
    ['b', '1', 'u'],
    ['a', '2', 'u'],
    ['a', '1', 'v'],
  ] as const) {
    assert.notEqual(provider.getTracer(name, version, { schemaUrl }), tracer);
  }
  assert.notEqual(provider.getTracer('a'), tracer);
});

test('a child of a live span of ours has its trace and names it as its local parent', async () => {
  const { tracer, spans } = recording();
  const parent = tracer.startSpan('parent', {}, ROOT_CONTEXT);
  tracer.startSpan('child', {}, within(parent)).end();
  parent.end();
  const [child, root] = await spans();
  assert.equal(child!.traceId, root!.traceId);
  assert.equal(child!.parentSpanId, root!.spanId);
  assert.equal(child!.flags, 0x101);
});

test('a child that starts after its parent ended still is its child, and not a remote one', async () => {
  const { tracer, spans } = recording();
  const parent = tracer.startSpan('parent', {}, ROOT_CONTEXT);
  parent.end();
  tracer.startSpan('child', {}, within(parent)).end();
  const [root, child] = await spans();
  assert.equal(child!.traceId, root!.traceId);
  assert.equal(child!.parentSpanId, root!.spanId);
  assert.equal(child!.flags, 0x101);
});

test('a child of a remote span has its trace, trace state and a remote parent', async () => {
  const { tracer, only } = recording();
  const span = tracer.startSpan(
    'child',
    {},
    withRemote({ ...remote, traceState: createTraceState('vendor=1,other=2') } as typeof remote),
  );
  assert.equal(span.spanContext().traceId, remote.traceId);
  assert.equal(span.spanContext().traceState?.serialize(), 'vendor=1,other=2');
  assert.notEqual(span.spanContext().isRemote, true);
  span.end();
  const data = await only();
  assert.equal(data.traceId, remote.traceId);
  assert.equal(data.parentSpanId, remote.spanId);
  assert.equal(data.traceState, 'vendor=1,other=2');
  assert.equal(data.flags, 0x301);
});

test('a grandchild inherits the trace state through its local parent', async () => {
  const { tracer, spans } = recording();
  const child = tracer.startSpan(
    'child',
    {},
    withRemote({ ...remote, traceState: createTraceState('v=1') } as typeof remote),
  );
  tracer.startSpan('grandchild', {}, within(child)).end();
  child.end();
  assert.deepEqual(
    (await spans()).map((span) => span.traceState),
    ['v=1', 'v=1'],
  );
});

test('root starts a new trace whatever is active', async () => {
  const { tracer, only } = recording();
  const span = tracer.startSpan('root', { root: true }, withRemote());
  assert.notEqual(span.spanContext().traceId, remote.traceId);
  span.end();
  assert.equal((await only()).parentSpanId, '');
});

test('an invalid parent makes a root', async () => {
  const { tracer, only } = recording();
  tracer.startSpan('root', {}, trace.setSpanContext(ROOT_CONTEXT, INVALID_SPAN_CONTEXT)).end();
  assert.equal((await only()).parentSpanId, '');
});

test("a child of another provider's span joins its trace", async () => {
  const [theirs, ours] = [recording(), recording()];
  const parent = theirs.tracer.startSpan('theirs', {}, ROOT_CONTEXT);
  ours.tracer.startSpan('ours', {}, within(parent)).end();
  parent.end();
  const [child, root] = [await ours.only(), await theirs.only()];
  assert.equal(child.traceId, root.traceId);
  assert.equal(child.parentSpanId, root.spanId);
  assert.equal(child.flags, 0x101);
});

test('an unsampled root records nothing and passes on a trace that is marked as not sampled', async () => {
  const { tracer, spans, plugin } = recording({ sampler: parentBased(alwaysOff()) });
  const root = tracer.startSpan('root', {}, ROOT_CONTEXT);
  const child = tracer.startSpan('child', {}, within(root));
  for (const span of [root, child]) {
    assert.equal(span.isRecording(), false);
    assert.ok(isSpanContextValid(span.spanContext()));
    assert.equal(span.spanContext().traceFlags, 0);
    span.setAttribute('a', 1).addEvent('e').setStatus({ code: 2 }).recordException('x');
    span.end();
  }
  assert.equal(child.spanContext().traceId, root.spanContext().traceId);
  assert.notEqual(child.spanContext().spanId, root.spanContext().spanId);
  assert.deepEqual(await spans(), []);
  assert.equal(plugin.stats().unsampled, 2);
});

test('a child of an unsampled remote span stays unsampled, with its trace and trace state', () => {
  const { tracer } = recording();
  const parent = { ...remote, traceFlags: 0, traceState: createTraceState('v=1') };
  const span = tracer.startSpan('child', {}, withRemote(parent));
  assert.equal(span.isRecording(), false);
  assert.equal(span.spanContext().traceId, remote.traceId);
  assert.equal(span.spanContext().traceFlags, 0);
  assert.equal(span.spanContext().traceState?.serialize(), 'v=1');
});

test('the trace id that an unsampled root passes on is the one that the sampler refused', () => {
  const seen: string[] = [];
  const half = traceIdRatio(0.5);
  const { tracer } = recording({
    sampler: {
      description: 'spy',
      shouldSample(bytes, at, parent, start) {
        seen.push(Buffer.from(bytes.subarray(at, at + 16)).toString('hex'));
        return half.shouldSample(bytes, at, parent, start);
      },
    },
  });
  for (let i = 0; i < 50; i++) {
    const span = tracer.startSpan('root', {}, ROOT_CONTEXT);
    assert.equal(span.spanContext().traceId, seen.at(-1));
    span.end();
  }
});

test('nothing is recorded where tracing is suppressed, by us or by OpenTelemetry', async () => {
  const { tracer, spans } = recording();
  for (const suppress of [suppressTracing, suppressTracingOfCore]) {
    const suppressed = suppress(ROOT_CONTEXT);
    assert.equal(isTracingSuppressed(suppressed), true);
    const span = tracer.startSpan('hidden', {}, suppressed);
    assert.equal(span.isRecording(), false);
    assert.equal(isSpanContextValid(span.spanContext()), false);
    span.end();
  }
  assert.equal(isTracingSuppressed(ROOT_CONTEXT), false);
  assert.deepEqual(await spans(), []);
});

test('a span ends once, and is deaf afterwards', async () => {
  const { tracer, spans } = recording();
  const span = tracer.startSpan('work', {}, ROOT_CONTEXT);
  span.end(new Date(2_000_000_000_000));
  const identity = span.spanContext();
  assert.equal(span.isRecording(), false);
  span.end(new Date(2_100_000_000_000));
  // The plugin may give the handle's slot to the next span, which must not notice.
  const next = tracer.startSpan('next', {}, ROOT_CONTEXT);
  span
    .setAttribute('late', 1)
    .addEvent('late')
    .setStatus({ code: 2 })
    .updateName('late')
    .addLink({ context: remote });
  span.recordException(new Error('late'));
  next.end();
  const [first, second] = await spans();
  assert.equal(first!.endTimeUnixNanos, 2_000_000_000_000_000_000n);
  for (const data of [first!, second!]) {
    assert.deepEqual({ ...data.attributes }, {});
    assert.deepEqual([data.events.length, data.links.length, data.status.code], [0, 0, 0]);
  }
  assert.equal(second!.name, 'next');
  assert.deepEqual(span.spanContext(), identity);
});

test('status: unset changes nothing, ok is final, only errors have a message, and it is a string', async () => {
  const { tracer, spans } = recording();
  const cases: [{ code: number; message?: unknown }[], [number, string]][] = [
    [
      [{ code: 2, message: 'a' }, { code: 0 }],
      [2, 'a'],
    ],
    [
      [
        { code: 2, message: 'a' },
        { code: 1, message: 'b' },
      ],
      [1, ''],
    ],
    [
      [{ code: 1 }, { code: 2, message: 'a' }],
      [1, ''],
    ],
    [
      [{ code: 2, message: 'a' }, { code: 2 }],
      [2, ''],
    ],
    [[{ code: 2, message: new Error('a') }], [2, '']],
    [[{ code: 7 }], [0, '']],
  ];
  for (const [calls] of cases) {
    const span = tracer.startSpan('work', {}, ROOT_CONTEXT);
    for (const status of calls) span.setStatus(status as Parameters<Span['setStatus']>[0]);
    span.end();
  }
  assert.deepEqual(
    (await spans()).map(({ status }) => [status.code, status.message]),
    cases.map(([, expected]) => expected),
  );
});

test('attributes without a value are ignored', async () => {
  const { tracer, only } = recording();
  const attributes = { kept: 1, none: undefined, nothing: null } as never;
  const span = tracer.startSpan('work', { attributes }, ROOT_CONTEXT);
  span
    .setAttributes(attributes)
    .setAttribute('nothing', null as never)
    .setAttribute('none', undefined as never);
  span.end();
  assert.deepEqual({ ...(await only()).attributes }, { kept: 1 });
});

test('addEvent takes attributes, a time, or both', async () => {
  const { tracer, only } = recording();
  const at = new Date(1_700_000_000_000);
  const span = tracer.startSpan('work', {}, ROOT_CONTEXT);
  span.addEvent('time', at);
  span.addEvent('number', at.getTime());
  span.addEvent('hrtime', [1_700_000_000, 5]);
  span.addEvent('both', { a: 1 }, at);
  span.addEvent('no attributes', undefined, at);
  span.end();
  const nanos = 1_700_000_000_000_000_000n;
  assert.deepEqual(
    (await only()).events.map((event) => [event.name, event.timeUnixNanos, { ...event.attributes }]),
    [
      ['time', nanos, {}],
      ['number', nanos, {}],
      ['hrtime', nanos + 5n, {}],
      ['both', nanos, { a: 1 }],
      ['no attributes', nanos, {}],
    ],
  );
});

test('recordException tells type, message and stack of whatever was thrown', async () => {
  const { tracer, only } = recording();
  const span = tracer.startSpan('work', {}, ROOT_CONTEXT);
  const error = new RangeError('too much');
  const coded = Object.assign(new Error('missing'), { code: 'ENOENT' });
  const hostile = {
    name: 'Hostile',
    get message(): string {
      throw new Error('no');
    },
  };
  for (const thrown of [error, coded, 'text', { message: 'plain' }, { code: 42 }, hostile]) {
    span.recordException(thrown as Error);
  }
  for (const nothing of ['', {}, null, undefined, 7]) span.recordException(nothing as never);
  span.recordException('at', new Date(1_700_000_000_000));
  span.end();
  const { events } = await only();
  assert.deepEqual(
    events.map(({ attributes }) => ({ ...attributes })),
    [
      {
        'exception.type': 'RangeError',
        'exception.message': 'too much',
        'exception.stacktrace': error.stack,
      },
      { 'exception.type': 'ENOENT', 'exception.message': 'missing', 'exception.stacktrace': coded.stack },
      { 'exception.message': 'text' },
      { 'exception.message': 'plain' },
      { 'exception.type': '42' },
      { 'exception.type': 'Hostile' },
      { 'exception.message': 'at' },
    ],
  );
  assert.ok(events.every((event) => event.name === 'exception'));
  assert.equal(events.at(-1)!.timeUnixNanos, 1_700_000_000_000_000_000n);
});

test('startActiveSpan runs the function in all its forms and returns what it returns', () => {
  const { tracer } = recording();
  const parent = withRemote();
  const traceOf = (span: Span): string => span.spanContext().traceId;
  assert.match(tracer.startActiveSpan('a', traceOf), /^[0-9a-f]{32}$/);
  assert.notEqual(tracer.startActiveSpan('a', { root: true }, traceOf), remote.traceId);
  assert.equal(tracer.startActiveSpan('a', {}, parent, traceOf), remote.traceId);
  assert.notEqual(tracer.startActiveSpan('a', { root: true }, parent, traceOf), remote.traceId);
  const failing = (): never => {
    throw new Error('mine');
  };
  assert.throws(() => tracer.startActiveSpan('a', failing), /mine/);
});

test('a plugin with nothing but the seven operations serves', async () => {
  const plugin = spy();
  const provider = createTracerProvider(plugin);
  const tracer = provider.getTracer('bare');
  const parent = tracer.startSpan('parent', {}, ROOT_CONTEXT);
  const child = tracer.startSpan('child', {}, within(parent));
  parent.updateName('x').addLink({ context: remote });
  child.end();
  child.end();
  parent.end();
  assert.deepEqual(plugin.calls, [
    ['endSpan', 2],
    ['endSpan', 1],
  ]);
  assert.equal(plugin.started[1]!.parent, 1);
  assert.equal(plugin.started[1]!.context?.traceId, parent.spanContext().traceId);
  assert.equal(plugin.started[1]!.context?.spanId, child.spanContext().spanId);
  await provider.forceFlush();
  await provider.shutdown();
});

test('a plugin is given only what the contract allows', () => {
  const plugin = spy();
  const tracer = createTracerProvider(plugin).getTracer('x');
  const invalid = trace.setSpanContext(ROOT_CONTEXT, INVALID_SPAN_CONTEXT);
  const span = tracer.startSpan('root', { startTime: [-1, 0], links: [{}, null] as never }, invalid);
  span.setStatus({ code: 2, message: new Error('no') as never });
  span.setStatus({ code: 7 as never });
  span.end(Number.NaN);
  const { remoteParent, startTimeUnixNanos, links } = plugin.started[0]!;
  assert.deepEqual([remoteParent, startTimeUnixNanos, links], [undefined, undefined, []]);
  assert.deepEqual(plugin.calls, [
    ['setStatus', 1, { code: 2 }],
    ['endSpan', 1, undefined],
  ]);
  const traceState = createTraceState('v=1');
  tracer.startSpan('child', {}, withRemote({ ...remote, traceState } as typeof remote));
  assert.equal(plugin.started[1]!.context?.traceState, 'v=1');
});

test('wrap makes a span of a handle, under which others nest, also after its end', async () => {
  const { plugin, provider, tracer, spans } = recording();
  const handle = plugin.startSpan({ name: 'wrapped' });
  const identity = plugin.spanContext(handle);
  const span = provider.wrap(handle);
  const active = contextWithSpan(ROOT_CONTEXT, span);
  assert.equal(trace.getSpan(active), span);
  tracer.startSpan('during', {}, active).end();
  plugin.setAttribute(span.handle, 'through', 'the handle');
  span.end();
  tracer.startSpan('after', {}, active).end();
  const byName = new Map((await spans()).map((data) => [data.name, data]));
  const [during, wrapped, after] = ['during', 'wrapped', 'after'].map((name) => byName.get(name));
  assert.equal(wrapped!.spanId, identity!.spanId);
  assert.deepEqual({ ...wrapped!.attributes }, { through: 'the handle' });
  for (const child of [during!, after!]) {
    assert.equal(child.traceId, identity!.traceId);
    assert.equal(child.parentSpanId, identity!.spanId);
  }
});

test('a wrapped handle still has its identity after its end, when nobody had asked before', () => {
  const { plugin, provider } = recording();
  const handle = plugin.startSpan({ name: 'wrapped' });
  const identity = plugin.spanContext(handle);
  const span = provider.wrap(handle);
  span.end();
  assert.equal(span.spanContext().spanId, identity!.spanId);
});

test('a child of a wrapped handle whose identity nobody knows is left to the plugin', () => {
  const plugin = spy();
  const provider = createTracerProvider(plugin);
  const wrapped = provider.wrap(plugin.startSpan({ name: 'wrapped' }));
  assert.equal(isSpanContextValid(wrapped.spanContext()), false);
  const child = provider.getTracer('x').startSpan('child', {}, within(wrapped));
  assert.equal(plugin.started[1]!.parent, 1);
  assert.equal(plugin.started[1]!.context, undefined);
  assert.equal(isSpanContextValid(child.spanContext()), false);
});

test('wrap of INVALID_SPAN carries a trace on without recording', () => {
  const { provider, tracer } = recording();
  const span = provider.wrap(INVALID_SPAN, { ...remote, traceFlags: 0 });
  assert.equal(span.isRecording(), false);
  const child = tracer.startSpan('child', {}, contextWithSpan(ROOT_CONTEXT, span));
  assert.equal(child.isRecording(), false);
  assert.equal(child.spanContext().traceId, remote.traceId);
});

test('behind every plugin of ours, what is recorded is what the API says of itself', async () => {
  const names = ['fan-out', 'tail sampling', 'redaction', 'host'];
  const recordings = names.map(() => recording());
  const [fanned, tailed, redacted, hosted] = recordings.map(({ plugin }) => plugin);
  const tracing = startTracing({ plugin: hosted! });
  const plugins = [
    fanOut(fanned!),
    tailSampling(tailed!, { keepErrors: true }),
    redact(redacted!, secretRules),
    tracing.plugin,
  ];
  for (const [index, plugin] of plugins.entries()) {
    const tracer = createTracerProvider(plugin).getTracer('x');
    const parent = tracer.startSpan('parent', {}, ROOT_CONTEXT);
    const child = tracer.startSpan('child', {}, within(parent));
    child.end();
    parent.setStatus({ code: 2 }).end();
    const late = tracer.startSpan('late', {}, within(parent));
    late.setStatus({ code: 2 }).end();
    await plugin.flush();
    const byName = new Map((await recordings[index]!.spans()).map((data) => [data.name, data]));
    for (const [name, span, above] of [
      ['parent', parent, undefined],
      ['child', child, parent],
      ['late', late, parent],
    ] as const) {
      const data = byName.get(name)!;
      const { traceId, spanId } = span.spanContext();
      assert.deepEqual(
        [data?.traceId, data?.spanId, data?.parentSpanId],
        [traceId, spanId, above?.spanContext().spanId ?? ''],
        `${names[index]}: ${name}`,
      );
    }
  }
  for (const plugin of plugins) await plugin.shutdown?.();
});

test('ids come from an id generator where one is given', () => {
  const provider = createTracerProvider(recording().plugin, {
    idGenerator: { generateTraceId: () => 'ab'.repeat(16), generateSpanId: () => 'cd'.repeat(8) },
  });
  const { traceId, spanId } = provider.getTracer('x').startSpan('a', {}, ROOT_CONTEXT).spanContext();
  assert.deepEqual([traceId, spanId], ['ab'.repeat(16), 'cd'.repeat(8)]);
});

test('F55 nothing that a caller passes makes a span throw', async () => {
  const { tracer, spans } = recording();
  const throwing = {
    get a(): string {
      throw new Error('getter');
    },
  };
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const values = [
    undefined,
    null,
    Number.NaN,
    Infinity,
    -0,
    10n ** 30n,
    Symbol('s'),
    () => {},
    cyclic,
    throwing,
    [cyclic],
    '\ud800',
    'x'.repeat(1 << 20),
  ];
  for (const value of values as never[]) {
    const span = tracer.startSpan(
      value,
      { attributes: { a: value }, kind: value, startTime: value, links: value },
      ROOT_CONTEXT,
    );
    span.setAttribute('a', value).setAttribute(value, 1).setAttributes(value).addEvent(value, value, value);
    span.updateName(value).addLink(value).addLinks(value).recordException(value);
    span.setStatus({ code: 2, message: value });
    span.end(value);
  }
  tracer
    .startSpan('getter', { attributes: throwing }, ROOT_CONTEXT)
    .setAttributes(throwing)
    .addEvent('e', throwing)
    .end();
  await spans();
});

test('a span that somebody starts in the API without a registration is of no effect', () => {
  assert.equal(trace.getTracer('x').startSpan('y', {}, context.active()).isRecording(), false);
});
