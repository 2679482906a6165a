import { decodeSpan } from '@tracewell/otlp';
import {
  ANY_BOOL,
  ANY_DOUBLE,
  ANY_INT,
  ANY_STRING,
  KEY_VALUE_KEY,
  KEY_VALUE_VALUE,
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
  writeDouble,
  writeFixed64,
  writeInt64,
  writeInt64BigInt,
} from '@tracewell/otlp/wire';
import type { SpanData } from '@tracewell/plugin';
import { ByteBuffer } from '../../parquet/byte-buffer.ts';
import type { BytesValues, FlatColumn, MapColumn, Values } from '../../parquet/values.ts';
import type { PayloadReader } from '../../payloads/bring-back.ts';
import { TypeTag } from '../attributes/key-value.ts';
import type { DecodedOrigins } from '../origin-messages.ts';
import type { SpanRows } from './span-rows.ts';

/**
 * Writes a row as the `Span` message that it was made of: what decodes to the same span.
 *
 * Fields come in the order in which later ones win: what the columns say first, then what `otlp` says instead or
 * beside, then attributes, of which an earlier one with the same key may be in `otlp`.
 */
export function writeSpanMessage(target: ByteBuffer, rows: SpanRows, row: number): void {
  writeHexField(target, SPAN_TRACE_ID, rows.traceIds, row);
  writeHexField(target, SPAN_SPAN_ID, rows.spanIds, row);
  if (has(rows.parentIds, row)) writeHexField(target, SPAN_PARENT_SPAN_ID, rows.parentIds.values, row);
  writeTextField(target, SPAN_NAME, rows.names, row);
  const kind = rows.kinds[row]!;
  if (kind !== 0) {
    target.byte(SPAN_KIND);
    target.byte(kind);
  }
  writeTimes(target, rows, row);
  if (has(rows.traceStates, row)) writeTextField(target, SPAN_TRACE_STATE, rows.traceStates.values, row);
  writeStatus(target, rows, row);
  const flags = rows.flags[row]!;
  if (flags !== 0) {
    target.varint(SPAN_FLAGS);
    target.fixed32(flags);
  }
  if (has(rows.rest, row)) {
    locate(rows.rest.values, row);
    appendLocated(target);
  }
  writeAttributes(target, rows.attributes, rows.attributeTypes, row);
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

function writeStatus(target: ByteBuffer, { statusCodes, statusMessages }: SpanRows, row: number): void {
  const code = statusCodes[row]!;
  const length = has(statusMessages, row) ? locate(statusMessages.values, row) : -1;
  if (code === 0 && length < 0) return;
  target.byte(SPAN_STATUS);
  target.varint((length < 0 ? 0 : 1 + varintSize(length) + length) + (code === 0 ? 0 : 2));
  if (length >= 0) {
    target.byte(STATUS_MESSAGE);
    target.varint(length);
    appendLocated(target);
  }
  if (code !== 0) {
    target.byte(STATUS_CODE);
    target.byte(code);
  }
}

const number = new Uint8Array(16);

function writeAttributes(target: ByteBuffer, maps: MapColumn, types: Values, row: number): void {
  locate(types, row);
  const tags = found.bytes;
  const firstTag = found.start;
  const first = maps.offsets[row]!;
  const end = maps.offsets[row + 1]!;
  for (let entry = first; entry < end; entry++) {
    const tag = tags[firstTag + entry - first];
    if (tag === TypeTag.OTHER) continue;
    let valueLength = locate(maps.values, entry);
    const valueBytes = found.bytes;
    const valueStart = found.start;
    const numberLength = tag === TypeTag.STRING ? 0 : writeNumber(tag, valueBytes, valueStart, found.end);
    if (tag !== TypeTag.STRING) valueLength = numberLength;
    const anyLength = tag === TypeTag.STRING ? 1 + varintSize(valueLength) + valueLength : valueLength;
    const keyLength = locate(maps.keys, entry);
    const length = 1 + varintSize(keyLength) + keyLength + 1 + varintSize(anyLength) + anyLength;
    target.byte(SPAN_ATTRIBUTES);
    target.varint(length);
    target.byte(KEY_VALUE_KEY);
    target.varint(keyLength);
    appendLocated(target);
    target.byte(KEY_VALUE_VALUE);
    target.varint(anyLength);
    if (tag === TypeTag.STRING) {
      target.byte(ANY_STRING);
      target.varint(valueLength);
      target.appendRange(valueBytes, valueStart, valueStart + valueLength);
    } else {
      target.appendRange(number, 0, numberLength);
    }
  }
}

/** Writes the `AnyValue` of a text that is no string into `number`; returns its length. */
function writeNumber(tag: number | undefined, bytes: Uint8Array, start: number, end: number): number {
  if (tag === TypeTag.BOOL) {
    number[0] = ANY_BOOL;
    number[1] = bytes[start] === 0x74 ? 1 : 0;
    return 2;
  }
  if (tag === TypeTag.INT) {
    number[0] = ANY_INT;
    if (end - start < 16) return writeInt64(number, 1, integerOf(bytes, start, end));
    return writeInt64BigInt(number, 1, BigInt(textOf(bytes, start, end)));
  }
  number[0] = ANY_DOUBLE;
  return writeDouble(number, 1, Number(textOf(bytes, start, end)));
}

function integerOf(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = bytes[start] === 0x2d;
  let value = 0;
  for (let at = isNegative ? start + 1 : start; at < end; at++) value = value * 10 + bytes[at]! - 0x30;
  return isNegative ? -value : value;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
}

function has({ valid }: FlatColumn, row: number): boolean {
  return valid === undefined || valid[row] !== 0;
}

/** Where {@link locate} found a text. */
const found: { bytes: Uint8Array; start: number; end: number } = {
  bytes: new Uint8Array(0),
  start: 0,
  end: 0,
};

/** Finds the text of a row; returns its length. */
function locate(values: Values, row: number): number {
  const isCoded = 'codes' in values;
  const texts = (isCoded ? values.dictionary : values) as BytesValues;
  const index = isCoded ? values.codes[row]! : row;
  found.bytes = texts.bytes;
  found.start = texts.offsets[index]!;
  found.end = texts.offsets[index + 1]!;
  return found.end - found.start;
}

function appendLocated(target: ByteBuffer): void {
  target.appendRange(found.bytes, found.start, found.end);
}

function writeTextField(target: ByteBuffer, key: number, values: Values, row: number): void {
  const length = locate(values, row);
  if (length === 0) return;
  target.byte(key);
  target.varint(length);
  appendLocated(target);
}

function writeHexField(target: ByteBuffer, key: number, values: Values, row: number): void {
  const length = locate(values, row) / 2;
  target.byte(key);
  target.byte(length);
  target.reserve(length);
  const { bytes, start } = found;
  const out = target.bytes;
  let to = target.length;
  for (let at = start; at < found.end; at += 2) out[to++] = (digit(bytes[at]!) << 4) | digit(bytes[at + 1]!);
  target.length = to;
}

/** The value of a lower-case hex digit. */
function digit(character: number): number {
  return character < 0x3a ? character - 0x30 : character - 0x57;
}
