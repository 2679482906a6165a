// The protobuf keys of what all signals of OTLP share: field number << 3 | wire type, as they stand on the wire.
// Nearly all keys of OTLP are below 128 and so one byte.
//
// A request of any signal has the same envelope: resource groups (`ResourceSpans`, `ResourceLogs`,
// `ResourceMetrics`) of scope groups (`ScopeSpans` …) of entries, which are spans, log records or metrics.
//
// Source: opentelemetry-proto 1.x, the files common/v1/common.proto, resource/v1/resource.proto,
// {trace,logs,metrics}/v1/*.proto and collector/*/v1/*_service.proto.
// https://github.com/open-telemetry/opentelemetry-proto

/** The resource groups of a request: `ExportTraceServiceRequest.resource_spans` and its like. */
export const REQUEST_RESOURCE_GROUPS = 0x0a;

/** `ResourceSpans.resource` and its like. */
export const RESOURCE_GROUP_RESOURCE = 0x0a;
/** `ResourceSpans.scope_spans` and its like. */
export const RESOURCE_GROUP_SCOPE_GROUPS = 0x12;
/** `ResourceSpans.schema_url` and its like. */
export const RESOURCE_GROUP_SCHEMA_URL = 0x1a;

/** `ScopeSpans.scope` and its like. */
export const SCOPE_GROUP_SCOPE = 0x0a;
/** `ScopeSpans.spans`, `ScopeLogs.log_records`, `ScopeMetrics.metrics`. */
export const SCOPE_GROUP_ENTRIES = 0x12;
/** `ScopeSpans.schema_url` and its like. */
export const SCOPE_GROUP_SCHEMA_URL = 0x1a;

/** `Resource.attributes` */
export const RESOURCE_ATTRIBUTES = 0x0a;
/** `Resource.dropped_attributes_count` */
export const RESOURCE_DROPPED_ATTRIBUTES_COUNT = 0x10;

/** `InstrumentationScope.name` */
export const SCOPE_NAME = 0x0a;
/** `InstrumentationScope.version` */
export const SCOPE_VERSION = 0x12;
/** `InstrumentationScope.attributes` */
export const SCOPE_ATTRIBUTES = 0x1a;
/** `InstrumentationScope.dropped_attributes_count` */
export const SCOPE_DROPPED_ATTRIBUTES_COUNT = 0x20;

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
