// The messages of OTLP traces as data, for code that walks them all alike.
//
// Source: as wire/fields.ts.

import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT } from '../wire/fields.ts';

/** What a message may contain. */
export interface MessageType {
  /** By field number: a wire type, or the message that the field holds; `undefined` where nothing is known. */
  readonly fields: readonly (number | MessageType | undefined)[];
  /** `maxItems` counts these. */
  readonly counts: boolean;
  /** What is in it is one level deeper, as `maxDepth` counts. */
  readonly nests: boolean;
  /** The scanner points at it, so it must not come in parts that would have to be merged. */
  readonly once: boolean;
}

type Field = number | MessageType | undefined;

function message(fields: readonly Field[], flags: Partial<Omit<MessageType, 'fields'>> = {}): MessageType {
  return { fields: [undefined, ...fields], counts: false, nests: false, once: false, ...flags };
}

// AnyValue contains itself, so its fields are filled in below.
const anyValueFields: Field[] = [];
const anyValue: MessageType = { fields: anyValueFields, counts: false, nests: false, once: false };
const arrayElement: MessageType = { ...anyValue, counts: true };
/** `KeyValue` */
export const keyValue = message([WIRE_BYTES, anyValue], { counts: true });
const array = message([arrayElement], { nests: true });
const map = message([keyValue], { nests: true });
anyValueFields.push(
  undefined,
  WIRE_BYTES, // string_value
  WIRE_VARINT, // bool_value
  WIRE_VARINT, // int_value
  WIRE_FIXED64, // double_value
  array,
  map,
  WIRE_BYTES, // bytes_value
);

const event = message([WIRE_FIXED64, WIRE_BYTES, keyValue, WIRE_VARINT], { counts: true });
const link = message([WIRE_BYTES, WIRE_BYTES, WIRE_BYTES, keyValue, WIRE_VARINT, WIRE_FIXED32], {
  counts: true,
});
const status = message([undefined, WIRE_BYTES, WIRE_VARINT]);

const span = message(
  [
    WIRE_BYTES, // trace_id
    WIRE_BYTES, // span_id
    WIRE_BYTES, // trace_state
    WIRE_BYTES, // parent_span_id
    WIRE_BYTES, // name
    WIRE_VARINT, // kind
    WIRE_FIXED64, // start_time_unix_nano
    WIRE_FIXED64, // end_time_unix_nano
    keyValue,
    WIRE_VARINT, // dropped_attributes_count
    event,
    WIRE_VARINT, // dropped_events_count
    link,
    WIRE_VARINT, // dropped_links_count
    status,
    WIRE_FIXED32, // flags
  ],
  { counts: true },
);

const resource = message([keyValue, WIRE_VARINT], { once: true });
const scope = message([WIRE_BYTES, WIRE_BYTES, keyValue, WIRE_VARINT], { once: true });
const scopeSpans = message([scope, span, WIRE_BYTES], { counts: true });
const resourceSpans = message([resource, scopeSpans, WIRE_BYTES], { counts: true });

/** `ExportTraceServiceRequest` */
export const traceRequest = message([resourceSpans]);
