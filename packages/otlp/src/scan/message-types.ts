// The messages of OTLP as data, for code that walks them all alike.
//
// Source: as wire/fields.ts.

import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT } from '../wire/wire-types.ts';

/** What a message may contain. */
export interface MessageType {
  /**
   * By field number: a wire type, with {@link PACKED} for lists of numbers, or the message that the field holds;
   * `undefined` where nothing is known.
   */
  readonly fields: readonly (number | MessageType | undefined)[];
  /** `maxItems` counts these. */
  readonly counts: boolean;
  /** What is in it is one level deeper, as `maxDepth` counts. */
  readonly nests: boolean;
  /** The scanner points at it, so it must not come in parts that would have to be merged. */
  readonly once: boolean;
}

/** Added to the wire type of the elements of a list that may also come packed, as bytes. */
export const PACKED = 8;

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

function request(entry: MessageType): MessageType {
  const scopeGroup = message([scope, entry, WIRE_BYTES], { counts: true });
  const resourceGroup = message([resource, scopeGroup, WIRE_BYTES], { counts: true });
  return message([resourceGroup]);
}

/** `ExportTraceServiceRequest` */
export const traceRequest = request(span);

const logRecord = message(
  [
    WIRE_FIXED64, // time_unix_nano
    WIRE_VARINT, // severity_number
    WIRE_BYTES, // severity_text
    undefined,
    { ...anyValue, once: true }, // body
    keyValue,
    WIRE_VARINT, // dropped_attributes_count
    WIRE_FIXED32, // flags
    WIRE_BYTES, // trace_id
    WIRE_BYTES, // span_id
    WIRE_FIXED64, // observed_time_unix_nano
    WIRE_BYTES, // event_name
  ],
  { counts: true },
);

/** `ExportLogsServiceRequest` */
export const logsRequest = request(logRecord);

const exemplar = message(
  [
    undefined,
    WIRE_FIXED64, // time_unix_nano
    WIRE_FIXED64, // as_double
    WIRE_BYTES, // span_id
    WIRE_BYTES, // trace_id
    WIRE_FIXED64, // as_int
    keyValue,
  ],
  { counts: true },
);

/** `NumberDataPoint` */
export const numberPoint = message(
  [
    undefined,
    WIRE_FIXED64, // start_time_unix_nano
    WIRE_FIXED64, // time_unix_nano
    WIRE_FIXED64, // as_double
    exemplar,
    WIRE_FIXED64, // as_int
    keyValue,
    WIRE_VARINT, // flags
  ],
  { counts: true },
);

/** `HistogramDataPoint` */
export const histogramPoint = message(
  [
    undefined,
    WIRE_FIXED64, // start_time_unix_nano
    WIRE_FIXED64, // time_unix_nano
    WIRE_FIXED64, // count
    WIRE_FIXED64, // sum
    PACKED | WIRE_FIXED64, // bucket_counts
    PACKED | WIRE_FIXED64, // explicit_bounds
    exemplar,
    keyValue,
    WIRE_VARINT, // flags
    WIRE_FIXED64, // min
    WIRE_FIXED64, // max
  ],
  { counts: true },
);

const buckets = message([WIRE_VARINT, PACKED | WIRE_VARINT]);

/** `ExponentialHistogramDataPoint` */
export const exponentialHistogramPoint = message(
  [
    keyValue,
    WIRE_FIXED64, // start_time_unix_nano
    WIRE_FIXED64, // time_unix_nano
    WIRE_FIXED64, // count
    WIRE_FIXED64, // sum
    WIRE_VARINT, // scale
    WIRE_FIXED64, // zero_count
    buckets, // positive
    buckets, // negative
    WIRE_VARINT, // flags
    exemplar,
    WIRE_FIXED64, // min
    WIRE_FIXED64, // max
    WIRE_FIXED64, // zero_threshold
  ],
  { counts: true },
);

const quantile = message([WIRE_FIXED64, WIRE_FIXED64], { counts: true });

/** `SummaryDataPoint` */
export const summaryPoint = message(
  [
    undefined,
    WIRE_FIXED64, // start_time_unix_nano
    WIRE_FIXED64, // time_unix_nano
    WIRE_FIXED64, // count
    WIRE_FIXED64, // sum
    quantile,
    keyValue,
    WIRE_VARINT, // flags
  ],
  { counts: true },
);

const metric = message(
  [
    WIRE_BYTES, // name
    WIRE_BYTES, // description
    WIRE_BYTES, // unit
    undefined,
    message([numberPoint], { once: true }), // gauge
    undefined,
    message([numberPoint, WIRE_VARINT, WIRE_VARINT], { once: true }), // sum
    undefined,
    message([histogramPoint, WIRE_VARINT], { once: true }),
    message([exponentialHistogramPoint, WIRE_VARINT], { once: true }),
    message([summaryPoint], { once: true }),
    keyValue, // metadata
  ],
  { counts: true },
);

/** `ExportMetricsServiceRequest` */
export const metricsRequest = request(metric);

/** By field number, one bit for each wire type that a field of the message may have; 0 for those it has not. */
export function wireTypesOf(type: MessageType): Uint8Array {
  return Uint8Array.from(type.fields, (field) => {
    if (field === undefined) return 0;
    if (typeof field === 'object') return 1 << WIRE_BYTES;
    return (field & PACKED) === 0 ? 1 << field : (1 << (field & 7)) | (1 << WIRE_BYTES);
  });
}
