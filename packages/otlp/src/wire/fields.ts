// The protobuf keys of OTLP traces: field number << 3 | wire type, as they stand on the wire. All of them are
// below 128 and so one byte, but for the flags of a span, whose field number 16 makes it two.
//
// Source: opentelemetry-proto 1.x, the files trace/v1/trace.proto, common/v1/common.proto,
// resource/v1/resource.proto and collector/trace/v1/trace_service.proto.
// https://github.com/open-telemetry/opentelemetry-proto

/** Wire type of varints: bool, enum, int64, uint32. */
export const WIRE_VARINT = 0;
/** Wire type of 8 bytes: fixed64, double. */
export const WIRE_FIXED64 = 1;
/** Wire type of a length and as many bytes: string, bytes, messages, packed fields. */
export const WIRE_BYTES = 2;
/** Wire type that opens a group, a form that OTLP never used. */
export const WIRE_GROUP_START = 3;
/** Wire type that closes a group. */
export const WIRE_GROUP_END = 4;
/** Wire type of 4 bytes: fixed32. */
export const WIRE_FIXED32 = 5;

/** `ExportTraceServiceRequest.resource_spans`, the same as `TracesData.resource_spans`. */
export const REQUEST_RESOURCE_SPANS = 0x0a;

/** `ResourceSpans.resource` */
export const RESOURCE_SPANS_RESOURCE = 0x0a;
/** `ResourceSpans.scope_spans` */
export const RESOURCE_SPANS_SCOPE_SPANS = 0x12;
/** `ResourceSpans.schema_url` */
export const RESOURCE_SPANS_SCHEMA_URL = 0x1a;

/** `Resource.attributes` */
export const RESOURCE_ATTRIBUTES = 0x0a;
/** `Resource.dropped_attributes_count` */
export const RESOURCE_DROPPED_ATTRIBUTES_COUNT = 0x10;

/** `ScopeSpans.scope` */
export const SCOPE_SPANS_SCOPE = 0x0a;
/** `ScopeSpans.spans` */
export const SCOPE_SPANS_SPANS = 0x12;
/** `ScopeSpans.schema_url` */
export const SCOPE_SPANS_SCHEMA_URL = 0x1a;

/** `InstrumentationScope.name` */
export const SCOPE_NAME = 0x0a;
/** `InstrumentationScope.version` */
export const SCOPE_VERSION = 0x12;
/** `InstrumentationScope.attributes` */
export const SCOPE_ATTRIBUTES = 0x1a;
/** `InstrumentationScope.dropped_attributes_count` */
export const SCOPE_DROPPED_ATTRIBUTES_COUNT = 0x20;

/** `Span.trace_id`, 16 bytes */
export const SPAN_TRACE_ID = 0x0a;
/** `Span.span_id`, 8 bytes */
export const SPAN_SPAN_ID = 0x12;
/** `Span.trace_state` */
export const SPAN_TRACE_STATE = 0x1a;
/** `Span.parent_span_id`, 8 bytes or none */
export const SPAN_PARENT_SPAN_ID = 0x22;
/** `Span.name` */
export const SPAN_NAME = 0x2a;
/** `Span.kind` */
export const SPAN_KIND = 0x30;
/** `Span.start_time_unix_nano`, fixed64 */
export const SPAN_START_TIME = 0x39;
/** `Span.end_time_unix_nano`, fixed64 */
export const SPAN_END_TIME = 0x41;
/** `Span.attributes` */
export const SPAN_ATTRIBUTES = 0x4a;
/** `Span.dropped_attributes_count` */
export const SPAN_DROPPED_ATTRIBUTES_COUNT = 0x50;
/** `Span.events` */
export const SPAN_EVENTS = 0x5a;
/** `Span.dropped_events_count` */
export const SPAN_DROPPED_EVENTS_COUNT = 0x60;
/** `Span.links` */
export const SPAN_LINKS = 0x6a;
/** `Span.dropped_links_count` */
export const SPAN_DROPPED_LINKS_COUNT = 0x70;
/** `Span.status` */
export const SPAN_STATUS = 0x7a;
/** `Span.flags`, fixed32; its key is two bytes on the wire: `0x85 0x01`. */
export const SPAN_FLAGS = 0x85;

/** `Span.Event.time_unix_nano`, fixed64 */
export const EVENT_TIME = 0x09;
/** `Span.Event.name` */
export const EVENT_NAME = 0x12;
/** `Span.Event.attributes` */
export const EVENT_ATTRIBUTES = 0x1a;
/** `Span.Event.dropped_attributes_count` */
export const EVENT_DROPPED_ATTRIBUTES_COUNT = 0x20;

/** `Span.Link.trace_id`, 16 bytes */
export const LINK_TRACE_ID = 0x0a;
/** `Span.Link.span_id`, 8 bytes */
export const LINK_SPAN_ID = 0x12;
/** `Span.Link.trace_state` */
export const LINK_TRACE_STATE = 0x1a;
/** `Span.Link.attributes` */
export const LINK_ATTRIBUTES = 0x22;
/** `Span.Link.dropped_attributes_count` */
export const LINK_DROPPED_ATTRIBUTES_COUNT = 0x28;
/** `Span.Link.flags`, fixed32 */
export const LINK_FLAGS = 0x35;

/** `Status.message` */
export const STATUS_MESSAGE = 0x12;
/** `Status.code` */
export const STATUS_CODE = 0x18;

/** `KeyValue.key` */
export const KEY_VALUE_KEY = 0x0a;
/** `KeyValue.value` */
export const KEY_VALUE_VALUE = 0x12;

/** `AnyValue.string_value` */
export const ANY_STRING = 0x0a;
/** `AnyValue.bool_value` */
export const ANY_BOOL = 0x10;
/** `AnyValue.int_value` */
export const ANY_INT = 0x18;
/** `AnyValue.double_value` */
export const ANY_DOUBLE = 0x21;
/** `AnyValue.array_value` */
export const ANY_ARRAY = 0x2a;
/** `AnyValue.kvlist_value` */
export const ANY_KVLIST = 0x32;
/** `AnyValue.bytes_value` */
export const ANY_BYTES = 0x3a;

/** `ArrayValue.values` */
export const ARRAY_VALUES = 0x0a;
/** `KeyValueList.values` */
export const KVLIST_VALUES = 0x0a;
