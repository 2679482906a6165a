import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import {
  context,
  defaultTextMapSetter,
  type ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  trace,
} from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { type RegisterOptions, registerOpenTelemetry } from '@tracewell/opentelemetry';
import { recording } from './recording.ts';

const remote = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };

afterEach(() => {
  delete process.env.OTEL_PROPAGATORS;
  trace.disable();
  context.disable();
  propagation.disable();
});

function injected(options: Partial<RegisterOptions>): { headers: string[]; warnings: string[] } {
  const warnings: string[] = [];
  const registration = registerOpenTelemetry({
    plugin: recording().plugin,
    onWarning: (text) => warnings.push(text),
    ...options,
  });
  const headers: Record<string, string> = {};
  const baggage = propagation.createBaggage({ a: { value: '1' } });
  propagation.inject(
    propagation.setBaggage(trace.setSpanContext(ROOT_CONTEXT, remote), baggage),
    headers,
    defaultTextMapSetter,
  );
  registration.unregister();
  return { headers: Object.keys(headers).sort(), warnings };
}

test('a registered plugin records what anybody traces, with the active span as parent', async () => {
  const { plugin, spans } = recording();
  const before = trace.getTracer('early');
  const registration = registerOpenTelemetry({ plugin });
  assert.equal((trace.getTracerProvider() as ProxyTracerProvider).getDelegate(), registration.provider);
  await before.startActiveSpan('outer', async (outer) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    trace.getTracer('late').startSpan('inner').end();
    outer.end();
  });
  registration.unregister();
  const byName = new Map((await spans()).map((data) => [data.name, data]));
  const [inner, outer] = [byName.get('inner'), byName.get('outer')];
  assert.equal(inner!.parentSpanId, outer!.spanId);
  assert.equal(inner!.traceId, outer!.traceId);
});

test('unregister takes back what was registered, so that another can follow', async () => {
  const [first, second] = [recording(), recording()];
  const registration = registerOpenTelemetry({ plugin: first.plugin });
  registration.unregister();
  registration.unregister();
  assert.equal(trace.getTracer('x').startSpan('nobody').isRecording(), false);
  const warnings: string[] = [];
  registerOpenTelemetry({ plugin: second.plugin, onWarning: (text) => warnings.push(text) });
  registration.unregister();
  trace.getTracer('x').startSpan('second').end();
  assert.equal((await second.only()).name, 'second');
  assert.deepEqual(await first.spans(), []);
  assert.deepEqual(warnings, []);
});

test('what somebody else has registered stays theirs, and a warning says so', () => {
  const theirs = registerOpenTelemetry({ plugin: recording().plugin });
  const warnings: string[] = [];
  const ours = registerOpenTelemetry({
    plugin: recording().plugin,
    onWarning: (text) => warnings.push(text),
  });
  assert.equal(warnings.length, 3);
  assert.match(warnings.join(), /tracer provider/);
  ours.unregister();
  assert.equal((trace.getTracerProvider() as ProxyTracerProvider).getDelegate(), theirs.provider);
});

test('OTEL_PROPAGATORS is read where the option env says, and nowhere else', () => {
  process.env.OTEL_PROPAGATORS = 'tracecontext';
  assert.deepEqual(injected({ env: { OTEL_PROPAGATORS: 'baggage' } }), {
    headers: ['baggage'],
    warnings: [],
  });
  assert.deepEqual(injected({ env: {} }).headers, ['baggage', 'traceparent']);
});

test('propagators come from options, from OTEL_PROPAGATORS, or are trace context and baggage', () => {
  assert.deepEqual(injected({}), { headers: ['baggage', 'traceparent'], warnings: [] });
  assert.deepEqual(injected({ propagators: ['baggage'] }), { headers: ['baggage'], warnings: [] });
  process.env.OTEL_PROPAGATORS = ' TraceContext , tracecontext';
  assert.deepEqual(injected({}), { headers: ['traceparent'], warnings: [] });
  process.env.OTEL_PROPAGATORS = 'none';
  assert.deepEqual(injected({}), { headers: [], warnings: [] });
  process.env.OTEL_PROPAGATORS = '';
  assert.deepEqual(injected({}), { headers: ['baggage', 'traceparent'], warnings: [] });
});

test('a propagator that is named twice works once', () => {
  const { propagator, unregister } = registerOpenTelemetry({
    plugin: recording().plugin,
    propagators: ['tracecontext', 'tracecontext'],
  });
  let headers = 0;
  propagator.inject(trace.setSpanContext(ROOT_CONTEXT, remote), {}, { set: () => headers++ });
  unregister();
  assert.equal(headers, 1);
});

test('b3 and jaeger come from the published packages; what is not known is left out with a warning', () => {
  assert.deepEqual(injected({ propagators: ['b3'] }).headers, ['b3']);
  assert.deepEqual(injected({ propagators: ['b3multi'] }).headers, [
    'x-b3-sampled',
    'x-b3-spanid',
    'x-b3-traceid',
  ]);
  assert.ok(injected({ propagators: ['jaeger'] }).headers.includes('uber-trace-id'));
  process.env.OTEL_PROPAGATORS = 'tracecontext,xray,__proto__';
  const { headers, warnings } = injected({});
  assert.deepEqual(headers, ['traceparent']);
  assert.equal(warnings.length, 2);
  assert.match(warnings[0]!, /"xray" is not known.*tracecontext/);
  assert.match(warnings[1]!, /"__proto__" is not known/);
});

test('whoever is no plugin is refused at once', () => {
  assert.throws(() => registerOpenTelemetry({ plugin: undefined as never }), TypeError);
});

test('an SDK that is started later is refused by the API, and that is told, once, with what to do', () => {
  const warnings: string[] = [];
  const { setGlobalTracerProvider } = trace;
  const registration = registerOpenTelemetry({
    plugin: recording().plugin,
    onWarning: (text) => warnings.push(text),
  });
  assert.deepEqual(warnings, []);
  for (let attempt = 0; attempt < 2; attempt++) {
    assert.equal(trace.setGlobalTracerProvider(new BasicTracerProvider()), false);
  }
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /SDK was started in this process and refused.*add tracewellSpanProcessor/);
  registration.unregister();
  assert.equal(trace.setGlobalTracerProvider, setGlobalTracerProvider);
  assert.equal(trace.setGlobalTracerProvider(new BasicTracerProvider()), true);
});
