import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context, DiagLogLevel, diag, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  InMemorySpanExporter,
  type ReadableSpan as SdkSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import {
  AsyncContextManager,
  isTracingSuppressed,
  type ReadableSpan,
  type SpanProcessorOptions,
  type TracewellSpanProcessor,
  tracewellSpanExporter,
  tracewellSpanProcessor,
} from '@tracewell/opentelemetry';
import { decodeTraces } from '@tracewell/otlp';
import { type BatchExporter, ExportError, type SpanBatch } from '@tracewell/plugin';

interface Collected {
  readonly exporter: BatchExporter;
  readonly batches: SpanBatch[];
  readonly calls: string[];
  names(): string[];
}

/** A batch exporter that keeps what it gets, after `before` has had its say. */
function collecting(before: (batch: SpanBatch) => void | Promise<void> = () => {}): Collected {
  const batches: SpanBatch[] = [];
  const calls: string[] = [];
  return {
    batches,
    calls,
    names: () => batches.flatMap(({ bytes }) => decodeTraces(bytes).map((span) => span.name)),
    exporter: {
      name: 'collecting',
      async export(batch) {
        await before(batch);
        batches.push(batch);
      },
      exportSync: (batch) => void batches.push(batch),
      flush: async () => void calls.push('flush'),
      shutdown: async () => void calls.push('shutdown'),
    },
  };
}

function sdk(processor: TracewellSpanProcessor | BatchSpanProcessor): (name: string) => void {
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  const tracer = provider.getTracer('app', '1.0.0');
  return (name) => tracer.startSpan(name, {}, ROOT_CONTEXT).end();
}

/** A processor that only ever acts when it is told to. */
const patient = (exporter: BatchExporter, options: SpanProcessorOptions = {}): TracewellSpanProcessor =>
  tracewellSpanProcessor(exporter, { delayMs: 60_000, ...options });

/** Spans of the SDK with everything in them. */
function sdkSpans(): SdkSpan[] {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes(
      { 'service.name': 'shop', answer: 42 },
      { schemaUrl: 'https://example.test/r' },
    ),
    spanLimits: { eventCountLimit: 1, linkCountLimit: 1, attributeCountLimit: 3 },
    spanProcessors: [new SimpleSpanProcessor(memory)],
  });
  const remote = {
    traceId: '1'.repeat(32),
    spanId: '2'.repeat(16),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  };
  for (const name of ['a', 'b']) {
    const tracer = provider.getTracer(name, '1.0.0', { schemaUrl: 'https://example.test/s' });
    const parent = tracer.startSpan('parent', { kind: 1 }, trace.setSpanContext(ROOT_CONTEXT, remote));
    const child = tracer.startSpan(
      'child',
      {
        kind: 2,
        attributes: { a: 'x', b: 0.5, c: [true, false], d: 1 },
        links: [{ context: remote }, { context: remote, attributes: { l: 1 } }],
      },
      trace.setSpan(ROOT_CONTEXT, parent),
    );
    child.addEvent('one').addEvent('two', { n: 1 });
    child.setStatus({ code: 2, message: 'no' }).end();
    parent.setStatus({ code: 1 }).end();
  }
  return memory.getFinishedSpans();
}

test("the span exporter loses nothing that OpenTelemetry's own serializer would say", async () => {
  const spans = sdkSpans();
  const { exporter, batches } = collecting();
  const result = await new Promise<ExportResult>((resolve) =>
    tracewellSpanExporter(exporter).export(spans, resolve),
  );
  assert.equal(result.code, ExportResultCode.SUCCESS);
  assert.equal(batches[0]!.spanCount, spans.length);
  const expected = decodeTraces(ProtobufTraceSerializer.serializeRequest(spans)!);
  assert.deepEqual(decodeTraces(batches[0]!.bytes), expected);
  assert.equal(expected[0]!.droppedEventsCount, 1);
});

test('spans of the 1.x line are taken too', async () => {
  const [span] = sdkSpans();
  const { parentSpanContext, instrumentationScope, ...rest } = Object.assign({}, span, {
    spanContext: () => span!.spanContext(),
  }) as unknown as ReadableSpan;
  const old = {
    ...rest,
    droppedAttributesCount: span!.droppedAttributesCount,
    droppedEventsCount: span!.droppedEventsCount,
    droppedLinksCount: span!.droppedLinksCount,
    parentSpanId: parentSpanContext!.spanId,
    instrumentationLibrary: instrumentationScope!,
  } as ReadableSpan;
  const { exporter, batches } = collecting();
  await new Promise<ExportResult>((resolve) => tracewellSpanExporter(exporter).export([old], resolve));
  const [data] = decodeTraces(batches[0]!.bytes);
  assert.equal(data!.parentSpanId, parentSpanContext!.spanId);
  assert.equal(data!.scope.name, 'a');
});

test("the span exporter serves behind the SDK's own batch processor", async () => {
  const { exporter, names, calls } = collecting();
  const processor = new BatchSpanProcessor(tracewellSpanExporter(exporter));
  const record = sdk(processor);
  record('a');
  record('b');
  await processor.forceFlush();
  assert.deepEqual(names(), ['a', 'b']);
  await processor.shutdown();
  assert.deepEqual(calls, ['shutdown']);
});

test('the span exporter reports a failure, and is flushed and shut down as the SDK expects', async () => {
  let release = (): void => {};
  const { exporter, batches, calls } = collecting(
    () =>
      new Promise((resolve) => {
        release = resolve;
      }),
  );
  const spanExporter = tracewellSpanExporter(exporter);
  const results: ExportResult[] = [];
  spanExporter.export(sdkSpans(), (result) => results.push(result));
  const flushed = spanExporter.forceFlush!();
  assert.equal(batches.length, 0);
  release();
  await flushed;
  assert.equal(results.length, 1);
  assert.deepEqual(calls, ['flush']);
  spanExporter.export([], (result) => results.push(result));
  assert.equal(results[1]!.code, ExportResultCode.SUCCESS);
  await spanExporter.shutdown();
  await spanExporter.shutdown();
  spanExporter.export(sdkSpans(), (result) => results.push(result));
  assert.equal(results[2]!.code, ExportResultCode.FAILED);
  assert.deepEqual(calls, ['flush', 'shutdown']);

  const failing = tracewellSpanExporter({
    name: 'failing',
    export: async () => {
      throw new Error('no');
    },
  });
  const result = await new Promise<ExportResult>((resolve) => failing.export(sdkSpans(), resolve));
  assert.equal(result.code, ExportResultCode.FAILED);
  assert.equal(result.error?.message, 'no');
});

test('the span processor hands batches on after a while, at once when one is full, and on demand', async () => {
  const later = collecting();
  const recordLater = sdk(tracewellSpanProcessor(later.exporter, { delayMs: 10 }));
  recordLater('a');
  recordLater('b');
  while (later.batches.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.deepEqual(later.names(), ['a', 'b']);

  const full = collecting();
  const recordFull = sdk(patient(full.exporter, { batchMaxSpans: 2 }));
  for (const name of ['a', 'b', 'c']) recordFull(name);
  while (full.batches.length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.deepEqual(
    full.batches.map(({ spanCount }) => spanCount),
    [2, 1],
  );

  const asked = collecting();
  const processor = patient(asked.exporter);
  sdk(processor)('a');
  await processor.forceFlush();
  assert.deepEqual(asked.names(), ['a']);
  assert.deepEqual(asked.calls, ['flush']);
  assert.deepEqual(processor.stats(), { exported: 1, retained: 0, dropped: 0 });
});

test('the span processor leaves out what is not sampled', async () => {
  const { exporter, batches } = collecting();
  const processor = patient(exporter);
  const [span] = sdkSpans();
  processor.onEnd({
    ...(span as unknown as ReadableSpan),
    spanContext: () => ({ ...span!.spanContext(), traceFlags: 0 }),
  });
  await processor.forceFlush();
  assert.equal(batches.length, 0);
});

test('a batch that failed and may be retried is kept, in order and whole; a final failure is counted', async () => {
  const outcomes: (Error | undefined)[] = [
    new ExportError('busy', { retryable: true }),
    undefined,
    new ExportError('partly', { retryable: false, rejectedSpans: 1 }),
    new ExportError('never', { retryable: false }),
    undefined,
  ];
  const { exporter, names } = collecting(() => {
    const outcome = outcomes.shift();
    if (outcome !== undefined) throw outcome;
  });
  const processor = patient(exporter);
  const record = sdk(processor);
  record('a');
  await assert.rejects(processor.forceFlush(), /busy/);
  assert.deepEqual(processor.stats(), { exported: 0, retained: 1, dropped: 0 });
  record('b');
  await assert.rejects(processor.forceFlush(), /partly/);
  assert.deepEqual(processor.stats(), { exported: 1, retained: 0, dropped: 1 });
  record('c');
  await assert.rejects(processor.forceFlush(), /never/);
  record('d');
  await processor.forceFlush();
  assert.deepEqual(names(), ['a', 'd']);
  assert.deepEqual(processor.stats(), { exported: 2, retained: 0, dropped: 2 });
});

test('the queue is bounded, and what it refuses is counted', async () => {
  const { exporter, batches } = collecting();
  const processor = patient(exporter, { queueMaxSpans: 3 });
  const record = sdk(processor);
  for (let i = 0; i < 10; i++) record('x');
  assert.deepEqual(processor.stats(), { exported: 0, retained: 3, dropped: 7 });
  await processor.shutdown();
  assert.equal(batches[0]!.spanCount, 3);
});

test('F51 an exporter that hangs, throws or rejects with anything hurts nobody and is reported', async () => {
  const errors: unknown[] = [];
  const hanging: BatchExporter = { name: 'hanging', export: () => new Promise(() => {}) };
  const processor = tracewellSpanProcessor(hanging, {
    delayMs: 1,
    exportTimeoutMs: 20,
    onError: (error) => errors.push(error),
  });
  sdk(processor)('a');
  while (errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((errors[0] as ExportError).code, 'TW_EXPORT_TIMEOUT');
  await assert.rejects(processor.shutdown(), /within 20 ms/);

  for (const thrown of [undefined, null, 'text']) {
    const throwing = patient({
      name: 'throwing',
      export: () => {
        throw thrown;
      },
    });
    sdk(throwing)('a');
    await assert.rejects(throwing.forceFlush(), (error) => error === thrown);
    assert.equal(throwing.stats().retained, 1);
  }
});

test('by default, errors go to the logger of OpenTelemetry', async () => {
  const logged: unknown[][] = [];
  const silent = (): void => {};
  diag.setLogger(
    {
      error: (...args) => void logged.push(args),
      warn: silent,
      info: silent,
      debug: silent,
      verbose: silent,
    },
    DiagLogLevel.ERROR,
  );
  try {
    const processor = tracewellSpanProcessor(
      {
        name: 'no',
        export: async () => {
          throw new Error('no');
        },
      },
      { delayMs: 1 },
    );
    sdk(processor)('a');
    while (logged.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.match(String(logged[0]), /could not be delivered/);
    await processor.shutdown().catch(() => {});
  } finally {
    diag.disable();
  }
});

test('shutdown delivers, ends the exporter once, and closes the ears', async () => {
  const { exporter, names, calls } = collecting();
  const processor = patient(exporter);
  const record = sdk(processor);
  record('a');
  await Promise.all([processor.shutdown(), processor.shutdown()]);
  record('late');
  await processor.forceFlush();
  assert.deepEqual(names(), ['a']);
  assert.deepEqual(calls, ['shutdown']);
});

test('flushSync delivers before it returns, also what is in flight', async () => {
  let release = (): void => {};
  const { exporter, names } = collecting(
    () =>
      new Promise((resolve) => {
        release = resolve;
      }),
  );
  const processor = patient(exporter, { batchMaxSpans: 2 });
  const record = sdk(processor);
  for (const name of ['a', 'b', 'c', 'd', 'e']) record(name);
  const flushed = processor.forceFlush();
  await new Promise((resolve) => setImmediate(resolve));
  processor.flushSync();
  assert.deepEqual(names(), ['a', 'b', 'c', 'd', 'e']);
  release();
  await flushed;
  assert.equal(processor.stats().exported, 5);
  patient({ name: 'async only', export: async () => {} }).flushSync();
});

test('resource attributes that are still being detected are waited for', async () => {
  const { exporter, batches } = collecting();
  const processor = patient(exporter);
  const resource = resourceFromAttributes({
    later: new Promise<string>((resolve) => setTimeout(resolve, 20, 'known')),
  });
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  provider.getTracer('x').startSpan('a', {}, ROOT_CONTEXT).end();
  await processor.forceFlush();
  assert.equal(decodeTraces(batches[0]!.bytes)[0]!.resource.attributes.later, 'known');
});

test('what the exporter does is not traced', async () => {
  context.setGlobalContextManager(new AsyncContextManager());
  try {
    const suppressed: boolean[] = [];
    const { exporter } = collecting(async () => {
      await null;
      suppressed.push(isTracingSuppressed(context.active()));
    });
    const processor = patient(exporter);
    sdk(processor)('a');
    await processor.forceFlush();
    assert.deepEqual(suppressed, [true]);
  } finally {
    context.disable();
  }
});

test('wrong arguments throw at once and name the field', () => {
  assert.throws(() => tracewellSpanProcessor({} as BatchExporter), TypeError);
  assert.throws(() => tracewellSpanExporter(undefined as never), TypeError);
  const { exporter } = collecting();
  for (const field of ['delayMs', 'batchMaxSpans', 'queueMaxSpans', 'exportTimeoutMs'] as const) {
    for (const value of [0, 1.5, Number.NaN, 2 ** 31]) {
      assert.throws(() => tracewellSpanProcessor(exporter, { [field]: value }), new RegExp(field));
    }
  }
});
