import type { LogData } from '../data/log.ts';
import { writeLogRecord } from './log-record.ts';
import { encodeRequest } from './request.ts';

/**
 * Encodes log records as one OTLP `ExportLogsServiceRequest` in protobuf.
 *
 * Records are grouped by resource, then by scope, as {@link encodeTraces} groups spans. Lone surrogates in
 * strings become U+FFFD; everything else comes back from {@link decodeLogs} as it was.
 *
 * @returns the request, which belongs to the caller; empty if there are no records
 * @throws `RangeError` for an id that is not of its length in hex digits or is all zeros, a severity above 24, a
 * time or other `bigint` beyond 64 bits, or a value nested deeper than 256 levels; `TypeError` for a field that is
 * missing or of the wrong type. Both name the record and the field: `logs[3].severityText must be a string, got 5`
 *
 * @example
 * ```ts
 * import { decodeLogs, encodeLogs, type LogData, SeverityNumber } from '@tracewell/otlp';
 *
 * const log: LogData = {
 *   timeUnixNanos: 1_700_000_000_000_000_000n, observedTimeUnixNanos: 0n,
 *   severityNumber: SeverityNumber.WARN, severityText: 'warning', eventName: '',
 *   body: 'payment is slow', attributes: { provider: 'acme' }, droppedAttributesCount: 0, flags: 0,
 *   traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331',
 *   resource: { attributes: { 'service.name': 'shop' }, droppedAttributesCount: 0, schemaUrl: '' },
 *   scope: { name: 'pino', version: '9.0.0', attributes: {}, droppedAttributesCount: 0, schemaUrl: '' },
 * };
 * console.log(decodeLogs(encodeLogs([log]))[0]?.body); // payment is slow
 * ```
 */
export function encodeLogs(logs: Iterable<LogData>): Uint8Array {
  return encodeRequest(logs, 'logs', writeLogRecord);
}
