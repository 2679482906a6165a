import { constants } from 'node:buffer';

/**
 * Bounds on what decoding one message may cost. Under the defaults the worst protobuf message there is takes a
 * few seconds and some hundred megabytes; one from a sender of telemetry takes a microsecond or two a span.
 */
export interface DecodeLimits {
  /**
   * How deep arrays and maps may be nested in an attribute value: a string is 0 levels deep, an array of
   * strings 1. At most 256. Default 64, twice of what most protobuf decoders take.
   */
  readonly maxDepth?: number;
  /**
   * Bytes of the message, or UTF-16 units of JSON text. At most the length of the longest string there can be,
   * 536,870,888 in Node.js. Default 33,554,432 (32 MiB).
   *
   * Of JSON text this is the only bound on memory: `JSON.parse` builds the whole of it before anything is
   * counted, and makes up to 70 bytes of a character (`[[[[`), 2 GB of 32 MiB. Take less from senders that
   * are not trusted; 4 MiB hold some thousand spans.
   */
  readonly maxBytes?: number;
  /**
   * Resources, scopes, spans, events, links, attributes and array elements together: an empty event is two
   * bytes on the wire but a hundred in memory. Default 1,000,000.
   */
  readonly maxItems?: number;
}

/** Why OTLP calls a span invalid: the id that has the wrong length or nothing but zeros. */
export type InvalidSpanReason = 'trace id' | 'span id' | 'parent span id';

/** A span that a decoder passed over. */
export interface InvalidSpan {
  /** Which id is wrong. */
  readonly reason: InvalidSpanReason;
  /** Where the span stands: an offset in protobuf, a path in JSON. */
  readonly where: string;
}

/** What decoding a whole request takes beside the message. */
export interface DecodeOptions extends DecodeLimits {
  /**
   * Called for each span with an invalid id, which is then left out. Default: the whole message is refused
   * with `TW_DECODE_INVALID`.
   */
  readonly onInvalidSpan?: (span: InvalidSpan) => void;
}

/** What encoding takes as the deepest nesting, so that whatever a decoder let in can be encoded again. */
export const MAX_DEPTH = 256;

/** The limits that hold where none are given. */
export const DEFAULT_LIMITS: Required<DecodeLimits> = {
  maxDepth: 64,
  maxBytes: 32 * 1024 * 1024,
  maxItems: 1_000_000,
};

/** Fills in the defaults. Throws a `RangeError` that names the limit, what came and what is allowed. */
export function resolveLimits(limits: DecodeLimits | undefined): Required<DecodeLimits> {
  if (limits === undefined) return DEFAULT_LIMITS;
  return {
    maxDepth: limitOf('maxDepth', limits.maxDepth, MAX_DEPTH),
    maxBytes: limitOf('maxBytes', limits.maxBytes, constants.MAX_STRING_LENGTH),
    maxItems: limitOf('maxItems', limits.maxItems, Number.MAX_SAFE_INTEGER),
  };
}

function limitOf(name: keyof DecodeLimits, value: number | undefined, max: number): number {
  if (value === undefined) return DEFAULT_LIMITS[name];
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new RangeError(`${name} must be a whole number from 0 to ${max}, got ${String(value)}`);
}
