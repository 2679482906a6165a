import { decodeSpan } from '@tracewell/otlp';
import {
  SPAN_ATTRIBUTES,
  SPAN_END_TIME,
  SPAN_FLAGS,
  SPAN_KIND,
  SPAN_NAME,
  SPAN_PARENT_SPAN_ID,
  SPAN_SPAN_ID,
  SPAN_START_TIME,
  SPAN_STATUS,
  SPAN_TRACE_ID,
  SPAN_TRACE_STATE,
  STATUS_CODE,
  STATUS_MESSAGE,
  varintSize,
  writeFixed64,
} from '@tracewell/otlp/wire';
import type { SpanData } from '@tracewell/plugin';
import { ByteBuffer } from '../../parquet/byte-buffer.ts';
import type { PayloadReader } from '../../payloads/bring-back.ts';
import { writeAttributes } from '../attributes/write-attributes.ts';
import type { DecodedOrigins } from '../origin-messages.ts';
import {
  appendBytes,
  appendId,
  appendIdField,
  appendText,
  appendTextField,
  isThere,
  type TextAt,
  textAt,
} from '../text-at.ts';
import type { SpanRows } from './span-rows.ts';

/**
 * Writes a row as the `Span` message that it was made of: what decodes to the same span.
 *
 * Fields come in the order in which later ones win: what the columns say first, then what `otlp` says instead or
 * beside, then attributes, of which an earlier one with the same key may be in `otlp`.
 */
export function writeSpanMessage(target: ByteBuffer, rows: SpanRows, row: number): void {
  appendId(target, SPAN_TRACE_ID, rows.traceIds, row);
  appendId(target, SPAN_SPAN_ID, rows.spanIds, row);
  appendIdField(target, SPAN_PARENT_SPAN_ID, rows.parentIds, row);
  appendText(target, SPAN_NAME, rows.names, row);
  const kind = rows.kinds[row]!;
  if (kind !== 0) {
    target.byte(SPAN_KIND);
    target.byte(kind);
  }
  writeTimes(target, rows, row);
  appendTextField(target, SPAN_TRACE_STATE, rows.traceStates, row);
  writeStatus(target, rows, row);
  const flags = rows.flags[row]!;
  if (flags !== 0) {
    target.varint(SPAN_FLAGS);
    target.fixed32(flags);
  }
  appendBytes(target, rows.rest, row);
  writeAttributes(target, SPAN_ATTRIBUTES, rows.attributes, rows.attributeTypes, row);
}

/**
 * The rows as spans, those of the same resource or scope sharing theirs.
 *
 * @param payloads - brings back the values that went to the blob store
 */
export function decodeRow(
  rows: SpanRows,
  row: number,
  origins: DecodedOrigins,
  payloads?: PayloadReader,
): SpanData {
  message.length = 0;
  writeSpanMessage(message, rows, row);
  const resource = origins.resource(rows.resources, row);
  const scope = origins.scope(rows.scopes, row);
  if (payloads === undefined) return decodeSpan(message.bytes, 0, message.length, resource, scope);
  const span = payloads.span(message.written());
  return decodeSpan(span, 0, span.length, resource, scope);
}

const message = new ByteBuffer(4096);

function writeTimes(target: ByteBuffer, { starts, durations }: SpanRows, row: number): void {
  target.reserve(18);
  const { bytes } = target;
  const startLow = starts[2 * row]!;
  const startHigh = starts[2 * row + 1]!;
  const endLow = startLow + durations[2 * row]!;
  const endHigh = startHigh + durations[2 * row + 1]! + (endLow > 0xffff_ffff ? 1 : 0);
  let at = target.length;
  bytes[at] = SPAN_START_TIME;
  at = writeFixed64(bytes, at + 1, startLow, startHigh);
  bytes[at] = SPAN_END_TIME;
  target.length = writeFixed64(bytes, at + 1, endLow, endHigh);
}

const statusText: TextAt = { bytes: new Uint8Array(0), start: 0, end: 0 };

function writeStatus(target: ByteBuffer, { statusCodes, statusMessages }: SpanRows, row: number): void {
  const code = statusCodes[row]!;
  const hasMessage = isThere(statusMessages, row);
  if (code === 0 && !hasMessage) return;
  if (hasMessage) textAt(statusMessages.values, row, statusText);
  const length = statusText.end - statusText.start;
  target.byte(SPAN_STATUS);
  target.varint((hasMessage ? 1 + varintSize(length) + length : 0) + (code === 0 ? 0 : 2));
  if (hasMessage) {
    target.byte(STATUS_MESSAGE);
    target.varint(length);
    target.appendRange(statusText.bytes, statusText.start, statusText.end);
  }
  if (code !== 0) {
    target.byte(STATUS_CODE);
    target.byte(code);
  }
}
