// Real spans of the OpenTelemetry SDK, serialised by its own transformer, which knows nothing of us.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Link, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { decodeTraces, decodeTracesJson, encodeTraces, validateTraces } from '@tracewell/otlp';
import { Double } from '@tracewell/plugin';
import { bare } from './arbitrary.ts';
import { peerDecode } from './protobufjs.ts';

function recordSpans(): ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop', 'process.pid': 42 }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
    spanLimits: { attributeCountLimit: 8, eventCountLimit: 2, linkCountLimit: 2 },
  });
  const http = provider.getTracer('http', '1.2.3', { schemaUrl: 'https://opentelemetry.io/schemas/1.30.0' });
  const pg = provider.getTracer('pg');

  const remote = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  });
  const server = http.startSpan(
    'GET /cart',
    { kind: SpanKind.SERVER, startTime: [1_700_000_000, 1] },
    remote,
  );
  server.setAttributes({ text: 'käse 🧀', int: 200, negative: -7, half: 0.5, yes: true, no: false });
  server.setAttributes({ list: ['a', 'b'], numbers: [1, 2.5], 'one.too.many': 1, 'two.too.many': 2 });
  server.addEvent('first', { n: 1 }, [1_700_000_000, 5]);
  server.addEvent('second', undefined, [1_700_000_000, 6]);
  server.addEvent('third', undefined, [1_700_000_000, 7]);
  const links: Link[] = [1, 2, 3].map((n) => ({
    context: { traceId: `${n}`.repeat(32), spanId: `${n}`.repeat(16), traceFlags: TraceFlags.SAMPLED },
    attributes: { n },
  }));
  const client = pg.startSpan(
    'SELECT',
    { kind: SpanKind.CLIENT, links, startTime: [1_700_000_000, 2] },
    trace.setSpan(remote, server),
  );
  client.recordException(new RangeError('too far'), [1_700_000_000, 3]);
  client.setStatus({ code: SpanStatusCode.ERROR, message: 'too far' });
  client.end([1_700_000_001, 999_999_999]);
  server.setStatus({ code: SpanStatusCode.OK });
  server.end([1_700_000_002, 0]);
  pg.startSpan('root', { root: true }).end();
  return exporter.getFinishedSpans();
}

const spans = recordSpans();
const protobuf = ProtobufTraceSerializer.serializeRequest(spans)!;
const json = Buffer.from(JsonTraceSerializer.serializeRequest(spans)!).toString();

test('what the transformer serialises is decoded as protobufjs decodes it', () => {
  validateTraces(protobuf);
  assert.deepEqual(decodeTraces(protobuf), peerDecode(protobuf));
});

test('the decoded spans say what the SDK recorded', () => {
  const server = decodeTraces(protobuf).find(({ name }) => name === 'GET /cart')!;
  assert.equal(server.traceId, '0af7651916cd43dd8448eb211c80319c');
  assert.equal(server.parentSpanId, 'b7ad6b7169203331');
  assert.equal(server.flags, 0x301);
  assert.equal(server.kind, 2);
  assert.equal(server.startTimeUnixNanos, 1_700_000_000_000_000_001n);
  assert.equal(server.endTimeUnixNanos, 1_700_000_002_000_000_000n);
  assert.deepEqual(
    server.attributes,
    bare<unknown>([
      ['text', 'käse 🧀'],
      ['int', 200],
      ['negative', -7],
      ['half', 0.5],
      ['yes', true],
      ['no', false],
      ['list', ['a', 'b']],
      ['numbers', [1, 2.5]],
    ]),
  );
  assert.equal(server.droppedAttributesCount, 2);
  assert.deepEqual(
    server.events.map(({ name }) => name),
    ['second', 'third'],
  );
  assert.equal(server.droppedEventsCount, 1);
  assert.deepEqual(server.status, { code: 1, message: '' });
  assert.equal(server.resource.attributes['service.name'], 'shop');
  assert.deepEqual(
    [server.scope.name, server.scope.version, server.scope.schemaUrl],
    ['http', '1.2.3', 'https://opentelemetry.io/schemas/1.30.0'],
  );
  const client = decodeTraces(protobuf).find(({ name }) => name === 'SELECT')!;
  assert.equal(client.links.length, 2);
  assert.equal(client.droppedLinksCount, 1);
  assert.equal(client.events[0]!.attributes['exception.message'], 'too far');
  assert.deepEqual(client.status, { code: 2, message: 'too far' });
});

test('the JSON of the transformer is the same as its protobuf', () => {
  const withoutDoubles = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)));
  assert.deepEqual(withoutDoubles(decodeTracesJson(json)), withoutDoubles(decodeTraces(protobuf)));
});

test('encoded again, the spans are the same to protobufjs', () => {
  assert.deepEqual(peerDecode(encodeTraces(decodeTraces(protobuf))), peerDecode(protobuf));
});

test('whole floats of other languages stay floats', () => {
  const [first] = decodeTraces(protobuf);
  const whole = { ...first!, attributes: bare([['ratio', new Double(1)]]) };
  assert.deepEqual(peerDecode(encodeTraces([whole]))[0]!.attributes, whole.attributes);
});
