import type { InvalidSpanReason } from '../decode-limits.ts';
import {
  fixedEnd,
  keyAt,
  lengthAt,
  refuseKnown,
  skipUnknown,
  varintEnd,
  varintLow,
} from '../wire/checked.ts';
import { readFixed32 } from '../wire/read.ts';
import {
  SPAN_ATTRIBUTES,
  SPAN_DROPPED_ATTRIBUTES_COUNT,
  SPAN_DROPPED_EVENTS_COUNT,
  SPAN_DROPPED_LINKS_COUNT,
  SPAN_END_TIME,
  SPAN_EVENTS,
  SPAN_FLAGS,
  SPAN_KIND,
  SPAN_LINKS,
  SPAN_NAME,
  SPAN_PARENT_SPAN_ID,
  SPAN_SPAN_ID,
  SPAN_START_TIME,
  SPAN_STATUS,
  SPAN_TRACE_ID,
  SPAN_TRACE_STATE,
  STATUS_CODE,
  STATUS_MESSAGE,
} from '../wire/trace-fields.ts';
import { WIRE_BYTES } from '../wire/wire-types.ts';
import { entryStart, fieldEnd, RequestScanner } from './request-scanner.ts';
import { isZeroId } from './zero-id.ts';

/** In the place of an offset: there is a parent id, but not of 8 bytes. */
const INVALID_PARENT = -2;

/**
 * Walks the spans of an OTLP trace request where they lie: a cursor whose fields are numbers, most of them
 * offsets into the bytes. It makes no object per span, so that an index can be built at memory speed;
 * {@link decodeSpan} turns what is wanted into plain data later.
 *
 * One scanner can be used for any number of requests, one after the other. Its fields mean something only
 * after `next()` returned `true`.
 *
 * What it checks: the frame of every message down to the fields of each span, and of the resources. It does
 * not look into attributes, events and links: {@link validateTraces} does, and bytes that come from outside
 * should go through that first. Spans that OTLP calls invalid, by the length of an id or an id of nothing
 * but zeros, are passed over and counted in `invalid`.
 *
 * @example
 * ```ts
 * import { TraceScanner } from '@tracewell/otlp';
 *
 * const scanner = new TraceScanner();
 * scanner.reset(Uint8Array.of(0x0a, 0x00)); // a request with one ResourceSpans, empty
 * let spans = 0;
 * while (scanner.next()) spans++;
 * console.log(spans); // 0
 * ```
 */
export class TraceScanner extends RequestScanner {
  /** The `Span` message. */
  spanStart = -1;
  spanEnd = -1;
  /** The 16 bytes of the trace id. */
  traceIdAt = -1;
  /** The 8 bytes of the span id. */
  spanIdAt = -1;
  /** The 8 bytes of the parent's span id; -1 for a root. */
  parentIdAt = -1;
  /** The UTF-8 bytes of the name; an empty range if there is none. */
  nameStart = 0;
  nameEnd = 0;
  /** One of the numbers of `SpanKind`; a number that OTLP does not know is 0. */
  kind = 0;
  /** One of the numbers of `StatusCode`; a number that OTLP does not know is 0. */
  statusCode = 0;
  /** The start in nanoseconds since the Unix epoch, as unsigned 32-bit halves. */
  startLow = 0;
  startHigh = 0;
  /** The end in nanoseconds since the Unix epoch, as unsigned 32-bit halves. */
  endLow = 0;
  endHigh = 0;

  /** Spans that were passed over since `reset`. */
  invalid = 0;
  /** What was wrong with the last one of them. */
  invalidReason: InvalidSpanReason | undefined = undefined;

  override reset(bytes: Uint8Array, start?: number, end?: number): void {
    super.reset(bytes, start, end);
    this.invalid = 0;
    this.invalidReason = undefined;
  }

  /**
   * Goes to the next span.
   *
   * @returns whether there was one
   * @throws `TracewellError` (`TW_DECODE_INVALID`) with the offset where the bytes stop making sense, also
   * for a second resource or scope where OTLP has one: protobuf would merge them, a range of bytes cannot.
   * `encodeTraces(decodeTraces(bytes))` makes one of them. (`TW_DECODE_TOO_DEEP`) for unknown fields that
   * are groups nested more than 64 deep.
   */
  next(): boolean {
    const { bytes } = this;
    for (;;) {
      const at = this.entryAt;
      const end = this.entriesEnd;
      if (at < end) {
        const start = entryStart(bytes, at, end);
        const next = fieldEnd(bytes, at, end);
        this.entryAt = next;
        if (start !== -1 && this.#readSpan(start, next)) return true;
      } else if (!this.nextScopeGroup()) {
        return false;
      }
    }
  }

  // The hottest loop of all: about 19 fields a span, half of them attributes, nearly all with a key of one byte
  // and a length of one byte. What is found stays in local variables until the end, strings and messages are
  // told from the rest by their wire type, and a chain of comparisons in the order of the fields beats a switch.
  // Together twice as fast as a switch over the keys that reads each length where it is needed
  // (bench/otlp-scan).
  #readSpan(start: number, end: number): boolean {
    const { bytes } = this;
    let traceIdAt = -1;
    let spanIdAt = -1;
    let parentIdAt = -1;
    let nameStart = start;
    let nameEnd = start;
    let kind = 0;
    let startLow = 0;
    let startHigh = 0;
    let endLow = 0;
    let endHigh = 0;
    let statusCode = 0;

    for (let at = start; at < end; ) {
      let key = bytes[at]!;
      if (key >= 0x80) {
        key = keyAt(bytes, at, end);
        at = varintEnd(bytes, at, end) - 1;
      }
      if ((key & 7) === WIRE_BYTES) {
        const short = bytes[at + 1]!;
        let body = at + 2;
        let next = body + short;
        // Also where there is no byte any more, and so `short` is undefined.
        if (!(short < 0x80 && next <= end)) {
          body = varintEnd(bytes, at + 1, end);
          next = body + lengthAt(bytes, at + 1, end);
        }
        at = next;
        if (key === SPAN_ATTRIBUTES) continue;
        if (key === SPAN_TRACE_ID) {
          traceIdAt = next - body === 16 ? body : -1;
        } else if (key === SPAN_SPAN_ID) {
          spanIdAt = next - body === 8 ? body : -1;
        } else if (key === SPAN_PARENT_SPAN_ID) {
          parentIdAt = next - body === 8 ? body : next === body ? -1 : INVALID_PARENT;
        } else if (key === SPAN_NAME) {
          nameStart = body;
          nameEnd = next;
        } else if (key === SPAN_STATUS) {
          statusCode = statusCodeIn(bytes, body, next, statusCode);
        } else if (key !== SPAN_TRACE_STATE && key !== SPAN_EVENTS && key !== SPAN_LINKS) {
          refuseKnown(body, key, 1, 16);
        }
      } else if (key === SPAN_START_TIME) {
        startLow = readFixed32(bytes, at + 1);
        startHigh = readFixed32(bytes, at + 5);
        at = fixedEnd(at + 1, 8, end);
      } else if (key === SPAN_END_TIME) {
        endLow = readFixed32(bytes, at + 1);
        endHigh = readFixed32(bytes, at + 5);
        at = fixedEnd(at + 1, 8, end);
      } else if (key === SPAN_KIND) {
        kind = varintLow(bytes, at + 1, end);
        at = varintEnd(bytes, at + 1, end);
      } else if (
        key === SPAN_DROPPED_ATTRIBUTES_COUNT ||
        key === SPAN_DROPPED_EVENTS_COUNT ||
        key === SPAN_DROPPED_LINKS_COUNT
      ) {
        at = varintEnd(bytes, at + 1, end);
      } else if (key === SPAN_FLAGS) {
        at = fixedEnd(at + 1, 4, end);
      } else {
        at = skipUnknown(bytes, at + 1, end, key, 1, 16);
      }
    }

    let reason: InvalidSpanReason | undefined;
    if (traceIdAt === -1 || isZeroId(bytes, traceIdAt, 16)) reason = 'trace id';
    else if (spanIdAt === -1 || isZeroId(bytes, spanIdAt, 8)) reason = 'span id';
    else if (parentIdAt === INVALID_PARENT) reason = 'parent span id';
    if (reason !== undefined) {
      this.invalid++;
      this.invalidReason = reason;
      return false;
    }
    // Some senders write the parent of a root as zeros instead of leaving it out.
    if (parentIdAt !== -1 && isZeroId(bytes, parentIdAt, 8)) parentIdAt = -1;
    this.spanStart = start;
    this.spanEnd = end;
    this.traceIdAt = traceIdAt;
    this.spanIdAt = spanIdAt;
    this.parentIdAt = parentIdAt;
    this.nameStart = nameStart;
    this.nameEnd = nameEnd;
    this.kind = kind > 5 ? 0 : kind;
    this.statusCode = statusCode > 2 ? 0 : statusCode;
    this.startLow = startLow;
    this.startHigh = startHigh;
    this.endLow = endLow;
    this.endHigh = endHigh;
    return true;
  }
}

// A status that comes in two parts is merged: the code stays as it was where a part has none.
function statusCodeIn(bytes: Uint8Array, start: number, end: number, before: number): number {
  let code = before;
  for (let at = start; at < end; ) {
    const key = keyAt(bytes, at, end);
    at = varintEnd(bytes, at, end);
    if (key === STATUS_CODE) {
      code = varintLow(bytes, at, end);
      at = varintEnd(bytes, at, end);
    } else if (key === STATUS_MESSAGE) {
      at = varintEnd(bytes, at, end) + lengthAt(bytes, at, end);
    } else {
      at = skipUnknown(bytes, at, end, key, 2, 3);
    }
  }
  return code;
}
