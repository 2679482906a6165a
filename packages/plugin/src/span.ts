import type { Attributes } from './attributes.ts';

/**
 * What a span is to the work around it; the numbers are OTLP's.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/api/#spankind
 */
export const SpanKind = {
  UNSPECIFIED: 0,
  INTERNAL: 1,
  SERVER: 2,
  CLIENT: 3,
  PRODUCER: 4,
  CONSUMER: 5,
} as const;
/** One of the numbers of {@link SpanKind}. */
export type SpanKind = (typeof SpanKind)[keyof typeof SpanKind];

/**
 * How a span ended; the numbers are OTLP's.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/api/#set-status
 */
export const StatusCode = {
  UNSET: 0,
  OK: 1,
  ERROR: 2,
} as const;
/** One of the numbers of {@link StatusCode}. */
export type StatusCode = (typeof StatusCode)[keyof typeof StatusCode];

/** How a span ended, with a description that only errors carry. */
export interface SpanStatus {
  readonly code: StatusCode;
  /** What went wrong, for a person. Empty or absent unless `code` is `StatusCode.ERROR`. */
  readonly message?: string;
}

/**
 * The identity of a span, as W3C Trace Context carries it between processes.
 *
 * @see https://www.w3.org/TR/trace-context/
 */
export interface SpanContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string;
  /** The W3C trace flags, 8 bits; bit 0 is "sampled". Default `1` (sampled). */
  readonly traceFlags?: number;
  /** The W3C `tracestate` header as it came. Default empty. */
  readonly traceState?: string;
  /**
   * Whether it came from another process, which OTLP's flags tell of parents and links. Default: `true` for
   * `SpanStart.remoteParent`, unknown for a link. A parent that ended before its child began is passed as a
   * `remoteParent` with `false`, since its handle is dead.
   */
  readonly isRemote?: boolean;
  /**
   * Writes the same ids as bytes, from offset 0: the 16 of the trace, then the 8 of the span. Whoever draws
   * ids as numbers may offer it, and digits are then made only if somebody reads them: 250 ns less for a
   * span.
   */
  writeIds?(target: DataView): void;
}

/** Something that happened while a span was live. */
export interface SpanEvent {
  readonly name: string;
  readonly attributes?: Attributes;
  /** Nanoseconds since the Unix epoch. Default: now. */
  readonly timeUnixNanos?: bigint;
}

/** A reference from a span to another one, of the same or another trace. */
export interface SpanLink {
  readonly context: SpanContext;
  readonly attributes?: Attributes;
}

/** The library or module that recorded a span: OpenTelemetry's instrumentation scope. */
export interface InstrumentationScope {
  readonly name: string;
  readonly version?: string;
  readonly attributes?: Attributes;
  readonly schemaUrl?: string;
}

/** What produced the telemetry: service name, host, process. */
export interface Resource {
  readonly attributes: Attributes;
  readonly schemaUrl?: string;
}

/** An event of a {@link SpanData}. */
export interface SpanEventData {
  readonly timeUnixNanos: bigint;
  readonly name: string;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
}

/** A link of a {@link SpanData}. */
export interface SpanLinkData {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: string;
  /** OTLP's flags: bits 0 to 7 are the W3C trace flags, bit 8 says that bit 9 ("is remote") is known. */
  readonly flags: number;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
}

/** The instrumentation scope of a {@link SpanData}. */
export interface ScopeData {
  readonly name: string;
  readonly version: string;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  readonly schemaUrl: string;
}

/** The resource of a {@link SpanData}. */
export interface ResourceData {
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  readonly schemaUrl: string;
}

/**
 * An ended span as plain data, complete: what OTLP can say of a span, this says.
 *
 * Spans of one request share their `resource` and `scope` objects.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
export interface SpanData {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  /** 16 lower-case hex digits; empty for a root span. */
  readonly parentSpanId: string;
  /** The W3C `tracestate`; empty when there is none. */
  readonly traceState: string;
  /** OTLP's flags: bits 0 to 7 are the W3C trace flags, bit 8 says that bit 9 ("parent is remote") is known. */
  readonly flags: number;
  readonly name: string;
  readonly kind: SpanKind;
  /** Nanoseconds since the Unix epoch, unsigned 64 bits. */
  readonly startTimeUnixNanos: bigint;
  /** Nanoseconds since the Unix epoch, unsigned 64 bits. */
  readonly endTimeUnixNanos: bigint;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  readonly events: readonly SpanEventData[];
  readonly droppedEventsCount: number;
  readonly links: readonly SpanLinkData[];
  readonly droppedLinksCount: number;
  readonly status: { readonly code: StatusCode; readonly message: string };
  readonly resource: ResourceData;
  readonly scope: ScopeData;
}
