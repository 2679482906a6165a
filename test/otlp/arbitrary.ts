// What spans, log records and metrics of every shape are made of, in the form in which a decoder returns them.
import {
  type Attributes,
  type AttributeValue,
  Double,
  type ResourceData,
  type ScopeData,
} from '@tracewell/plugin';
import fc from 'fast-check';

/** An object without a prototype, as decoded attributes are. */
export function bare<Value>(entries: Iterable<readonly [string, Value]>): Record<string, Value> {
  const map = Object.create(null) as Record<string, Value>;
  for (const [key, value] of entries) map[key] = value;
  return map;
}

/** Objects like those that literals make. */
export function record<Shape>(
  fields: { [Field in keyof Shape]: fc.Arbitrary<Shape[Field]> },
): fc.Arbitrary<Shape> {
  return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<Shape>;
}

/** The id of a span or trace. */
export const hexId = (bytes: number): fc.Arbitrary<string> =>
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

/** 32 bits without sign, with the edges. */
export const uint32 = fc.oneof(
  fc.constantFrom(0, 1, 127, 128, 0x7fff_ffff, 0xffff_ffff),
  fc.nat(0xffff_ffff),
);
/** 64 bits without sign, with the edges. */
export const uint64 = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt(0n, 2n ** 64n - 1n),
);

/** Integers that a number holds. */
export const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(0, -1, 127, 128, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32), Number.MAX_SAFE_INTEGER),
);
/** Integers of 64 bits that no number holds. */
export const largeInteger = fc
  .bigInt(-(2n ** 63n), 2n ** 63n - 1n)
  .filter((value) => !Number.isSafeInteger(Number(value)));
/** Floats in the form of attribute values. */
export const double = fc
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

/** Attributes with any values. */
export const anyAttributes: fc.Arbitrary<Attributes> = fc
  .array(fc.tuple(anyKey, anyValue), { maxLength: 6 })
  .map(bare);

/** A resource. */
export const anyResource: fc.Arbitrary<ResourceData> = record({
  attributes: anyAttributes,
  droppedAttributesCount: uint32,
  schemaUrl: anyText,
});

/** A scope. */
export const anyScope: fc.Arbitrary<ScopeData> = record({
  name: anyText,
  version: anyText,
  attributes: anyAttributes,
  droppedAttributesCount: uint32,
  schemaUrl: anyText,
});

/** What has a resource and a scope. */
interface Entry {
  readonly resource: ResourceData;
  readonly scope: ScopeData;
}

/**
 * Some entries of some resources and scopes, in the order in which a request lists them. Resources differ from
 * each other, and so do the scopes of one, or encoding would rightly put them together.
 */
export function requestOf<Type extends Entry>(
  entry: fc.Arbitrary<Omit<Type, keyof Entry>>,
): fc.Arbitrary<Type[]> {
  const scopes = record({ scope: anyScope, entries: fc.array(entry, { minLength: 1, maxLength: 3 }) });
  const resources = record({
    resource: anyResource,
    scopes: fc.array(scopes, { minLength: 1, maxLength: 3 }),
  });
  return fc.array(resources, { maxLength: 3 }).map((groups) =>
    groups.flatMap(({ resource, scopes }, resourceNumber) => {
      const distinctResource = { ...resource, droppedAttributesCount: resourceNumber };
      return scopes.flatMap(({ scope, entries }, scopeNumber) => {
        const distinctScope = { ...scope, droppedAttributesCount: scopeNumber };
        return entries.map((own) => ({ ...own, resource: distinctResource, scope: distinctScope }) as Type);
      });
    }),
  );
}
