// Log records of every shape that OTLP allows, in the form in which a decoder returns them.
import { type LogData, SeverityNumber } from '@tracewell/otlp';
import fc from 'fast-check';
import { anyAttributes, anyText, anyValue, hexId, record, requestOf, uint32, uint64 } from './arbitrary.ts';

const anyLog: fc.Arbitrary<Omit<LogData, 'resource' | 'scope'>> = record({
  timeUnixNanos: uint64,
  observedTimeUnixNanos: uint64,
  severityNumber: fc.constantFrom(...Object.values(SeverityNumber)),
  severityText: anyText,
  body: fc.oneof(fc.constant(undefined), anyText, anyValue),
  attributes: anyAttributes,
  droppedAttributesCount: uint32,
  flags: uint32,
  traceId: fc.oneof(fc.constant(''), hexId(16)),
  spanId: fc.oneof(fc.constant(''), hexId(8)),
  eventName: anyText,
});

/** Some log records of some resources and scopes. */
export const anyLogs: fc.Arbitrary<LogData[]> = requestOf(anyLog);
