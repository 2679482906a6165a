// Log records for the tests of the store: one by hand, or random ones from a small world, in which times, ids and
// bodies often meet.
import { type LogData, SeverityNumber } from '@tracewell/otlp';
import type { AttributeValue, ScopeData } from '@tracewell/plugin';
import type { LogQuery } from '@tracewell/store';
import fc from 'fast-check';
import { arbitraryStart, resourceOf } from './spans.ts';

const SCOPE: ScopeData = {
  name: 'test',
  version: '',
  attributes: {},
  droppedAttributesCount: 0,
  schemaUrl: '',
};

/** A log record with the fields that a test cares about. */
export function log(fields: Partial<LogData> & { readonly service?: string | undefined } = {}): LogData {
  const { service = 'shop', ...rest } = fields;
  return {
    timeUnixNanos: 1_000_000_000n,
    observedTimeUnixNanos: 0n,
    severityNumber: SeverityNumber.INFO,
    severityText: '',
    body: 'hello',
    attributes: {},
    droppedAttributesCount: 0,
    flags: 0,
    traceId: '',
    spanId: '',
    eventName: '',
    resource: resourceOf(service),
    scope: SCOPE,
    ...rest,
  };
}

const RESOURCES = ['shop', 'pay', '', 'schema', 'ünïcode', undefined].map(resourceOf);
const SCOPES = [SCOPE, { ...SCOPE, name: 'other', schemaUrl: 'https://example.com/scope' }];
// The last ones differ only in their first halves, which the index does not hold; one ends in zeros.
const TRACE_IDS = ['', '1', '2', 'f0000000000000001', 'e0000000000000001', '100000000'].map((digits) =>
  digits === '' ? '' : digits.padStart(32, '0'),
);
const SPAN_IDS = ['', '1', '2', 'f00000001', 'e00000001', '100000000'].map((digits) =>
  digits === '' ? '' : digits.padStart(16, '0'),
);
const BODIES: readonly (AttributeValue | undefined)[] = [
  undefined,
  null,
  '',
  'payment failed',
  'payment of 12 € done',
  'a \ufffd b',
  17,
  ['list', { with: 'payment in it' }],
  { payment: 'only as a key', bytes: Uint8Array.of(1, 2, 3) },
];

/** A log record of the small world. */
export const arbitraryLog: fc.Arbitrary<LogData> = fc.record({
  timeUnixNanos: fc.oneof({ weight: 5, arbitrary: arbitraryStart }, fc.constant(0n)),
  observedTimeUnixNanos: fc.oneof(fc.constant(0n), arbitraryStart),
  severityNumber: fc.constantFrom(...Object.values(SeverityNumber)),
  severityText: fc.constantFrom('', 'warning'),
  body: fc.constantFrom(...BODIES),
  attributes: fc.constantFrom({}, { color: 'red', size: 2.5 }, { color: 'green', n: 2n ** 60n }),
  droppedAttributesCount: fc.constantFrom(0, 3),
  flags: fc.constantFrom(0, 1),
  traceId: fc.constantFrom(...TRACE_IDS),
  spanId: fc.constantFrom(...SPAN_IDS),
  eventName: fc.constantFrom('', 'app.start'),
  resource: fc.constantFrom(...RESOURCES),
  scope: fc.constantFrom(...SCOPES),
});

/** Queries of which many find something in the small world. */
export const arbitraryLogQuery: fc.Arbitrary<LogQuery> = fc.record(
  {
    service: fc.constantFrom('shop', 'pay', '', 'ünïcode', 'unknown_service', 'nobody'),
    minSeverity: fc.constantFrom(0, 1, 9, 17, 24),
    contains: fc.constantFrom('', 'payment', 'failed', '€', '\ufffd', '\ud800', 'list', 'nothing'),
    traceId: fc.constantFrom(...TRACE_IDS.slice(1)),
    spanId: fc.constantFrom(...SPAN_IDS.slice(1)),
    attributes: fc.constantFrom({}, { color: 'red' }, { 'host.name': 'h', n: 2n ** 60n }, { gone: 1 }),
    startTime: arbitraryStart,
    endTime: arbitraryStart,
    limit: fc.constantFrom(1, 2, 3, 7, 100),
  },
  { requiredKeys: [] },
);
