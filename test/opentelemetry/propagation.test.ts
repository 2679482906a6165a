import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Baggage,
  baggageEntryMetadataFromString,
  type Context,
  createTraceState,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api';
import { suppressTracing, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { BaggagePropagator, TraceContextPropagator } from '@tracewell/opentelemetry';
import fc from 'fast-check';

type Headers = Record<string, string | string[]>;

const getter = {
  keys: (carrier: Headers) => Object.keys(carrier),
  get: (carrier: Headers, key: string) => carrier[key],
};
const extract = (propagator: TextMapPropagator, headers: Headers): Context =>
  propagator.extract(ROOT_CONTEXT, headers, getter);

function inject(propagator: TextMapPropagator, context: Context): Headers {
  const headers: Headers = {};
  propagator.inject(context, headers, defaultTextMapSetter);
  return headers;
}

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const traceparent = `00-${traceId}-${spanId}-01`;

test('a trace context goes out as it came in', () => {
  const ours = new TraceContextPropagator();
  const headers = { traceparent, tracestate: 'vendor=1,other=a b' };
  assert.deepEqual(inject(ours, extract(ours, headers)), headers);
  const span = trace.getSpanContext(extract(ours, headers));
  assert.equal(span?.isRemote, true);
  assert.deepEqual(ours.fields(), ['traceparent', 'tracestate']);
});

test("whatever the header, OpenTelemetry's propagator reads the same", () => {
  const [ours, theirs] = [new TraceContextPropagator(), new W3CTraceContextPropagator()];
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEFg'), minLength: length, maxLength: length });
  const likely = fc
    .tuple(
      fc.constantFrom('00', '01', 'ff', 'fe', '0', 'zz'),
      fc.oneof(fc.constant(traceId), fc.constant('0'.repeat(32)), hex(32)),
      fc.oneof(fc.constant(spanId), fc.constant('0'.repeat(16)), hex(16)),
      fc.oneof(fc.constantFrom('00', '01', '03', 'ff', '1', 'xx'), hex(2)),
      fc.constantFrom('', '-', '-extra', 'x', ' '),
    )
    .map(([version, trace, span, flags, rest]) => `${version}-${trace}-${span}-${flags}${rest}`);
  const state = fc.option(fc.oneof(fc.string(), fc.constantFrom('a=1', 'a=1,b=2', 'A=1', ',')), {
    nil: undefined,
  });
  fc.assert(
    fc.property(fc.oneof(likely, fc.string()), state, (header, tracestate) => {
      const headers: Headers =
        tracestate === undefined ? { traceparent: header } : { traceparent: header, tracestate };
      const read = (propagator: TextMapPropagator) => {
        const span = trace.getSpanContext(extract(propagator, headers));
        return span && { ...span, traceState: span.traceState?.serialize() || undefined };
      };
      assert.deepEqual(read(ours), read(theirs));
    }),
    { numRuns: 2000 },
  );
});

test('several headers of one name are one', () => {
  const span = trace.getSpanContext(
    extract(new TraceContextPropagator(), { traceparent: [traceparent, 'x'], tracestate: ['a=1', 'b=2'] }),
  );
  assert.equal(span?.traceId, traceId);
  assert.equal(span?.traceState?.serialize(), 'a=1,b=2');
});

test('flags go out as two digits, whichever bits are set', () => {
  const ours = new TraceContextPropagator();
  for (const [traceFlags, digits] of [
    [0, '00'],
    [1, '01'],
    [0x13, '13'],
    [0x1ff, 'ff'],
  ] as const) {
    const context = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags });
    assert.equal(inject(ours, context).traceparent, `00-${traceId}-${spanId}-${digits}`);
  }
});

test('nothing goes out without a valid span, or where tracing is suppressed', () => {
  const ours = new TraceContextPropagator();
  assert.deepEqual(inject(ours, ROOT_CONTEXT), {});
  const invalid = trace.setSpanContext(ROOT_CONTEXT, { traceId: '0'.repeat(32), spanId, traceFlags: 1 });
  assert.deepEqual(inject(ours, invalid), {});
  const valid = trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: 1,
    traceState: createTraceState(''),
  });
  assert.deepEqual(inject(ours, valid), { traceparent });
  assert.deepEqual(inject(ours, suppressTracing(valid)), {});
  const baggage = propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({ a: { value: '1' } }));
  assert.deepEqual(inject(new BaggagePropagator(), suppressTracing(baggage)), {});
});

const entriesOf = (baggage: Baggage | undefined) =>
  baggage?.getAllEntries().map(([key, { value, metadata }]) => [key, value, metadata?.toString()]);

test("baggage goes out as OpenTelemetry's propagator writes it, and comes in as it was", () => {
  const [ours, theirs] = [new BaggagePropagator(), new W3CBaggagePropagator()];
  const key = fc.string({ minLength: 1 }).filter((text) => text.trim() === text && text.isWellFormed());
  const value = fc.string({ minLength: 1 }).filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 5 }), fc.boolean(), (entries, withMetadata) => {
      const baggage = propagation.createBaggage(
        Object.fromEntries(
          Object.entries(entries).map(([name, text]) => [
            name,
            withMetadata
              ? { value: text, metadata: baggageEntryMetadataFromString('p=1;q') }
              : { value: text },
          ]),
        ),
      );
      const headers = inject(ours, propagation.setBaggage(ROOT_CONTEXT, baggage));
      assert.deepEqual(headers, inject(theirs, propagation.setBaggage(ROOT_CONTEXT, baggage)));
      const back = propagation.getBaggage(extract(ours, headers));
      assert.deepEqual(entriesOf(back) ?? [], entriesOf(baggage));
    }),
  );
});

test("whatever the baggage header, OpenTelemetry's propagator reads the same", () => {
  const [ours, theirs] = [new BaggagePropagator(), new W3CBaggagePropagator()];
  const member = fc.string({ unit: fc.constantFrom(...'ab=;, %2041é'), maxLength: 12 });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(member).map((members) => members.join(',')),
        fc.string(),
      ),
      (baggage) => {
        const read = (propagator: TextMapPropagator) =>
          entriesOf(propagation.getBaggage(extract(propagator, { baggage })))?.sort();
        assert.deepEqual(
          read(ours)?.map(([key, value]) => [key, value]),
          read(theirs)?.map(([key, value]) => [key, value]),
        );
      },
    ),
    { numRuns: 2000 },
  );
});

test('baggage is bounded on the way in and out, and no key touches a prototype', () => {
  const ours = new BaggagePropagator();
  const many = Array.from({ length: 1000 }, (_, index) => `k${index}=${'v'.repeat(30)}`).join(',');
  const read = propagation.getBaggage(extract(ours, { baggage: many }))!;
  assert.ok(read.getAllEntries().length <= 180);
  assert.ok(read.getAllEntries().every(([, { value }]) => value === 'v'.repeat(30)));
  assert.ok((inject(ours, propagation.setBaggage(ROOT_CONTEXT, read)).baggage as string).length <= 8192);
  assert.equal(propagation.getBaggage(extract(ours, { baggage: `a=${'x'.repeat(9000)}` })), undefined);
  const huge = propagation.createBaggage({ a: { value: 'x'.repeat(9000) }, b: { value: '1' } });
  assert.deepEqual(inject(ours, propagation.setBaggage(ROOT_CONTEXT, huge)), { baggage: 'b=1' });
  const hostile = propagation.getBaggage(extract(ours, { baggage: '__proto__=1,constructor=2' }));
  assert.deepEqual(entriesOf(hostile), [
    ['__proto__', '1', undefined],
    ['constructor', '2', undefined],
  ]);
});

test('a getter of the API serves', () => {
  const carrier = { traceparent, baggage: 'a=1' };
  assert.ok(
    trace.getSpanContext(new TraceContextPropagator().extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)),
  );
});
