const ZERO_SPAN_ID = '0'.repeat(16);
const ZERO_TRACE_ID = '0'.repeat(32);

/** Whether hex digits are the id of a trace: of its length and not all zero. */
export function isTraceId(digits: string): boolean {
  return digits.length === 32 && !isZero(digits, ZERO_TRACE_ID);
}

/** Whether hex digits are the id of a span: of its length and not all zero. */
export function isSpanId(digits: string): boolean {
  return digits.length === 16 && !isZero(digits, ZERO_SPAN_ID);
}

/** The id of the trace that something belongs to; OTLP says of an invalid one that it belongs to none. */
export function traceIdOrNone(digits: string): string {
  return isTraceId(digits) ? digits : '';
}

/** The id of the span that something belongs to; OTLP says of an invalid one that it belongs to none. */
export function spanIdOrNone(digits: string): string {
  return isSpanId(digits) ? digits : '';
}

/** The parent's span id; some senders write that of a root as zeros instead of leaving it out. */
export function presentParent(parentSpanId: string): string {
  return isZero(parentSpanId, ZERO_SPAN_ID) ? '' : parentSpanId;
}

// The first digit spares 15 of 16 random ids a comparison of strings.
function isZero(digits: string, zero: string): boolean {
  return digits.charCodeAt(0) === 0x30 && digits === zero;
}
