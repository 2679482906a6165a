import { invalidAt } from '../decode-error.ts';
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
import {
  REQUEST_RESOURCE_SPANS,
  RESOURCE_SPANS_RESOURCE,
  RESOURCE_SPANS_SCHEMA_URL,
  RESOURCE_SPANS_SCOPE_SPANS,
  SCOPE_SPANS_SCHEMA_URL,
  SCOPE_SPANS_SCOPE,
  SCOPE_SPANS_SPANS,
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
  WIRE_BYTES,
} from '../wire/fields.ts';
import { readFixed32 } from '../wire/read.ts';
import { findServiceName, type StringRange } from './service-name.ts';

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
export class TraceScanner {
  /** What is being scanned. All offsets count from its start. */
  bytes: Uint8Array = new Uint8Array(0);

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

  /** Counts the `ResourceSpans` of the request, from 0: spans with the same number share a resource. */
  resourceNumber = -1;
  /** The `Resource` message; -1 if there is none. */
  resourceStart = -1;
  resourceEnd = -1;
  /** The UTF-8 bytes of the resource's schema URL; -1 if there is none. */
  resourceSchemaStart = -1;
  resourceSchemaEnd = -1;
  /** The UTF-8 bytes of the resource's `service.name`; -1 if there is none or it is not a string. */
  serviceNameStart = -1;
  serviceNameEnd = -1;

  /** Counts the `ScopeSpans` of the request, from 0: spans with the same number share a scope and a resource. */
  scopeNumber = -1;
  /** The `InstrumentationScope` message; -1 if there is none. */
  scopeStart = -1;
  scopeEnd = -1;
  /** The UTF-8 bytes of the scope's schema URL; -1 if there is none. */
  scopeSchemaStart = -1;
  scopeSchemaEnd = -1;

  /** Spans that were passed over since `reset`. */
  invalid = 0;
  /** What was wrong with the last one of them. */
  invalidReason: InvalidSpanReason | undefined = undefined;

  // Where the walk is, and where the message that it is in ends, for each level.
  #at = 0;
  #end = 0;
  #resourceSpansEnd = 0;
  #scopeSpansEnd = 0;
  readonly #serviceName: StringRange = { start: -1, end: -1 };

  /** Begins with other bytes: those from `start` (default 0) to `end` (default all) are one request. */
  reset(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new RangeError(`TraceScanner.reset: ${start} to ${end} is no range of ${bytes.length} bytes`);
    }
    this.bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#resourceSpansEnd = start;
    this.#scopeSpansEnd = start;
    this.resourceNumber = -1;
    this.scopeNumber = -1;
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
    for (;;) {
      if (this.#at < this.#scopeSpansEnd) {
        if (this.#nextInScopeSpans()) return true;
      } else if (this.#at < this.#resourceSpansEnd) {
        this.#nextInResourceSpans();
      } else if (this.#at < this.#end) {
        this.#nextInRequest();
      } else {
        return false;
      }
    }
  }

  #nextInRequest(): void {
    const { bytes } = this;
    const end = this.#end;
    const key = keyAt(bytes, this.#at, end);
    const at = varintEnd(bytes, this.#at, end);
    if (key !== REQUEST_RESOURCE_SPANS) {
      this.#at = skipUnknown(bytes, at, end, key, 1, 1);
      return;
    }
    const start = varintEnd(bytes, at, end);
    this.#resourceSpansEnd = start + lengthAt(bytes, at, end);
    this.#at = start;
    this.#scopeSpansEnd = start;
    this.resourceNumber++;
    this.#readResource(start, this.#resourceSpansEnd);
  }

  // Protobuf fields come in any order, so what all spans of a ResourceSpans share is looked up before the
  // first of them. The walk touches only the head of each field: a few nanoseconds a field.
  #readResource(start: number, end: number): void {
    const { bytes } = this;
    this.resourceStart = this.resourceEnd = -1;
    this.resourceSchemaStart = this.resourceSchemaEnd = -1;
    for (let at = start; at < end; ) {
      const key = keyAt(bytes, at, end);
      const head = varintEnd(bytes, at, end);
      if (
        key !== RESOURCE_SPANS_RESOURCE &&
        key !== RESOURCE_SPANS_SCHEMA_URL &&
        key !== RESOURCE_SPANS_SCOPE_SPANS
      ) {
        at = skipUnknown(bytes, head, end, key, 1, 3);
        continue;
      }
      const body = varintEnd(bytes, head, end);
      const next = body + lengthAt(bytes, head, end);
      if (key === RESOURCE_SPANS_RESOURCE) {
        if (this.resourceStart !== -1) throw invalidAt(at, 'a ResourceSpans has two resources');
        this.resourceStart = body;
        this.resourceEnd = next;
      } else if (key === RESOURCE_SPANS_SCHEMA_URL) {
        this.resourceSchemaStart = body;
        this.resourceSchemaEnd = next;
      }
      at = next;
    }
    const found = this.#serviceName;
    findServiceName(bytes, this.resourceStart, this.resourceEnd, found);
    this.serviceNameStart = found.start;
    this.serviceNameEnd = found.end;
  }

  // The fields were checked by #readResource.
  #nextInResourceSpans(): void {
    const { bytes } = this;
    const end = this.#resourceSpansEnd;
    const key = keyAt(bytes, this.#at, end);
    const at = varintEnd(bytes, this.#at, end);
    if (key !== RESOURCE_SPANS_SCOPE_SPANS) {
      this.#at = skipUnknown(bytes, at, end, key, 0, 0);
      return;
    }
    const start = varintEnd(bytes, at, end);
    this.#scopeSpansEnd = start + lengthAt(bytes, at, end);
    this.#at = start;
    this.scopeNumber++;
    this.#readScope(start, this.#scopeSpansEnd);
  }

  #readScope(start: number, end: number): void {
    const { bytes } = this;
    this.scopeStart = this.scopeEnd = -1;
    this.scopeSchemaStart = this.scopeSchemaEnd = -1;
    for (let at = start; at < end; ) {
      const spanEnd = usualSpanEnd(bytes, at, end);
      if (spanEnd !== -1) {
        at = spanEnd;
        continue;
      }
      const key = keyAt(bytes, at, end);
      const head = varintEnd(bytes, at, end);
      if (key !== SCOPE_SPANS_SCOPE && key !== SCOPE_SPANS_SCHEMA_URL && key !== SCOPE_SPANS_SPANS) {
        at = skipUnknown(bytes, head, end, key, 1, 3);
        continue;
      }
      const body = varintEnd(bytes, head, end);
      const next = body + lengthAt(bytes, head, end);
      if (key === SCOPE_SPANS_SCOPE) {
        if (this.scopeStart !== -1) throw invalidAt(at, 'a ScopeSpans has two scopes');
        this.scopeStart = body;
        this.scopeEnd = next;
      } else if (key === SCOPE_SPANS_SCHEMA_URL) {
        this.scopeSchemaStart = body;
        this.scopeSchemaEnd = next;
      }
      at = next;
    }
  }

  // The fields were checked by #readScope.
  #nextInScopeSpans(): boolean {
    const { bytes } = this;
    const end = this.#scopeSpansEnd;
    const usualEnd = usualSpanEnd(bytes, this.#at, end);
    if (usualEnd !== -1) {
      const start = this.#at + 3;
      this.#at = usualEnd;
      return this.#readSpan(start, usualEnd);
    }
    const key = keyAt(bytes, this.#at, end);
    const at = varintEnd(bytes, this.#at, end);
    if (key !== SCOPE_SPANS_SPANS) {
      this.#at = skipUnknown(bytes, at, end, key, 0, 0);
      return false;
    }
    const start = varintEnd(bytes, at, end);
    const spanEnd = start + lengthAt(bytes, at, end);
    this.#at = spanEnd;
    return this.#readSpan(start, spanEnd);
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
    if (traceIdAt === -1 || isZero(bytes, traceIdAt, 16)) reason = 'trace id';
    else if (spanIdAt === -1 || isZero(bytes, spanIdAt, 8)) reason = 'span id';
    else if (parentIdAt === INVALID_PARENT) reason = 'parent span id';
    if (reason !== undefined) {
      this.invalid++;
      this.invalidReason = reason;
      return false;
    }
    // Some senders write the parent of a root as zeros instead of leaving it out.
    if (parentIdAt !== -1 && isZero(bytes, parentIdAt, 8)) parentIdAt = -1;
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

/**
 * Where the span that begins at `at` ends, if its length takes two bytes, as that of nearly every span does;
 * otherwise -1. Reading the head of a span in one go instead of varint by varint is a fifth of a scan.
 */
function usualSpanEnd(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== SCOPE_SPANS_SPANS) return -1;
  const low = bytes[at + 1]!;
  if (low < 0x80) return -1;
  const high = bytes[at + 2]!;
  const spanEnd = at + 3 + ((low & 0x7f) | (high << 7));
  return high < 0x80 && spanEnd <= end ? spanEnd : -1;
}

function isZero(bytes: Uint8Array, at: number, length: number): boolean {
  // Decided by the first byte for all but one in 256 random ids.
  for (let index = at; index < at + length; index++) if (bytes[index] !== 0) return false;
  return true;
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
