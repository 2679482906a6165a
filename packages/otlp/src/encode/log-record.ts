import { type LogData, SeverityNumber } from '../data/log.ts';
import { SCOPE_GROUP_ENTRIES } from '../wire/fields.ts';
import {
  LOG_RECORD_ATTRIBUTES,
  LOG_RECORD_BODY,
  LOG_RECORD_DROPPED_ATTRIBUTES_COUNT,
  LOG_RECORD_EVENT_NAME,
  LOG_RECORD_FLAGS,
  LOG_RECORD_OBSERVED_TIME,
  LOG_RECORD_SEVERITY_NUMBER,
  LOG_RECORD_SEVERITY_TEXT,
  LOG_RECORD_SPAN_ID,
  LOG_RECORD_TIME,
  LOG_RECORD_TRACE_ID,
} from '../wire/log-fields.ts';
import { writeAnyValue, writeAttributes } from './attributes.ts';
import { inside } from './checks.ts';
import {
  writeFixed32Field,
  writeIdField,
  writeStringField,
  writeTimeField,
  writeUint32Field,
} from './primitive-fields.ts';
import type { Writer } from './writer.ts';

/** Appends a log record as one of the records of a `ScopeLogs`. */
export function writeLogRecord(writer: Writer, at: number, log: LogData): number {
  writer.room(at, 3)[at] = SCOPE_GROUP_ENTRIES;
  const start = at + 3;
  const { timeUnixNanos, observedTimeUnixNanos, droppedAttributesCount } = log;
  let end = writeTimeField(writer, start, LOG_RECORD_TIME, timeUnixNanos, 'timeUnixNanos');
  end = writeUint32Field(
    writer,
    end,
    LOG_RECORD_SEVERITY_NUMBER,
    log.severityNumber,
    'severityNumber',
    SeverityNumber.FATAL4,
  );
  end = writeStringField(writer, end, LOG_RECORD_SEVERITY_TEXT, log.severityText, 'severityText');
  end = writeBody(writer, end, log.body);
  end = writeAttributes(writer, end, LOG_RECORD_ATTRIBUTES, log.attributes, 'attributes');
  end = writeUint32Field(
    writer,
    end,
    LOG_RECORD_DROPPED_ATTRIBUTES_COUNT,
    droppedAttributesCount,
    'droppedAttributesCount',
  );
  end = writeFixed32Field(writer, end, LOG_RECORD_FLAGS, log.flags, 'flags');
  end = writeIdField(writer, end, LOG_RECORD_TRACE_ID, writer.traceIds, log.traceId, 'traceId');
  end = writeIdField(writer, end, LOG_RECORD_SPAN_ID, writer.spanIds, log.spanId, 'spanId');
  end = writeTimeField(writer, end, LOG_RECORD_OBSERVED_TIME, observedTimeUnixNanos, 'observedTimeUnixNanos');
  end = writeStringField(writer, end, LOG_RECORD_EVENT_NAME, log.eventName, 'eventName');
  return writer.close(start, end, 2);
}

function writeBody(writer: Writer, at: number, body: LogData['body']): number {
  if (body === undefined) return at;
  try {
    return writeAnyValue(writer, at, LOG_RECORD_BODY, body, 0);
  } catch (error) {
    throw inside('body', error);
  }
}
