// Spans of every shape that OTLP allows, in the form in which a decoder returns them.
import {
  type Attributes,
  type AttributeValue,
  Double,
  type ResourceData,
  type ScopeData,
  type SpanData,
  SpanKind,
  StatusCode,
} from '@tracewell/plugin';
import fc from 'fast-check';

/** An object without a prototype, as decoded attributes are. */
export function bare<Value>(entries: Iterable<readonly [string, Value]>): Record<string, Value> {
  const map = Object.create(null) as Record<string, Value>;
  for (const [key, value] of entries) map[key] = value;
  return map;
}

// Objects like those that literals make.
function record<Shape>(fields: { [Field in keyof Shape]: fc.Arbitrary<Shape[Field]> }): fc.Arbitrary<Shape> {
  return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<Shape>;
}

const hexId = (bytes: number): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((id) => Buffer.from(id).toString('hex'))
    .filter((id) => /[^0]/.test(id));

/** Any Unicode text but lone surrogates, which UTF-8 cannot say; short, long, and of awkward lengths. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', minLength: 40, maxLength: 140 }),
  fc.constantFrom('', '\0', 'é'.repeat(64), 'x'.repeat(127), 'x'.repeat(128), '😀'.repeat(32)),
);

const anyKey = fc.oneof(
  anyText,
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'service.name', '0', '-1', '\0'),
);

const uint32 = fc.oneof(fc.constantFrom(0, 1, 127, 128, 0x7fff_ffff, 0xffff_ffff), fc.nat(0xffff_ffff));
const uint64 = fc.oneof(fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 64n - 1n), fc.bigInt(0n, 2n ** 64n - 1n));

const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(0, -1, 127, 128, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32), Number.MAX_SAFE_INTEGER),
);
const largeInteger = fc
  .bigInt(-(2n ** 63n), 2n ** 63n - 1n)
  .filter((value) => !Number.isSafeInteger(Number(value)));
const double = fc
  .oneof(fc.double(), fc.constantFrom(-0, 1e300, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY))
  .map((value) => (Number.isSafeInteger(value) && !Object.is(value, -0) ? new Double(value) : value));

/** Any attribute value, arrays and maps up to three deep. */
export const anyValue: fc.Arbitrary<AttributeValue> = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    anyText,
    integer,
    largeInteger,
    double,
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 200 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(anyKey, tie('value')), { maxLength: 4 }).map(bare),
  ),
})).value;

const anyAttributes: fc.Arbitrary<Attributes> = fc
  .array(fc.tuple(anyKey, anyValue), { maxLength: 6 })
  .map(bare);

const anyResource: fc.Arbitrary<ResourceData> = record({
  attributes: anyAttributes,
  droppedAttributesCount: uint32,
  schemaUrl: anyText,
});

const anyScope: fc.Arbitrary<ScopeData> = record({
  name: anyText,
  version: anyText,
  attributes: anyAttributes,
  droppedAttributesCount: uint32,
  schemaUrl: anyText,
});

const anySpan: fc.Arbitrary<Omit<SpanData, 'resource' | 'scope'>> = record({
  traceId: hexId(16),
  spanId: hexId(8),
  parentSpanId: fc.oneof(fc.constant(''), hexId(8)),
  traceState: anyText,
  flags: uint32,
  name: anyText,
  kind: fc.constantFrom(...Object.values(SpanKind)),
  startTimeUnixNanos: uint64,
  endTimeUnixNanos: uint64,
  attributes: anyAttributes,
  droppedAttributesCount: uint32,
  events: fc.array(
    record({
      timeUnixNanos: uint64,
      name: anyText,
      attributes: anyAttributes,
      droppedAttributesCount: uint32,
    }),
    { maxLength: 3 },
  ),
  droppedEventsCount: uint32,
  links: fc.array(
    record({
      traceId: fc.oneof(hexId(16), fc.constant('')),
      spanId: fc.oneof(hexId(8), fc.constant('')),
      traceState: anyText,
      flags: uint32,
      attributes: anyAttributes,
      droppedAttributesCount: uint32,
    }),
    { maxLength: 3 },
  ),
  droppedLinksCount: uint32,
  status: record({ code: fc.constantFrom(...Object.values(StatusCode)), message: anyText }),
});

/**
 * Some spans of some resources and scopes, in the order in which a request lists them. Resources differ from
 * each other, and so do the scopes of one, or encoding would rightly put them together.
 */
export const anySpans: fc.Arbitrary<SpanData[]> = fc
  .array(
    record({
      resource: anyResource,
      scopes: fc.array(
        record({ scope: anyScope, spans: fc.array(anySpan, { minLength: 1, maxLength: 3 }) }),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
    }),
    { maxLength: 3 },
  )
  .map((resources) =>
    resources.flatMap(({ resource, scopes }, resourceNumber) => {
      const distinctResource = { ...resource, droppedAttributesCount: resourceNumber };
      return scopes.flatMap(({ scope, spans }, scopeNumber) => {
        const distinctScope = { ...scope, droppedAttributesCount: scopeNumber };
        return spans.map((span) => ({ ...span, resource: distinctResource, scope: distinctScope }));
      });
    }),
  );
