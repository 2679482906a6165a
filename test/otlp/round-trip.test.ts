import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeTraces,
  decodeTracesJson,
  encodeTraces,
  encodeTracesJson,
  tracesToJson,
  validateTraces,
} from '@tracewell/otlp';
import { Double, type SpanData } from '@tracewell/plugin';
import fc from 'fast-check';
import { anyValue, bare } from './arbitrary.ts';
import { anySpans } from './arbitrary-spans.ts';
import { ExportTraceServiceRequest, peerDecode } from './protobufjs.ts';
import { span } from './span.ts';

test('any spans come back from protobuf as they were', () => {
  fc.assert(fc.property(anySpans, (spans) => assert.deepEqual(decodeTraces(encodeTraces(spans)), spans)));
});

test('any spans come back from JSON as they were', () => {
  fc.assert(
    fc.property(anySpans, (spans) => assert.deepEqual(decodeTracesJson(encodeTracesJson(spans)), spans)),
  );
});

test('JSON made from protobuf is the JSON of the spans', () => {
  fc.assert(
    fc.property(anySpans, (spans) =>
      assert.equal(tracesToJson(encodeTraces(spans)), encodeTracesJson(spans)),
    ),
  );
});

test('what is encoded is valid', () => {
  fc.assert(fc.property(anySpans, (spans) => validateTraces(encodeTraces(spans))));
});

test('protobufjs reads what is encoded', () => {
  fc.assert(fc.property(anySpans, (spans) => assert.deepEqual(peerDecode(encodeTraces(spans)), spans)));
});

test('what protobufjs encodes is decoded as protobufjs decodes it', () => {
  fc.assert(
    fc.property(anySpans, (spans) => {
      const message = ExportTraceServiceRequest.decode(encodeTraces(spans));
      const bytes = ExportTraceServiceRequest.encode(message).finish();
      assert.deepEqual(decodeTraces(bytes), spans);
    }),
  );
});

test('spans of one request share their resource and scope', () => {
  const [first, second] = decodeTraces(encodeTraces([span(), span()]));
  assert.equal(first!.resource, second!.resource);
  assert.equal(first!.scope, second!.scope);
});

test('resources and scopes that say the same share a group, in the order of their first span', () => {
  const resource = (name: string): SpanData['resource'] => ({ ...span().resource, attributes: { name } });
  const scope = (name: string): SpanData['scope'] => ({ ...span().scope, name });
  const spans = [
    span({ name: '1', resource: resource('a'), scope: scope('x') }),
    span({ name: '2', resource: resource('b'), scope: scope('x') }),
    span({ name: '3', resource: resource('a'), scope: scope('y') }),
    span({ name: '4', resource: resource('a'), scope: scope('x') }),
  ];
  const decoded = decodeTraces(encodeTraces(spans));
  assert.deepEqual(
    decoded.map(({ name }) => name),
    ['1', '4', '3', '2'],
  );
  assert.equal(new Set(decoded.map(({ resource }) => resource)).size, 2);
  assert.equal(new Set(decoded.map(({ scope }) => scope)).size, 3);
});

test('attributes are typed as the table of AttributeValue says', () => {
  const attributes = {
    integer: 1,
    negative: -1,
    small: 1n,
    large: 2n ** 62n,
    float: 0.5,
    whole: new Double(1),
    negativeZero: -0,
    huge: 2 ** 60,
    nothing: null,
    absent: undefined,
    holes: [1, undefined as never, null],
  };
  const expected = bare<unknown>([
    ['integer', 1],
    ['negative', -1],
    ['small', 1],
    ['large', 2n ** 62n],
    ['float', 0.5],
    ['whole', new Double(1)],
    ['negativeZero', -0],
    ['huge', 2 ** 60],
    ['nothing', null],
    ['holes', [1, null, null]],
  ]);
  assert.deepEqual(decodeTraces(encodeTraces([span({ attributes })]))[0]!.attributes, expected);
  assert.deepEqual(decodeTracesJson(encodeTracesJson([span({ attributes })]))[0]!.attributes, expected);
});

test('nothing that was decoded refers to the message', () => {
  const bytes = encodeTraces([span({ name: 'before', attributes: { bytes: Uint8Array.of(1, 2, 3) } })]);
  const [decoded] = decodeTraces(bytes);
  bytes.fill(0xff);
  assert.equal(decoded!.name, 'before');
  assert.deepEqual(decoded!.attributes.bytes, Uint8Array.of(1, 2, 3));
});

test('a Buffer is decoded like any other Uint8Array', () => {
  const spans = [span({ attributes: { bytes: Uint8Array.of(1, 2, 3) } })];
  const bytes = encodeTraces(spans);
  const padded = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]);
  assert.deepEqual(decodeTraces(padded.subarray(6, 6 + bytes.length)), decodeTraces(bytes));
});

test('no spans are an empty request', () => {
  assert.equal(encodeTraces([]).length, 0);
  assert.deepEqual(decodeTraces(new Uint8Array()), []);
  assert.deepEqual(decodeTracesJson('{}'), []);
});

test('encoding while an attribute is read by the encoder disturbs neither message', () => {
  const inner = [span({ name: 'inner' })];
  let nested: Uint8Array | undefined;
  const attributes = {
    get trap() {
      nested = encodeTraces(inner);
      return 'outer';
    },
  };
  const outer = encodeTraces([span({ attributes })]);
  assert.equal(decodeTraces(outer)[0]!.attributes.trap, 'outer');
  assert.equal(decodeTraces(nested!)[0]!.name, 'inner');
});

test('messages larger than any buffer kept so far are encoded', () => {
  const attributes = { text: 'é'.repeat(3_000_000), bytes: new Uint8Array(5_000_000).fill(7) };
  const [decoded] = decodeTraces(encodeTraces([span({ attributes })]));
  assert.equal(decoded!.attributes.text, attributes.text);
  assert.deepEqual(decoded!.attributes.bytes, attributes.bytes);
});

test('a message that outgrows the buffer by the bytes of its lengths is encoded', () => {
  // A buffer that grew beyond 4 MiB is not kept, so the next message begins with one of 64 KiB.
  const large = [span({ attributes: { bytes: new Uint8Array(5_000_000) } })];
  const overhead = encodeTraces([span({ attributes: { bytes: new Uint8Array(60_000) } })]).length - 60_000;
  for (let size = 64 * 1024 - overhead - 8; size < 64 * 1024 - overhead + 24; size++) {
    encodeTraces(large);
    const bytes = new Uint8Array(size).fill(7);
    assert.deepEqual(
      decodeTraces(encodeTraces([span({ attributes: { bytes } })]))[0]!.attributes.bytes,
      bytes,
    );
  }
});

test('wrong arguments throw RangeError or TypeError that name what is wrong', () => {
  const cyclic: Record<string, never> = {};
  cyclic.self = cyclic as never;
  const event = { name: 'early', attributes: {}, droppedAttributesCount: 0 };
  const cases: [part: unknown, message: string, type: typeof RangeError | typeof TypeError][] = [
    [{ traceId: 'abc' }, 'spans[1].traceId must be 32 hex digits, not all zero, got "abc"', RangeError],
    [{ traceId: '0'.repeat(32) }, 'spans[1].traceId must be 32 hex digits, not all zero', RangeError],
    [{ traceId: 'x'.repeat(32) }, 'spans[1].traceId must be 32 hex digits', RangeError],
    [{ traceId: undefined }, 'spans[1].traceId must be a string, got undefined', TypeError],
    [{ spanId: '' }, 'spans[1].spanId must be 16 hex digits', RangeError],
    [{ parentSpanId: '12' }, 'spans[1].parentSpanId must be 16 hex digits', RangeError],
    [{ parentSpanId: null }, 'spans[1].parentSpanId must be a string, got null', TypeError],
    [{ name: 5 }, 'spans[1].name must be a string, got 5', TypeError],
    [{ kind: 6 }, 'spans[1].kind must be a whole number from 0 to 5, got 6', RangeError],
    [{ kind: 'SERVER' }, 'spans[1].kind must be a number, got "SERVER"', TypeError],
    [{ flags: -1 }, 'spans[1].flags must be a whole number from 0 to 4294967295, got -1', RangeError],
    [{ droppedEventsCount: 0.5 }, 'spans[1].droppedEventsCount must be a whole number', RangeError],
    [{ startTimeUnixNanos: 1 }, 'spans[1].startTimeUnixNanos must be a bigint, got 1', TypeError],
    [
      { startTimeUnixNanos: -1n },
      'spans[1].startTimeUnixNanos must be from 0 to 18446744073709551615 nanoseconds, got -1',
      RangeError,
    ],
    [{ endTimeUnixNanos: 2n ** 64n }, 'spans[1].endTimeUnixNanos must be from 0 to', RangeError],
    [{ status: undefined }, 'spans[1].status must be an object, got undefined', TypeError],
    [
      { status: { code: 3, message: '' } },
      'spans[1].status.code must be a whole number from 0 to 2',
      RangeError,
    ],
    [
      { status: { code: 2, message: {} } },
      'spans[1].status.message must be a string, got an object',
      TypeError,
    ],
    [{ events: {} }, 'spans[1].events must be an array, got an object', TypeError],
    [{ events: [null] }, 'spans[1].events[0] must be an object, got null', TypeError],
    [
      { events: [{ ...event, timeUnixNanos: -1n }] },
      'spans[1].events[0].timeUnixNanos must be from',
      RangeError,
    ],
    [{ links: [{ traceId: 'xy' }] }, 'spans[1].links[0].traceId must be hex digits, got "xy"', RangeError],
    [{ attributes: undefined }, 'spans[1].attributes must be an object, got undefined', TypeError],
    [{ attributes: ['x'] }, 'spans[1].attributes must be an object, got an array', TypeError],
    [
      { attributes: { big: 2n ** 63n } },
      'spans[1].attributes["big"] must be an integer of 64 bits',
      RangeError,
    ],
    [{ attributes: { a: { b: Symbol.iterator } } }, 'spans[1].attributes["a"]["b"] is a symbol', TypeError],
    [{ attributes: { call: () => 1 } }, 'spans[1].attributes["call"] is a function', TypeError],
    [{ attributes: { cyclic } }, 'spans[1].attributes["cyclic"]', RangeError],
    [{ resource: undefined }, 'spans[1].resource must be an object, got undefined', TypeError],
    [{ resource: { attributes: {}, schemaUrl: 5 } }, 'spans[1].resource.', TypeError],
    [{ scope: { ...span().scope, name: 5 } }, 'spans[1].scope.name must be a string, got 5', TypeError],
  ];
  for (const encode of [encodeTraces, encodeTracesJson]) {
    const refuses = (given: unknown, message: string, type: typeof RangeError | typeof TypeError): void =>
      assert.throws(
        () => encode([span(), given as SpanData]),
        (error: Error) => {
          assert.equal(error.constructor, type);
          assert.ok(error.message.startsWith(message), `${error.message} instead of ${message}`);
          return true;
        },
        `${encode.name} ${message}`,
      );
    for (const [part, message, type] of cases) refuses(span(part as Partial<SpanData>), message, type);
    for (const none of [null, undefined, 5, 'span', []])
      refuses(none, 'spans[1] must be an object, got', TypeError);
    assert.throws(() => encode([span({ attributes: { cyclic } })]), /"self".*refers to itself/);
  }
});

test('an error that the caller himself throws while a span is read comes through as it is', () => {
  const mine = new Error('mine');
  const attributes = {
    get trap(): string {
      throw mine;
    },
  };
  for (const encode of [encodeTraces, encodeTracesJson]) {
    assert.throws(
      () => encode([span({ attributes })]),
      (error) => error === mine,
    );
  }
});

test('whatever a decoder lets in can be encoded again', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const once = decodeTraces(encodeTraces([span({ attributes: { value } })]));
      assert.deepEqual(decodeTraces(encodeTraces(once)), once);
    }),
  );
  let deep: unknown[] = [];
  for (let depth = 1; depth < 256; depth++) deep = [deep];
  const bytes = encodeTraces([span({ attributes: { deep: deep as never } })]);
  const decoded = decodeTraces(bytes, { maxDepth: 256 });
  assert.deepEqual(encodeTraces(decoded), bytes);
});
