// The bridges are structural: what was built against 2.x serves with the 3.x line, which is installed beside
// this file together with the release of the API that it needs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import {
  AsyncContextManager,
  createTracerProvider,
  exporterBridge,
  suppressTracing,
  tracewellSpanExporter,
  tracewellSpanProcessor,
} from '@tracewell/opentelemetry';
import { decodeTraces } from '@tracewell/otlp';
import type { BatchExporter, SpanBatch } from '@tracewell/plugin';
import { bufferedPlugin } from '@tracewell/sdk';
import { comparableForest } from '../comparable.ts';
import { otlpReceiver } from '../fixtures/otlp-receiver.ts';

function collecting(): { exporter: BatchExporter; batches: SpanBatch[] } {
  const batches: SpanBatch[] = [];
  return { batches, exporter: { name: 'collecting', export: async (batch) => void batches.push(batch) } };
}

test('an exporter of the 3.x line sends what a plugin of ours recorded', async () => {
  await using receiver = await otlpReceiver();
  const { exporter, batches } = collecting();
  const theirs = exporterBridge(new OTLPTraceExporter({ url: receiver.url }));
  const plugin = bufferedPlugin([exporter, theirs], { resource: { attributes: { 'service.name': 'shop' } } });
  const tracer = createTracerProvider(plugin).getTracer('app', '1.0.0');
  const parent = tracer.startSpan('parent', { kind: 1, attributes: { a: [1, 2], b: 0.5 } }, ROOT_CONTEXT);
  tracer
    .startSpan('child', { kind: 2 }, trace.setSpan(ROOT_CONTEXT, parent))
    .addEvent('e', { c: true })
    .end();
  parent.setStatus({ code: 2, message: 'no' }).end();
  await plugin.shutdown();
  const sent = receiver.requests.flatMap(({ body }) => decodeTraces(body));
  const kept = batches.flatMap(({ bytes }) => decodeTraces(bytes));
  assert.equal(sent.length, 2);
  assert.deepEqual(comparableForest(sent, true), comparableForest(kept, true));
  assert.deepEqual(sent[0]!.resource.attributes, kept[0]!.resource.attributes);
});

test('the SDK of the 3.x line takes our span processor and our span exporter', async () => {
  const [processed, exported, simple] = [collecting(), collecting(), new InMemorySpanExporter()];
  const provider = new TracerProvider({
    spanProcessors: [
      new SimpleSpanProcessor({ exporter: simple }),
      tracewellSpanProcessor(processed.exporter),
      new BatchSpanProcessor({ exporter: tracewellSpanExporter(exported.exporter) }),
    ],
  });
  provider
    .getTracer('app', '1.0.0')
    .startSpan('work', { attributes: { a: 1 } }, ROOT_CONTEXT)
    .addEvent('e')
    .end();
  await provider.forceFlush();
  for (const { batches } of [processed, exported]) {
    const [span] = batches.flatMap(({ bytes }) => decodeTraces(bytes));
    assert.equal(span!.name, 'work');
    assert.equal(span!.spanId, simple.getFinishedSpans()[0]!.spanContext().spanId);
    assert.equal(span!.scope.name, 'app');
    assert.deepEqual({ ...span!.attributes }, { a: 1 });
  }
  await provider.shutdown();
});

test('a program on the newer API records on our provider, in our contexts', async () => {
  const { exporter, batches } = collecting();
  const plugin = bufferedPlugin(exporter);
  assert.equal(context.setGlobalContextManager(new AsyncContextManager()), true);
  assert.equal(trace.setGlobalTracerProvider(createTracerProvider(plugin)), true);
  try {
    const tracer = trace.getTracer('app');
    await tracer.startActiveSpan('outer', async (outer) => {
      await null;
      tracer.startSpan('inner').end();
      context.with(suppressTracing(context.active()), () => tracer.startSpan('hidden').end());
      outer.end();
    });
  } finally {
    trace.disable();
    context.disable();
  }
  await plugin.shutdown();
  const spans = batches.flatMap(({ bytes }) => decodeTraces(bytes));
  assert.deepEqual(
    spans.map((span) => span.name),
    ['inner', 'outer'],
  );
  assert.equal(spans[0]!.parentSpanId, spans[1]!.spanId);
});
