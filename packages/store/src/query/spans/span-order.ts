import type { SpanData } from '@tracewell/plugin';

/**
 * The one order in which spans are returned and paged: newest start first; within the same nanosecond by the
 * ids, compared from their ends. (The index holds the ends of the ids: it can put nearly all spans into this
 * order without reading them, and the cursor of a page stays good when the spans move to other files.)
 */
export interface SpanKey {
  readonly startTimeUnixNanos: bigint;
  readonly traceId: string;
  readonly spanId: string;
}

/** Negative if `a` comes before `b`, positive if behind it, 0 if they are the same span. */
export function compareSpanKeys(a: SpanKey, b: SpanKey): number {
  if (a.startTimeUnixNanos !== b.startTimeUnixNanos)
    return a.startTimeUnixNanos > b.startTimeUnixNanos ? -1 : 1;
  return (
    compareText(a.traceId.slice(16), b.traceId.slice(16)) ||
    compareText(a.spanId.slice(8), b.spanId.slice(8)) ||
    compareText(a.traceId, b.traceId) ||
    compareText(a.spanId, b.spanId)
  );
}

function compareText(a: string, b: string): number {
  return a > b ? -1 : a < b ? 1 : 0;
}

// A cursor is the key of the last span of a page: version, start (8 bytes, big-endian), trace id, span id.
const CURSOR_VERSION = 1;
const CURSOR_BYTES = 1 + 8 + 16 + 8;

/** A page's cursor: opaque to who gets it. */
export function encodeCursor(key: SpanKey | SpanData): string {
  const bytes = Buffer.alloc(CURSOR_BYTES);
  bytes[0] = CURSOR_VERSION;
  bytes.writeBigUInt64BE(key.startTimeUnixNanos, 1);
  bytes.write(key.traceId, 9, 'hex');
  bytes.write(key.spanId, 25, 'hex');
  return bytes.toString('base64url');
}

/** @throws RangeError if it is no cursor */
export function decodeCursor(cursor: string): SpanKey {
  const bytes = Buffer.from(cursor, 'base64url');
  if (
    bytes.length !== CURSOR_BYTES ||
    bytes[0] !== CURSOR_VERSION ||
    bytes.toString('base64url') !== cursor
  ) {
    throw new RangeError('queryTraces: cursor must be one that an earlier page returned');
  }
  return {
    startTimeUnixNanos: bytes.readBigUInt64BE(1),
    traceId: bytes.toString('hex', 9, 25),
    spanId: bytes.toString('hex', 25),
  };
}
