import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context, ROOT_CONTEXT, type SpanContext } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type SpanExporter as SdkSpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import {
  AsyncContextManager,
  type ExportResult,
  exporterBridge,
  isTracingSuppressed,
  type ReadableSpan,
  type SpanExporter,
} from '@tracewell/opentelemetry';
import { decodeTraces, encodeTraces } from '@tracewell/otlp';
import { Double, ExportError, type SpanBatch, type SpanData } from '@tracewell/plugin';
import { ProtobufTraceSerializer as SerializerOf1x } from 'otlp-transformer-proto';

/** A span that has everything. */
const full: SpanData = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentSpanId: '00f067aa0ba902b7',
  traceState: 'vendor=1',
  flags: 0x301,
  name: 'full',
  kind: 2,
  startTimeUnixNanos: 1_700_000_000_123_456_789n,
  endTimeUnixNanos: 1_700_000_001_000_000_001n,
  attributes: {
    text: 'a',
    whole: 1,
    fraction: 0.5,
    yes: true,
    list: ['a', 'b'],
    bytes: new Uint8Array([1, 2]),
    map: { inner: [1, { deep: 'x' }] },
  },
  droppedAttributesCount: 1,
  events: [
    { name: 'e', timeUnixNanos: 1_700_000_000_500_000_000n, attributes: { n: 2 }, droppedAttributesCount: 2 },
  ],
  droppedEventsCount: 3,
  links: [
    {
      traceId: '1'.repeat(32),
      spanId: '2'.repeat(16),
      traceState: 'l=1',
      flags: 0x101,
      attributes: { k: 'v' },
      droppedAttributesCount: 4,
    },
  ],
  droppedLinksCount: 5,
  status: { code: 2, message: 'no' },
  resource: {
    attributes: { 'service.name': 'shop' },
    droppedAttributesCount: 0,
    schemaUrl: 'https://example.test/r',
  },
  scope: {
    name: 'lib',
    version: '1.0.0',
    attributes: { s: 1 },
    droppedAttributesCount: 6,
    schemaUrl: 'https://example.test/s',
  },
};

const batchOf = (...spans: SpanData[]): SpanBatch => ({
  bytes: encodeTraces(spans),
  spanCount: spans.length,
});

/** An exporter that hands its spans to a function. */
function spy(act: (spans: ReadableSpan[], done: (result: ExportResult) => void) => void): SpanExporter {
  return { export: act, shutdown: async () => {} };
}

async function received(batch: SpanBatch): Promise<ReadableSpan[]> {
  let spans: ReadableSpan[] = [];
  await exporterBridge(
    spy((given, done) => {
      spans = given;
      done({ code: 0 });
    }),
  ).export(batch);
  return spans;
}

async function failure(exporter: SpanExporter, options = {}, signal?: AbortSignal): Promise<ExportError> {
  const bridge = exporterBridge(exporter, options);
  const error = await bridge.export(batchOf(full), signal === undefined ? {} : { signal }).then(
    () => assert.fail('the export should have failed'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ExportError, String(error));
  return error;
}

test("OpenTelemetry's own serializer writes the spans that it is given as they were", async () => {
  const root: SpanData = {
    ...full,
    spanId: '3'.repeat(16),
    parentSpanId: '',
    flags: 0x101,
    traceState: '',
    kind: 1,
    status: { code: 0, message: '' },
  };
  const batch = batchOf(full, root);
  const spans = await received(batch);
  const again = ProtobufTraceSerializer.serializeRequest(
    spans as Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0],
  )!;
  assert.deepEqual(decodeTraces(again), decodeTraces(batch.bytes));
});

test('the serializer of the 1.x line takes them, with parent and scope', async () => {
  const batch = batchOf(full);
  const spans = (await received(batch)) as never;
  const [again] = decodeTraces(SerializerOf1x.serializeRequest(spans)!);
  const [original] = decodeTraces(batch.bytes);
  // 1.x knows neither flags nor, of a scope and a resource, anything but what is compared here.
  for (const key of [
    'traceId',
    'spanId',
    'parentSpanId',
    'traceState',
    'name',
    'kind',
    'attributes',
  ] as const) {
    assert.deepEqual(again![key], original![key], key);
  }
  for (const key of [
    'startTimeUnixNanos',
    'endTimeUnixNanos',
    'events',
    'status',
    'droppedEventsCount',
  ] as const) {
    assert.deepEqual(again![key], original![key], key);
  }
  assert.deepEqual(again!.resource.attributes, original!.resource.attributes);
  assert.deepEqual([again!.scope.name, again!.scope.version], ['lib', '1.0.0']);
});

test('spans have what exporters of all lines read', async () => {
  const [span] = await received(batchOf(full));
  assert.equal(span!.kind, 1);
  assert.equal(span!.ended, true);
  assert.deepEqual(span!.startTime, [1_700_000_000, 123_456_789]);
  assert.deepEqual(span!.endTime, [1_700_000_001, 1]);
  assert.deepEqual(span!.duration, [0, 876_543_212]);
  assert.equal(span!.parentSpanId, full.parentSpanId);
  assert.deepEqual(span!.parentSpanContext, {
    traceId: full.traceId,
    spanId: full.parentSpanId,
    traceFlags: 1,
    isRemote: true,
  });
  const identity: SpanContext = span!.spanContext();
  assert.equal(identity.traceState?.get('vendor'), '1');
  assert.equal(span!.instrumentationScope, span!.instrumentationLibrary);
  assert.equal(span!.links[0]!.context.isRemote, false);
  const resource = span!.resource as ReadableSpan['resource'] & {
    merge(other: ReadableSpan['resource'] | null): ReadableSpan['resource'];
    getRawAttributes(): [string, unknown][];
  };
  assert.deepEqual(resource.getRawAttributes(), [['service.name', 'shop']]);
  assert.deepEqual(resource.merge({ attributes: { a: 1 } }).attributes, { 'service.name': 'shop', a: 1 });
  assert.equal(resource.merge(null), resource);
  await resource.waitForAsyncAttributes?.();
});

test('spans of one resource and scope share the objects, by which exporters group', async () => {
  const spans = await received(batchOf(full, { ...full, spanId: '4'.repeat(16) }));
  assert.equal(spans[0]!.resource, spans[1]!.resource);
  assert.equal(spans[0]!.instrumentationScope, spans[1]!.instrumentationScope);
});

test('values that OpenTelemetry does not know become the nearest that it does', async () => {
  const attributes = { big: 2n ** 62n, one: new Double(1), nothing: null, ['__proto__']: 'only a key' };
  const [span] = await received(batchOf({ ...full, kind: 0, endTimeUnixNanos: 0n, attributes }));
  assert.deepEqual(Object.entries(span!.attributes), [
    ['big', '4611686018427387904'],
    ['one', 1],
    ['nothing', null],
    ['__proto__', 'only a key'],
  ]);
  assert.equal(Object.getPrototypeOf(span!.attributes), Object.prototype);
  assert.equal(span!.kind, 0);
  assert.deepEqual(span!.duration, [0, 0]);
});

test('F51 an exporter that throws, fails, never calls back or calls back twice is only a failed export', async () => {
  const cases: [string, SpanExporter, RegExp, boolean?][] = [
    [
      'throws',
      spy(() => {
        throw new Error('thrown');
      }),
      /thrown/,
    ],
    [
      'throws no error',
      spy(() => {
        throw undefined;
      }),
      /does not say why/,
    ],
    ['fails', spy((_, done) => done({ code: 1, error: new Error('refused') })), /refused/],
    ['fails without a reason', spy((_, done) => done({ code: 1 })), /does not say why/],
    ['calls back with nothing', spy((_, done) => done(undefined as never)), /does not say why/],
    [
      'is async and rejects',
      spy((async () => {
        throw new Error('rejected');
      }) as never),
      /rejected/,
    ],
    [
      'fails, then succeeds',
      spy((_, done) => {
        done({ code: 1, error: new Error('first') });
        done({ code: 0 });
      }),
      /first/,
    ],
    [
      'calls back, then throws',
      spy((_, done) => {
        done({ code: 1, error: new Error('first') });
        throw new Error('second');
      }),
      /second|first/,
    ],
  ];
  for (const [name, exporter, expected] of cases) {
    const error = await failure(exporter);
    assert.match(error.message, expected, name);
    assert.equal(error.retryable, false, name);
  }
  const never = await failure(
    spy(() => {}),
    { timeoutMs: 20 },
  );
  assert.equal(never.code, 'TW_EXPORT_TIMEOUT');
  await exporterBridge(
    spy((_, done) => {
      done({ code: 0 });
      done({ code: 1 });
    }),
  ).export(batchOf(full));
});

test('an export whom nobody waits for any more is given up', async () => {
  const error = await failure(
    spy(() => {}),
    {},
    AbortSignal.timeout(20),
  );
  assert.equal(error.code, 'TW_EXPORT_TIMEOUT');
  let called = false;
  await failure(
    spy(() => {
      called = true;
    }),
    {},
    AbortSignal.abort(),
  );
  assert.equal(called, false);
});

test('a failed batch is tried again only where the options say so', async () => {
  const failing = spy((_, done) => done({ code: 1 }));
  assert.equal((await failure(failing)).retryable, false);
  assert.equal((await failure(failing, { retry: true })).retryable, true);
});

test('what the exporter does is not traced', async () => {
  context.setGlobalContextManager(new AsyncContextManager());
  try {
    let suppressed: boolean | undefined;
    await exporterBridge(
      spy((_, done) => {
        suppressed = isTracingSuppressed(context.active());
        done({ code: 0 });
      }),
    ).export(batchOf(full));
    assert.equal(suppressed, true);
  } finally {
    context.disable();
  }
});

test('flush and shutdown reach the exporter, shutdown once', async () => {
  const calls: string[] = [];
  const bridge = exporterBridge({
    export: (_, done) => done({ code: 0 }),
    forceFlush: async () => void calls.push('forceFlush'),
    shutdown: async () => void calls.push('shutdown'),
  });
  await bridge.flush?.();
  await bridge.shutdown?.();
  await bridge.shutdown?.();
  assert.deepEqual(calls, ['forceFlush', 'shutdown']);
  await exporterBridge(spy(() => {})).flush?.();
});

test("it is named after the exporter's class", () => {
  assert.equal(exporterBridge(new InMemorySpanExporter() as SdkSpanExporter).name, 'InMemorySpanExporter');
  assert.equal(exporterBridge(spy(() => {})).name, 'span-exporter');
  assert.equal(
    exporterBridge(
      spy(() => {}),
      { name: 'zipkin' },
    ).name,
    'zipkin',
  );
});

test('wrong arguments throw at once', () => {
  assert.throws(() => exporterBridge({} as SpanExporter), TypeError);
  for (const timeoutMs of [0, Number.NaN, 2 ** 31])
    assert.throws(
      () =>
        exporterBridge(
          spy(() => {}),
          { timeoutMs },
        ),
      RangeError,
    );
});

test('an exporter gets from us what the SDK would have given it', async () => {
  const direct = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(direct)] });
  const tracer = provider.getTracer('lib', '1.0.0');
  const span = tracer.startSpan('work', { kind: 2, attributes: { a: 1, b: [true] } }, ROOT_CONTEXT);
  span.addEvent('e', { c: 'd' }).setStatus({ code: 2, message: 'no' }).end();
  const [original] = direct.getFinishedSpans();
  const [bridged] = await received({
    bytes: ProtobufTraceSerializer.serializeRequest([original!])!,
    spanCount: 1,
  });
  for (const key of [
    'name',
    'kind',
    'startTime',
    'endTime',
    'duration',
    'status',
    'attributes',
    'links',
    'ended',
  ] as const) {
    assert.deepEqual(bridged![key], original![key], key);
  }
  assert.deepEqual(bridged!.events, original!.events);
  assert.deepEqual(bridged!.resource.attributes, original!.resource.attributes);
});
