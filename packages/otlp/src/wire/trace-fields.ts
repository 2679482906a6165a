// The protobuf keys of OTLP traces. All are one byte but for the flags of a span, whose field number 16 makes
// it two. The envelope stands here once more, under the names of trace.proto, for code that writes nothing but
// traces.
//
// Source: opentelemetry-proto 1.x, the files trace/v1/trace.proto and collector/trace/v1/trace_service.proto.
// https://github.com/open-telemetry/opentelemetry-proto

/** `ExportTraceServiceRequest.resource_spans`, the same as `TracesData.resource_spans`. */
export const REQUEST_RESOURCE_SPANS = 0x0a;

/** `ResourceSpans.resource` */
export const RESOURCE_SPANS_RESOURCE = 0x0a;
/** `ResourceSpans.scope_spans` */
export const RESOURCE_SPANS_SCOPE_SPANS = 0x12;
/** `ResourceSpans.schema_url` */
export const RESOURCE_SPANS_SCHEMA_URL = 0x1a;

/** `ScopeSpans.scope` */
export const SCOPE_SPANS_SCOPE = 0x0a;
/** `ScopeSpans.spans` */
export const SCOPE_SPANS_SPANS = 0x12;
/** `ScopeSpans.schema_url` */
export const SCOPE_SPANS_SCHEMA_URL = 0x1a;

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
