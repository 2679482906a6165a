import type { LogData } from '../data/log.ts';
import type { DecodeLimits } from '../decode-limits.ts';
import { readLogRecord } from './log-record.ts';
import { readRequest } from './request.ts';

/**
 * Decodes an OTLP `ExportLogsServiceRequest` (or `LogsData`, the same on the wire) from protobuf.
 *
 * As {@link decodeTraces}, but that no record is invalid: OTLP says of a trace or span id that is none that the
 * record belongs to none. A severity that OTLP does not know becomes 0.
 *
 * @returns the records in the order of the request
 * @throws `TracewellError`: `TW_DECODE_INVALID` with the offset where the bytes stop making sense,
 * `TW_DECODE_TOO_DEEP`, `TW_DECODE_TOO_LARGE`
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto
 *
 * @example
 * ```ts
 * import { decodeLogs } from '@tracewell/otlp';
 *
 * console.log(decodeLogs(new Uint8Array())); // []
 * ```
 */
export function decodeLogs(bytes: Uint8Array, limits?: DecodeLimits): LogData[] {
  const logs: LogData[] = [];
  readRequest('decodeLogs', bytes, limits, (reader, end, resource, scope) => {
    logs.push(readLogRecord(reader, end, resource, scope));
  });
  return logs;
}
