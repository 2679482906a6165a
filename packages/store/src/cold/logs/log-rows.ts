import { decodeLogRecord, type LogData } from '@tracewell/otlp';
import {
  LOG_RECORD_ATTRIBUTES,
  LOG_RECORD_BODY,
  LOG_RECORD_EVENT_NAME,
  LOG_RECORD_FLAGS,
  LOG_RECORD_OBSERVED_TIME,
  LOG_RECORD_SEVERITY_NUMBER,
  LOG_RECORD_SEVERITY_TEXT,
  LOG_RECORD_SPAN_ID,
  LOG_RECORD_TIME,
  LOG_RECORD_TRACE_ID,
} from '@tracewell/otlp/wire';
import { ByteBuffer } from '../../parquet/byte-buffer.ts';
import type { ParquetFile } from '../../parquet/file.ts';
import type { FlatColumn, MapColumn, Values } from '../../parquet/values.ts';
import type { PayloadReader } from '../../payloads/bring-back.ts';
import { TypeTag } from '../attributes/key-value.ts';
import { anyValueSize, appendAnyValue, writeAttributes } from '../attributes/write-attributes.ts';
import { readFlat } from '../flat-column.ts';
import type { DecodedOrigins } from '../origin-messages.ts';
import {
  appendBytes,
  appendFixed64Field,
  appendIdField,
  appendTextField,
  isThere,
  type TextAt,
  textAt,
} from '../text-at.ts';

/** Some rows of a row group, all that log records are made of. */
export interface LogRows {
  readonly count: number;
  readonly times: FlatColumn;
  readonly observedTimes: FlatColumn;
  readonly severities: Int32Array;
  readonly severityTexts: FlatColumn;
  readonly bodies: FlatColumn;
  readonly bodyTypes: FlatColumn;
  readonly traceIds: FlatColumn;
  readonly spanIds: FlatColumn;
  readonly eventNames: FlatColumn;
  readonly attributes: MapColumn;
  readonly attributeTypes: Values;
  readonly flags: Int32Array;
  readonly resources: Values;
  readonly scopes: Values;
  readonly rest: FlatColumn;
}

/** Reads the rows `from` to `to` of a row group. @throws `TracewellError` (`TW_COLD_DAMAGED`) */
export function readLogRows(file: ParquetFile, group: number, from: number, to: number): LogRows {
  const flat = (name: string): FlatColumn => readFlat(file, group, name, from, to);
  return {
    count: to - from,
    times: flat('time'),
    observedTimes: flat('observed_time'),
    severities: flat('severity_number').values as Int32Array,
    severityTexts: flat('severity_text'),
    bodies: flat('body'),
    bodyTypes: flat('body_type'),
    traceIds: flat('trace_id'),
    spanIds: flat('span_id'),
    eventNames: flat('event_name'),
    attributes: file.readColumn(group, 'attributes', from, to) as MapColumn,
    attributeTypes: flat('attribute_types').values,
    flags: flat('flags').values as Int32Array,
    resources: flat('resource').values,
    scopes: flat('scope').values,
    rest: flat('otlp'),
  };
}

/**
 * Writes a row as the `LogRecord` message that it was made of: what decodes to the same record.
 *
 * Fields come in the order in which later ones win: what the columns say first, then what `otlp` says instead or
 * beside, then attributes, of which an earlier one with the same key may be in `otlp`.
 */
export function writeLogMessage(target: ByteBuffer, rows: LogRows, row: number): void {
  appendFixed64Field(target, LOG_RECORD_TIME, rows.times, row);
  appendFixed64Field(target, LOG_RECORD_OBSERVED_TIME, rows.observedTimes, row);
  const severity = rows.severities[row]!;
  if (severity !== 0) {
    target.byte(LOG_RECORD_SEVERITY_NUMBER);
    target.byte(severity);
  }
  appendTextField(target, LOG_RECORD_SEVERITY_TEXT, rows.severityTexts, row);
  writeBody(target, rows, row);
  appendIdField(target, LOG_RECORD_TRACE_ID, rows.traceIds, row);
  appendIdField(target, LOG_RECORD_SPAN_ID, rows.spanIds, row);
  appendTextField(target, LOG_RECORD_EVENT_NAME, rows.eventNames, row);
  const flags = rows.flags[row]!;
  if (flags !== 0) {
    target.byte(LOG_RECORD_FLAGS);
    target.fixed32(flags);
  }
  appendBytes(target, rows.rest, row);
  writeAttributes(target, LOG_RECORD_ATTRIBUTES, rows.attributes, rows.attributeTypes, row);
}

const text: TextAt = { bytes: new Uint8Array(0), start: 0, end: 0 };

function writeBody(target: ByteBuffer, { bodies, bodyTypes }: LogRows, row: number): void {
  if (!isThere(bodyTypes, row)) return;
  textAt(bodyTypes.values, row, text);
  const tag = text.bytes[text.start]!;
  if (tag === TypeTag.OTHER) return;
  textAt(bodies.values, row, text);
  target.byte(LOG_RECORD_BODY);
  target.varint(anyValueSize(tag, text));
  appendAnyValue(target, tag, text);
}

const message = new ByteBuffer(4096);

/**
 * A row as a log record; those of the same resource or scope share theirs.
 *
 * @param payloads - brings back the values that went to the blob store
 */
export function decodeLogRow(
  rows: LogRows,
  row: number,
  origins: DecodedOrigins,
  payloads?: PayloadReader,
): LogData {
  message.length = 0;
  writeLogMessage(message, rows, row);
  const resource = origins.resource(rows.resources, row);
  const scope = origins.scope(rows.scopes, row);
  if (payloads === undefined) return decodeLogRecord(message.bytes, 0, message.length, resource, scope);
  const record = payloads.log(message.written());
  return decodeLogRecord(record, 0, record.length, resource, scope);
}
