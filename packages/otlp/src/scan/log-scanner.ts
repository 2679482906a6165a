import { invalidAt } from '../decode-error.ts';
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
  LOG_RECORD_ATTRIBUTES,
  LOG_RECORD_BODY,
  LOG_RECORD_DROPPED_ATTRIBUTES_COUNT,
  LOG_RECORD_EVENT_NAME,
  LOG_RECORD_FLAGS,
  LOG_RECORD_OBSERVED_TIME,
  LOG_RECORD_RESERVED,
  LOG_RECORD_SEVERITY_NUMBER,
  LOG_RECORD_SEVERITY_TEXT,
  LOG_RECORD_SPAN_ID,
  LOG_RECORD_TIME,
  LOG_RECORD_TRACE_ID,
} from '../wire/log-fields.ts';
import { readFixed32 } from '../wire/read.ts';
import { WIRE_BYTES } from '../wire/wire-types.ts';
import { entryStart, fieldEnd, RequestScanner } from './request-scanner.ts';
import { findText, type TextRange } from './text-range.ts';
import { isZeroId } from './zero-id.ts';

/** The largest number of `SeverityNumber`. */
const MAX_SEVERITY = 24;

/**
 * Walks the records of an OTLP logs request where they lie, as {@link TraceScanner} walks spans: a cursor whose
 * fields are numbers, most of them offsets into the bytes. {@link decodeLogRecord} turns what is wanted into
 * plain data later.
 *
 * What it checks: the frame of every message down to the fields of each record and the members of its body, and
 * of the resources. It does not look into attributes: {@link validateLogs} does, and bytes that come from
 * outside should go through that first.
 *
 * @example
 * ```ts
 * import { LogScanner } from '@tracewell/otlp';
 *
 * const scanner = new LogScanner();
 * scanner.reset(Uint8Array.of(0x0a, 0x00)); // a request with one ResourceLogs, empty
 * let records = 0;
 * while (scanner.next()) records++;
 * console.log(records); // 0
 * ```
 */
export class LogScanner extends RequestScanner {
  /** The `LogRecord` message. */
  recordStart = -1;
  recordEnd = -1;
  /** When it happened in nanoseconds since the Unix epoch, as unsigned 32-bit halves; 0 if its source did not say. */
  timeLow = 0;
  timeHigh = 0;
  /** When it was seen in nanoseconds since the Unix epoch, as unsigned 32-bit halves; 0 if unknown. */
  observedTimeLow = 0;
  observedTimeHigh = 0;
  /** One of the numbers of `SeverityNumber`; a number that OTLP does not know is 0. */
  severityNumber = 0;
  /** The UTF-8 bytes of the severity's text; an empty range if there is none. */
  severityTextStart = 0;
  severityTextEnd = 0;
  /** The `AnyValue` message that is the body; -1 if there is none. */
  bodyStart = -1;
  bodyEnd = -1;
  /** The UTF-8 bytes of a body that is a string; -1 if it is not. */
  bodyTextStart = -1;
  bodyTextEnd = -1;
  /** The 16 bytes of the trace id; -1 if the record belongs to no trace. */
  traceIdAt = -1;
  /** The 8 bytes of the span id; -1 if the record belongs to no span. */
  spanIdAt = -1;
  /** The UTF-8 bytes of the event's name; an empty range if there is none. */
  eventNameStart = 0;
  eventNameEnd = 0;

  readonly #bodyText: TextRange = { start: -1, end: -1 };

  /**
   * Goes to the next record.
   *
   * @returns whether there was one
   * @throws `TracewellError` (`TW_DECODE_INVALID`) with the offset where the bytes stop making sense, also
   * for a second resource, scope or body where OTLP has one: protobuf would merge them, a range of bytes cannot.
   * `encodeLogs(decodeLogs(bytes))` makes one of them. (`TW_DECODE_TOO_DEEP`) for unknown fields that
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
        if (start === -1) continue;
        this.#readRecord(start, next);
        return true;
      }
      if (!this.nextScopeGroup()) return false;
    }
  }

  // In the manner of TraceScanner, which says why.
  #readRecord(start: number, end: number): void {
    const { bytes } = this;
    let timeLow = 0;
    let timeHigh = 0;
    let observedTimeLow = 0;
    let observedTimeHigh = 0;
    let severityNumber = 0;
    let severityTextStart = start;
    let severityTextEnd = start;
    let bodyStart = -1;
    let bodyEnd = -1;
    let traceIdAt = -1;
    let spanIdAt = -1;
    let eventNameStart = start;
    let eventNameEnd = start;

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
        if (key === LOG_RECORD_ATTRIBUTES) continue;
        if (key === LOG_RECORD_BODY) {
          if (bodyStart !== -1) throw invalidAt(body, 'two bodies where there can be one');
          bodyStart = body;
          bodyEnd = next;
        } else if (key === LOG_RECORD_TRACE_ID) {
          traceIdAt = next - body === 16 && !isZeroId(bytes, body, 16) ? body : -1;
        } else if (key === LOG_RECORD_SPAN_ID) {
          spanIdAt = next - body === 8 && !isZeroId(bytes, body, 8) ? body : -1;
        } else if (key === LOG_RECORD_SEVERITY_TEXT) {
          severityTextStart = body;
          severityTextEnd = next;
        } else if (key === LOG_RECORD_EVENT_NAME) {
          eventNameStart = body;
          eventNameEnd = next;
        } else if (key >>> 3 !== LOG_RECORD_RESERVED) {
          refuseKnown(body, key, 1, 12);
        }
      } else if (key === LOG_RECORD_TIME) {
        timeLow = readFixed32(bytes, at + 1);
        timeHigh = readFixed32(bytes, at + 5);
        at = fixedEnd(at + 1, 8, end);
      } else if (key === LOG_RECORD_OBSERVED_TIME) {
        observedTimeLow = readFixed32(bytes, at + 1);
        observedTimeHigh = readFixed32(bytes, at + 5);
        at = fixedEnd(at + 1, 8, end);
      } else if (key === LOG_RECORD_SEVERITY_NUMBER) {
        severityNumber = varintLow(bytes, at + 1, end);
        at = varintEnd(bytes, at + 1, end);
      } else if (key === LOG_RECORD_DROPPED_ATTRIBUTES_COUNT) {
        at = varintEnd(bytes, at + 1, end);
      } else if (key === LOG_RECORD_FLAGS) {
        at = fixedEnd(at + 1, 4, end);
      } else if (key >>> 3 === LOG_RECORD_RESERVED) {
        at = skipUnknown(bytes, at + 1, end, key, 0, 0);
      } else {
        at = skipUnknown(bytes, at + 1, end, key, 1, 12);
      }
    }

    this.recordStart = start;
    this.recordEnd = end;
    this.timeLow = timeLow;
    this.timeHigh = timeHigh;
    this.observedTimeLow = observedTimeLow;
    this.observedTimeHigh = observedTimeHigh;
    this.severityNumber = severityNumber > MAX_SEVERITY ? 0 : severityNumber;
    this.severityTextStart = severityTextStart;
    this.severityTextEnd = severityTextEnd;
    this.traceIdAt = traceIdAt;
    this.spanIdAt = spanIdAt;
    this.eventNameStart = eventNameStart;
    this.eventNameEnd = eventNameEnd;
    this.#readBody(bodyStart, bodyEnd);
  }

  #readBody(start: number, end: number): void {
    const text = this.#bodyText;
    text.start = text.end = -1;
    findText(this.bytes, start, end, text);
    this.bodyStart = start;
    this.bodyEnd = end;
    this.bodyTextStart = text.start;
    this.bodyTextEnd = text.end;
  }
}
