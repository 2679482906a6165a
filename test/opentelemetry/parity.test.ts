// The same program on OpenTelemetry's SDK and on a plugin of ours must yield the same spans.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Context,
  context,
  createTraceState,
  ROOT_CONTEXT,
  type Span,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { AsyncContextManager } from '@tracewell/opentelemetry';
import { decodeTraces } from '@tracewell/otlp';
import type { SpanData } from '@tracewell/plugin';
import fc from 'fast-check';
import { comparableForest } from './comparable.ts';
import { recording } from './recording.ts';

type Program = (provider: TracerProvider) => void | Promise<void>;

async function bothSides(program: Program): Promise<{ ours: SpanData[]; theirs: SpanData[] }> {
  const { provider, spans } = recording();
  await program(provider);
  const memory = new InMemorySpanExporter();
  await program(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] }));
  const finished = memory.getFinishedSpans();
  return {
    ours: await spans(),
    theirs: finished.length === 0 ? [] : decodeTraces(ProtobufTraceSerializer.serializeRequest(finished)!),
  };
}

async function assertSame(program: Program, keepTimes = false): Promise<void> {
  const { ours, theirs } = await bothSides(program);
  assert.deepEqual(comparableForest(ours, keepTimes), comparableForest(theirs, keepTimes));
}

test('a program with nested, linked, failing and concurrent work', async () => {
  context.setGlobalContextManager(new AsyncContextManager());
  try {
    await assertSame(async (provider) => {
      const tracer = provider.getTracer('shop', '1.0.0', { schemaUrl: 'https://example.test/s' });
      await tracer.startActiveSpan('checkout', { kind: 1, attributes: { items: 3 } }, async (checkout) => {
        await Promise.all(
          ['payment', 'stock'].map((name) =>
            tracer.startActiveSpan(
              name,
              { kind: 2, links: [{ context: checkout.spanContext() }] },
              async (span) => {
                await new Promise((resolve) => setTimeout(resolve, 2));
                trace.getActiveSpan()!.addEvent('done', { name });
                if (name === 'stock') {
                  span.recordException(new RangeError('none left'));
                  span.setStatus({ code: 2, message: 'none left' });
                }
                span.end();
              },
            ),
          ),
        );
        provider.getTracer('audit').startSpan('audit', { root: true }).end();
        checkout.setStatus({ code: 1 });
        checkout.end();
        tracer.startSpan('after the end').end();
      });
    });
  } finally {
    context.disable();
  }
});

test('parents of every sort', () =>
  assertSame((provider) => {
    const tracer = provider.getTracer('parents');
    const remote = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
    const contexts: Context[] = [
      ROOT_CONTEXT,
      trace.setSpanContext(ROOT_CONTEXT, { ...remote, traceFlags: 1, isRemote: true }),
      trace.setSpanContext(ROOT_CONTEXT, { ...remote, traceFlags: 0, isRemote: true }),
      trace.setSpanContext(ROOT_CONTEXT, {
        ...remote,
        traceFlags: 1,
        isRemote: true,
        traceState: createTraceState('a=1,b=2'),
      }),
      trace.setSpanContext(ROOT_CONTEXT, { ...remote, traceFlags: 1, isRemote: false }),
      trace.setSpanContext(ROOT_CONTEXT, { traceId: 'x', spanId: 'y', traceFlags: 1 }),
    ];
    for (const [index, parent] of contexts.entries()) {
      const span = tracer.startSpan(`child ${index}`, {}, parent);
      const inner = tracer.startSpan(
        'grandchild',
        { links: [{ context: { ...remote, traceFlags: 1 } }] },
        trace.setSpan(parent, span),
      );
      inner.end();
      span.end();
      tracer.startSpan('late grandchild', {}, trace.setSpan(parent, span)).end();
    }
  }));

// A random program: a list of steps on the spans that are open. It gives all times itself.
const text = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((value) => value.isWellFormed());
const key = text.filter((value) => value !== '');
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Number.isInteger(value)),
);
const value = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.array(text, { maxLength: 3 }),
  fc.array(number, { maxLength: 3 }),
  fc.array(fc.boolean(), { maxLength: 3 }),
);
const attributes = fc.dictionary(key, value, { maxKeys: 4 });
const spanContext = fc.record({
  traceId: fc.constantFrom('1'.repeat(32), '2'.repeat(32)),
  spanId: fc.constantFrom('3'.repeat(16), '4'.repeat(16)),
  traceFlags: fc.constantFrom(0, 1),
  isRemote: fc.boolean(),
});
const link = fc.record({ context: spanContext, attributes });
const which = fc.nat(5);
const step = fc.oneof(
  fc.record({
    do: fc.constant('start' as const),
    which,
    name: text,
    kind: fc.nat(4),
    attributes,
    links: fc.array(link, { maxLength: 2 }),
    root: fc.boolean(),
  }),
  fc.record({ do: fc.constant('attribute' as const), which, key, value }),
  fc.record({ do: fc.constant('attributes' as const), which, attributes }),
  fc.record({
    do: fc.constant('event' as const),
    which,
    name: text,
    attributes: fc.option(attributes, { nil: undefined }),
  }),
  fc.record({ do: fc.constant('link' as const), which, link }),
  fc.record({
    do: fc.constant('status' as const),
    which,
    code: fc.nat(2),
    message: fc.option(text, { nil: undefined }),
  }),
  fc.record({ do: fc.constant('name' as const), which, name: text }),
  fc.record({ do: fc.constant('exception' as const), which, message: text }),
  fc.record({ do: fc.constant('end' as const), which }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function play(tracer: Tracer, steps: readonly Step[]): void {
  const spans: Span[] = [tracer.startSpan('first', { startTime: [1_700_000_000, 0] }, ROOT_CONTEXT)];
  for (const [index, each] of steps.entries()) {
    const time: [number, number] = [1_700_000_001 + index, index];
    const span = spans[each.which % spans.length]!;
    switch (each.do) {
      case 'start': {
        const { name, kind, attributes, links, root } = each;
        spans.push(
          tracer.startSpan(
            name,
            { kind, attributes, links, root, startTime: time },
            trace.setSpan(ROOT_CONTEXT, span),
          ),
        );
        break;
      }
      case 'attribute':
        span.setAttribute(each.key, each.value);
        break;
      case 'attributes':
        span.setAttributes(each.attributes);
        break;
      case 'event':
        if (each.attributes === undefined) span.addEvent(each.name, time);
        else span.addEvent(each.name, each.attributes, time);
        break;
      case 'link':
        span.addLink(each.link);
        break;
      case 'status':
        span.setStatus(
          each.message === undefined ? { code: each.code } : { code: each.code, message: each.message },
        );
        break;
      case 'name':
        span.updateName(each.name);
        break;
      case 'exception':
        span.recordException({ name: 'Error', message: each.message }, time);
        break;
      case 'end':
        span.end(time);
    }
  }
  for (const span of spans) span.end([1_800_000_000, 0]);
}

test('random programs', () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), (steps) =>
      assertSame((provider) => play(provider.getTracer('random', '1'), steps), true),
    ),
    { numRuns: 200 },
  ));
