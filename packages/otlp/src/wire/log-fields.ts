// The protobuf keys of OTLP logs.
//
// Source: opentelemetry-proto 1.x, the file logs/v1/logs.proto.
// https://github.com/open-telemetry/opentelemetry-proto

/** `LogRecord.time_unix_nano`, fixed64 */
export const LOG_RECORD_TIME = 0x09;
/** `LogRecord.severity_number` */
export const LOG_RECORD_SEVERITY_NUMBER = 0x10;
/** `LogRecord.severity_text` */
export const LOG_RECORD_SEVERITY_TEXT = 0x1a;
/** `LogRecord.body` */
export const LOG_RECORD_BODY = 0x2a;
/** `LogRecord.attributes` */
export const LOG_RECORD_ATTRIBUTES = 0x32;
/** `LogRecord.dropped_attributes_count` */
export const LOG_RECORD_DROPPED_ATTRIBUTES_COUNT = 0x38;
/** `LogRecord.flags`, fixed32 */
export const LOG_RECORD_FLAGS = 0x45;
/** `LogRecord.trace_id`, 16 bytes or none */
export const LOG_RECORD_TRACE_ID = 0x4a;
/** `LogRecord.span_id`, 8 bytes or none */
export const LOG_RECORD_SPAN_ID = 0x52;
/** `LogRecord.observed_time_unix_nano`, fixed64 */
export const LOG_RECORD_OBSERVED_TIME = 0x59;
/** `LogRecord.event_name` */
export const LOG_RECORD_EVENT_NAME = 0x62;

/** The number of a field that `LogRecord` had before OTLP 1.0, `name`; it is unknown now. */
export const LOG_RECORD_RESERVED = 4;
