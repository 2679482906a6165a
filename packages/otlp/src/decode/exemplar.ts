import type { ExemplarData, MetricNumber } from '../data/metric.ts';
import {
  EXEMPLAR_AS_DOUBLE,
  EXEMPLAR_AS_INT,
  EXEMPLAR_FILTERED_ATTRIBUTES,
  EXEMPLAR_SPAN_ID,
  EXEMPLAR_TIME,
  EXEMPLAR_TRACE_ID,
} from '../wire/metric-fields.ts';
import {
  fromDouble,
  type MutableAttributes,
  NO_ATTRIBUTES,
  newAttributes,
  readKeyValue,
} from './attributes.ts';
import { spanIdOrNone, traceIdOrNone } from './ids.ts';
import type { Reader } from './reader.ts';

/** What all points without exemplars share. */
export const NO_EXEMPLARS: readonly ExemplarData[] = Object.freeze([]);

/** Reads one `Exemplar` message up to `end`. */
export function readExemplar(reader: Reader, end: number): ExemplarData {
  reader.countItem();
  let timeUnixNanos = 0n;
  let value: MetricNumber;
  let filteredAttributes: MutableAttributes | undefined;
  let traceId = '';
  let spanId = '';
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case EXEMPLAR_TIME:
        timeUnixNanos = reader.fixed64(end);
        break;
      case EXEMPLAR_AS_DOUBLE:
        value = fromDouble(reader.double(end));
        break;
      case EXEMPLAR_AS_INT:
        value = reader.sfixed64(end);
        break;
      case EXEMPLAR_SPAN_ID:
        spanId = reader.hex(end);
        break;
      case EXEMPLAR_TRACE_ID:
        traceId = reader.repeatedHex(end, reader.traceIds);
        break;
      case EXEMPLAR_FILTERED_ATTRIBUTES:
        filteredAttributes ??= newAttributes();
        readKeyValue(reader, reader.open(end), filteredAttributes, 0);
        break;
      default:
        reader.skip(key, end, 2, 7);
    }
  }
  return {
    timeUnixNanos,
    value,
    filteredAttributes: filteredAttributes ?? NO_ATTRIBUTES,
    traceId: traceIdOrNone(traceId),
    spanId: spanIdOrNone(spanId),
  };
}
