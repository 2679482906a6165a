import type { AttributeValue, ResourceData, ScopeData } from '@tracewell/plugin';
import { type LogData, SeverityNumber } from '../data/log.ts';
import type { DecodeLimits } from '../decode-limits.ts';
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
import {
  type MutableAttributes,
  NO_ATTRIBUTES,
  newAttributes,
  readAnyValue,
  readKeyValue,
} from './attributes.ts';
import { spanIdOrNone, traceIdOrNone } from './ids.ts';
import { openReader, releaseReader } from './lone-reader.ts';
import type { Reader } from './reader.ts';

/**
 * Decodes one `LogRecord` message, such as {@link LogScanner} found.
 *
 * @param start - `scanner.recordStart`
 * @param end - `scanner.recordEnd`
 * @param resource - what the record's `resource` shall be; see {@link decodeResource}
 * @param scope - what the record's `scope` shall be; see {@link decodeScope}
 * @throws `TracewellError` (`TW_DECODE_INVALID`, `TW_DECODE_TOO_DEEP`, `TW_DECODE_TOO_LARGE`)
 *
 * @example
 * ```ts
 * import { decodeLogRecord, decodeResource, decodeScope, type LogData, LogScanner } from '@tracewell/otlp';
 *
 * function errors(bytes: Uint8Array): LogData[] {
 *   const found: LogData[] = [];
 *   const scanner = new LogScanner();
 *   scanner.reset(bytes);
 *   while (scanner.next()) {
 *     if (scanner.severityNumber < 17) continue;
 *     const resource = decodeResource(bytes, scanner.resourceStart, scanner.resourceEnd);
 *     const scope = decodeScope(bytes, scanner.scopeStart, scanner.scopeEnd);
 *     found.push(decodeLogRecord(bytes, scanner.recordStart, scanner.recordEnd, resource, scope));
 *   }
 *   return found;
 * }
 * console.log(errors(new Uint8Array())); // []
 * ```
 */
export function decodeLogRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
  resource: ResourceData,
  scope: ScopeData,
  limits?: DecodeLimits,
): LogData {
  const reader = openReader(bytes, start, limits);
  try {
    return readLogRecord(reader, end, resource, scope);
  } finally {
    releaseReader();
  }
}

/** Reads one `LogRecord` message up to `end`. */
export function readLogRecord(
  reader: Reader,
  end: number,
  resource: ResourceData,
  scope: ScopeData,
): LogData {
  reader.countItem();
  let timeUnixNanos = 0n;
  let observedTimeUnixNanos = 0n;
  let severityNumber = 0;
  let severityText = '';
  let body: AttributeValue | undefined;
  let attributes: MutableAttributes | undefined;
  let droppedAttributesCount = 0;
  let flags = 0;
  let traceId = '';
  let spanId = '';
  let eventName = '';

  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case LOG_RECORD_ATTRIBUTES:
        attributes ??= newAttributes();
        readKeyValue(reader, reader.open(end), attributes, 0);
        break;
      case LOG_RECORD_TIME:
        timeUnixNanos = reader.fixed64(end);
        break;
      case LOG_RECORD_OBSERVED_TIME:
        observedTimeUnixNanos = reader.fixed64(end);
        break;
      case LOG_RECORD_SEVERITY_NUMBER:
        severityNumber = reader.uint32(end);
        break;
      case LOG_RECORD_SEVERITY_TEXT:
        severityText = reader.repeatedString(end);
        break;
      case LOG_RECORD_BODY:
        body = readAnyValue(reader, reader.open(end), 0, body ?? null);
        break;
      case LOG_RECORD_DROPPED_ATTRIBUTES_COUNT:
        droppedAttributesCount = reader.uint32(end);
        break;
      case LOG_RECORD_FLAGS:
        flags = reader.fixed32(end);
        break;
      case LOG_RECORD_TRACE_ID:
        traceId = reader.repeatedHex(end, reader.traceIds);
        break;
      case LOG_RECORD_SPAN_ID:
        spanId = reader.repeatedHex(end, reader.spanIds);
        break;
      case LOG_RECORD_EVENT_NAME:
        eventName = reader.repeatedString(end);
        break;
      default:
        if (key >>> 3 === LOG_RECORD_RESERVED) reader.skip(key, end, 0, 0);
        else reader.skip(key, end, 1, 12);
    }
  }
  return {
    timeUnixNanos,
    observedTimeUnixNanos,
    severityNumber: toSeverityNumber(severityNumber),
    severityText,
    body,
    attributes: attributes ?? NO_ATTRIBUTES,
    droppedAttributesCount,
    flags,
    traceId: traceIdOrNone(traceId),
    spanId: spanIdOrNone(spanId),
    eventName,
    resource,
    scope,
  };
}

/** The severity of a number on the wire; one that OTLP does not know is unspecified. */
export function toSeverityNumber(value: number): SeverityNumber {
  return value >= 0 && value <= SeverityNumber.FATAL4
    ? (value as SeverityNumber)
    : SeverityNumber.UNSPECIFIED;
}
