import type { ResourceData, ScopeData } from '@tracewell/plugin';
import { type LogData, SeverityNumber } from '../data/log.ts';
import { spanIdOrNone, traceIdOrNone } from '../decode/ids.ts';
import { toSeverityNumber } from '../decode/log-record.ts';
import type { DecodeLimits } from '../decode-limits.ts';
import { readAnyValue, readAttributes } from './decode-attributes.ts';
import { type RequestNames, readDroppedAttributesCount, readRequestJson } from './decode-request.ts';
import {
  type JsonObject,
  type JsonReader,
  toEnum,
  toHex,
  toObject,
  toText,
  toUint32,
  toUint64,
} from './json-reader.ts';

const NAMES: RequestNames = {
  resourceGroups: ['resourceLogs', 'resource_logs'],
  scopeGroups: ['scopeLogs', 'scope_logs'],
  entries: ['logRecords', 'log_records'],
};

/**
 * Decodes an OTLP `ExportLogsServiceRequest` from JSON, in every form that {@link decodeTracesJson} takes. What
 * comes out is what {@link decodeLogs} makes of the same request in protobuf.
 *
 * @param json - text, or what `JSON.parse` made of it
 * @throws `TracewellError`: `TW_DECODE_INVALID` with the path of what is wrong, `TW_DECODE_TOO_DEEP`,
 * `TW_DECODE_TOO_LARGE`
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 *
 * @example
 * ```ts
 * import { decodeLogsJson } from '@tracewell/otlp';
 *
 * const [log] = decodeLogsJson(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{
 *   "severityNumber":"SEVERITY_NUMBER_WARN","body":{"stringValue":"payment is slow"}}]}]}]}`);
 * console.log(log?.severityNumber, log?.body); // 13 payment is slow
 * ```
 */
export function decodeLogsJson(json: string | object, limits?: DecodeLimits): LogData[] {
  const logs: LogData[] = [];
  readRequestJson(json, limits, NAMES, (reader, message, resource, scope) => {
    logs.push(readLogRecord(reader, message, resource, scope));
  });
  return logs;
}

function readLogRecord(
  reader: JsonReader,
  message: JsonObject,
  resource: ResourceData,
  scope: ScopeData,
): LogData {
  reader.countItem();
  return {
    timeUnixNanos: reader.read(message, 'timeUnixNano', 'time_unix_nano', toUint64),
    observedTimeUnixNanos: reader.read(message, 'observedTimeUnixNano', 'observed_time_unix_nano', toUint64),
    severityNumber: reader.read(message, 'severityNumber', 'severity_number', toSeverity),
    severityText: reader.read(message, 'severityText', 'severity_text', toText),
    body: reader.read(message, 'body', 'body', toBody),
    attributes: readAttributes(reader, message),
    droppedAttributesCount: readDroppedAttributesCount(reader, message),
    flags: reader.read(message, 'flags', 'flags', toUint32),
    traceId: traceIdOrNone(reader.read(message, 'traceId', 'trace_id', toHex)),
    spanId: spanIdOrNone(reader.read(message, 'spanId', 'span_id', toHex)),
    eventName: reader.read(message, 'eventName', 'event_name', toText),
    resource,
    scope,
  };
}

function toBody(reader: JsonReader, value: unknown): LogData['body'] {
  return value === undefined || value === null ? undefined : readAnyValue(reader, toObject(reader, value), 0);
}

function toSeverity(reader: JsonReader, value: unknown): SeverityNumber {
  return toSeverityNumber(toEnum(reader, value, 'SEVERITY_NUMBER_', SeverityNumber));
}
