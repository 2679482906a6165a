// Spans for the tests of the store: one by hand, or random ones from a small world, in which ids, starts and
// names often meet.
import { type ResourceData, type ScopeData, type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import fc from 'fast-check';

export function resourceOf(service: string | undefined): ResourceData {
  return {
    attributes: service === undefined ? { 'host.name': 'h' } : { 'service.name': service, 'host.name': 'h' },
    droppedAttributesCount: 0,
    schemaUrl: service === 'schema' ? 'https://example.com/resource' : '',
  };
}

const SCOPE: ScopeData = {
  name: 'test',
  version: '',
  attributes: {},
  droppedAttributesCount: 0,
  schemaUrl: '',
};

/** A span with the fields that a test cares about. */
export function span(fields: Partial<SpanData> & { readonly service?: string } = {}): SpanData {
  const { service = 'shop', ...rest } = fields;
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    parentSpanId: '',
    traceState: '',
    flags: 0,
    name: 'work',
    kind: SpanKind.INTERNAL,
    startTimeUnixNanos: 1_000_000_000n,
    endTimeUnixNanos: 1_005_000_000n,
    attributes: {},
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: StatusCode.UNSET, message: '' },
    resource: resourceOf(service),
    scope: SCOPE,
    ...rest,
  };
}

/** 16 hex digits of a number. */
export function id(number: number): string {
  return number.toString(16).padStart(16, '0');
}

const SERVICES = ['shop', 'pay', '', 'schema', 'ünïcode', undefined];
const RESOURCES = SERVICES.map(resourceOf);
const NAMES = ['GET /', 'POST /pay', 'query', ''];
// The last ones differ only in their first halves, which the index does not hold.
const TRACE_IDS = ['1', '2', '3', 'f0000000000000001', 'e0000000000000001'].map((digits) =>
  digits.padStart(32, '0'),
);
const SPAN_IDS = ['1', '2', '3', '4', 'f00000001', 'e00000001'].map((digits) => digits.padStart(16, '0'));
const STARTS = [
  0n,
  1n,
  5n,
  5_000_000n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];
const DURATIONS = [0n, 1n, 1_000_000n, 1_000_001n, 16_777_217n, 2n ** 40n + 1n, -1n, -(2n ** 40n)];

export const arbitraryStart = fc.oneof(
  fc.constantFrom(...STARTS),
  fc
    .integer({ min: 0, max: 50 })
    .map((milliseconds) => 1_760_000_000_000_000_000n + BigInt(milliseconds) * 1_000_000n),
);

/** A span of the small world. Two with the same trace id, span id and start are always equal but for `unfinished`. */
export const arbitrarySpan: fc.Arbitrary<SpanData> = fc
  .record({
    traceId: fc.constantFrom(...TRACE_IDS),
    spanId: fc.constantFrom(...SPAN_IDS),
    startTimeUnixNanos: arbitraryStart,
    unfinished: fc.integer({ min: 0, max: 9 }).map((digit) => digit === 0),
  })
  .map(({ unfinished, ...key }) => {
    // Everything else follows from the key.
    const seed =
      Number.parseInt(key.traceId.slice(-2), 16) * 31 + Number.parseInt(key.spanId.slice(-2), 16) * 7;
    const pick = <Value>(values: readonly Value[], salt: number): Value =>
      values[
        (seed * salt + Number(key.startTimeUnixNanos % 97n) + (key.traceId[15] === 'f' ? 1 : 0)) %
          values.length
      ]!;
    // What is not finished does not know yet how it ends.
    const end = key.startTimeUnixNanos + (unfinished ? 0n : pick(DURATIONS, 3));
    const limits = end < 0n ? 0n : end >= 2n ** 64n ? 2n ** 64n - 1n : end;
    return span({
      ...key,
      name: pick(NAMES, 5),
      kind: pick(Object.values(SpanKind), 11),
      endTimeUnixNanos: limits,
      parentSpanId: pick(['', SPAN_IDS[0]!, SPAN_IDS[1]!], 13),
      status: { code: unfinished ? StatusCode.UNSET : pick(Object.values(StatusCode), 1), message: '' },
      resource: pick(RESOURCES, 17),
      attributes: {
        color: pick(['red', 'green', 'blue'], 19),
        size: pick([1, 2, 2.5], 23),
        ...(unfinished ? { 'tracewell.unfinished': true } : {}),
      },
    });
  });
