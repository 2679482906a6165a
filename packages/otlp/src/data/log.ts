import type { Attributes, AttributeValue, ResourceData, ScopeData } from '@tracewell/plugin';

/**
 * How serious a log record is; the numbers are OTLP's. Larger is worse, and whatever is at least `ERROR` tells of
 * an error.
 *
 * @see https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
 */
export const SeverityNumber = {
  UNSPECIFIED: 0,
  TRACE: 1,
  TRACE2: 2,
  TRACE3: 3,
  TRACE4: 4,
  DEBUG: 5,
  DEBUG2: 6,
  DEBUG3: 7,
  DEBUG4: 8,
  INFO: 9,
  INFO2: 10,
  INFO3: 11,
  INFO4: 12,
  WARN: 13,
  WARN2: 14,
  WARN3: 15,
  WARN4: 16,
  ERROR: 17,
  ERROR2: 18,
  ERROR3: 19,
  ERROR4: 20,
  FATAL: 21,
  FATAL2: 22,
  FATAL3: 23,
  FATAL4: 24,
} as const;
/** One of the numbers of {@link SeverityNumber}. */
export type SeverityNumber = (typeof SeverityNumber)[keyof typeof SeverityNumber];

/**
 * A log record as plain data, complete: what OTLP can say of a log record, this says.
 *
 * Records of one request share their `resource` and `scope` objects.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto
 */
export interface LogData {
  /** When it happened: nanoseconds since the Unix epoch, unsigned 64 bits; 0 if its source did not say. */
  readonly timeUnixNanos: bigint;
  /** When the collecting side saw it: nanoseconds since the Unix epoch, unsigned 64 bits; 0 if unknown. */
  readonly observedTimeUnixNanos: bigint;
  readonly severityNumber: SeverityNumber;
  /** The level as its source calls it, such as `warning`; empty when there is none. */
  readonly severityText: string;
  /** What was logged, a text or something structured; `undefined` when there is none, `null` for a value that says nothing. */
  readonly body: AttributeValue | undefined;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  /** Bits 0 to 7 are the W3C trace flags. */
  readonly flags: number;
  /** 32 lower-case hex digits; empty if the record belongs to no trace. */
  readonly traceId: string;
  /** 16 lower-case hex digits; empty if the record belongs to no span. */
  readonly spanId: string;
  /** What makes the record an event of that name; empty if it is none. */
  readonly eventName: string;
  readonly resource: ResourceData;
  readonly scope: ScopeData;
}
