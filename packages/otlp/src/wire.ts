/**
 * The wire of OTLP traces at its lowest level: the protobuf keys, and writers and readers of varints, fixed
 * widths, strings and ids, with primitive arguments and no checks, for code that encodes on a hot path.
 * Everything else uses the encoder and decoder of `@tracewell/otlp`.
 *
 * @example
 * A status message, `Status { message: "boom" }`.
 * ```ts
 * import { STATUS_MESSAGE, stringRoom, writeString } from '@tracewell/otlp/wire';
 *
 * const bytes = new Uint8Array(1 + stringRoom('boom'.length));
 * bytes[0] = STATUS_MESSAGE;
 * const end = writeString(bytes, 1, 'boom');
 * console.log(bytes.subarray(0, end)); // Uint8Array(6) [ 18, 4, 98, 111, 111, 109 ]
 * ```
 *
 * @module @tracewell/otlp/wire
 */
export {
  toBigInt64,
  toBigUint64,
  toDouble,
} from './wire/bits64.ts';
export {
  ANY_ARRAY,
  ANY_BOOL,
  ANY_BYTES,
  ANY_DOUBLE,
  ANY_INT,
  ANY_KVLIST,
  ANY_STRING,
  ARRAY_VALUES,
  KEY_VALUE_KEY,
  KEY_VALUE_VALUE,
  KVLIST_VALUES,
  RESOURCE_ATTRIBUTES,
  RESOURCE_DROPPED_ATTRIBUTES_COUNT,
  SCOPE_ATTRIBUTES,
  SCOPE_DROPPED_ATTRIBUTES_COUNT,
  SCOPE_NAME,
  SCOPE_VERSION,
} from './wire/fields.ts';
export {
  readFixed32,
  readHex,
  readUtf8,
  readVarint,
  skipVarint,
} from './wire/read.ts';
export {
  EVENT_ATTRIBUTES,
  EVENT_DROPPED_ATTRIBUTES_COUNT,
  EVENT_NAME,
  EVENT_TIME,
  LINK_ATTRIBUTES,
  LINK_DROPPED_ATTRIBUTES_COUNT,
  LINK_FLAGS,
  LINK_SPAN_ID,
  LINK_TRACE_ID,
  LINK_TRACE_STATE,
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
} from './wire/trace-fields.ts';
export {
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_GROUP_END,
  WIRE_GROUP_START,
  WIRE_VARINT,
} from './wire/wire-types.ts';
export {
  stringRoom,
  varintSize,
  writeBytes,
  writeDouble,
  writeFixed32,
  writeFixed64,
  writeFixed64BigInt,
  writeHex,
  writeInt64,
  writeInt64BigInt,
  writeString,
  writeUtf8,
  writeVarint,
  writeVarintHalves,
  writeVarintPadded4,
} from './wire/write.ts';
