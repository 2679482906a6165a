import { type LogData, SeverityNumber } from '../data/log.ts';
import { decodeLogs } from '../decode/logs.ts';
import type { DecodeLimits } from '../decode-limits.ts';
import { inside } from '../encode/checks.ts';
import { anyValueJson, attributesJson } from './encode-attributes.ts';
import { encodeRequestJson, type JsonNames } from './encode-request.ts';
import {
  type Json,
  nanosJson,
  nanosOrNothing,
  spanIdOrNothing,
  textOrNothing,
  traceIdOrNothing,
  uint32OrNothing,
} from './encode-values.ts';

const NAMES: JsonNames = { resourceGroups: 'resourceLogs', scopeGroups: 'scopeLogs', entries: 'logRecords' };

/**
 * Encodes log records as one OTLP `ExportLogsServiceRequest` in JSON, on one line, in the form that
 * {@link encodeTracesJson} gives spans. Fields that have their default are left out, but for the time. Groups and
 * errors are those of {@link encodeLogs}.
 *
 * @throws `RangeError`, `TypeError` as {@link encodeLogs}
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 *
 * @example
 * ```ts
 * import { encodeLogsJson } from '@tracewell/otlp';
 *
 * console.log(encodeLogsJson([])); // {"resourceLogs":[]}
 * ```
 */
export function encodeLogsJson(logs: Iterable<LogData>): string {
  return encodeRequestJson(logs, 'logs', NAMES, logJson);
}

/**
 * Translates an OTLP logs request from protobuf to JSON, on one line.
 *
 * @throws `TracewellError` as {@link decodeLogs}
 *
 * @example
 * ```ts
 * import { logsToJson } from '@tracewell/otlp';
 *
 * console.log(logsToJson(new Uint8Array())); // {"resourceLogs":[]}
 * ```
 */
export function logsToJson(bytes: Uint8Array, limits?: DecodeLimits): string {
  return encodeLogsJson(decodeLogs(bytes, limits));
}

function logJson(log: LogData): Json {
  return {
    timeUnixNano: nanosJson(log.timeUnixNanos, 'timeUnixNanos'),
    observedTimeUnixNano: nanosOrNothing(log.observedTimeUnixNanos, 'observedTimeUnixNanos'),
    severityNumber: uint32OrNothing(log.severityNumber, 'severityNumber', SeverityNumber.FATAL4),
    severityText: textOrNothing(log.severityText, 'severityText'),
    body: bodyJson(log.body),
    attributes: attributesJson(log.attributes, 'attributes'),
    droppedAttributesCount: uint32OrNothing(log.droppedAttributesCount, 'droppedAttributesCount'),
    flags: uint32OrNothing(log.flags, 'flags'),
    traceId: traceIdOrNothing(log.traceId, 'traceId'),
    spanId: spanIdOrNothing(log.spanId, 'spanId'),
    eventName: textOrNothing(log.eventName, 'eventName'),
  };
}

function bodyJson(body: LogData['body']): Json | undefined {
  if (body === undefined) return undefined;
  try {
    return anyValueJson(body, 0);
  } catch (error) {
    throw inside('body', error);
  }
}
