// Spans of every shape that OTLP allows, in the form in which a decoder returns them.
import { type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import fc from 'fast-check';
import { anyAttributes, anyText, hexId, record, requestOf, uint32, uint64 } from './arbitrary.ts';

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

/** Some spans of some resources and scopes. */
export const anySpans: fc.Arbitrary<SpanData[]> = requestOf(anySpan);
