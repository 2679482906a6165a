import { AggregationTemporality, METRIC_TYPES, type MetricData } from '../data/metric.ts';
import { SCOPE_GROUP_ENTRIES } from '../wire/fields.ts';
import {
  DATA_IS_MONOTONIC,
  DATA_TEMPORALITY,
  METRIC_DESCRIPTION,
  METRIC_EXPONENTIAL_HISTOGRAM,
  METRIC_GAUGE,
  METRIC_HISTOGRAM,
  METRIC_METADATA,
  METRIC_NAME,
  METRIC_SUM,
  METRIC_SUMMARY,
  METRIC_UNIT,
} from '../wire/metric-fields.ts';
import { writeAttributes } from './attributes.ts';
import { wrongType } from './checks.ts';
import {
  writeExponentialHistogramPoint,
  writeHistogramPoint,
  writeNumberPoint,
  writeSummaryPoint,
} from './data-point.ts';
import { writeList } from './list.ts';
import { writeBoolField, writeStringField, writeUint32Field } from './primitive-fields.ts';
import type { Writer } from './writer.ts';

/** Appends a metric as one of the metrics of a `ScopeMetrics`. */
export function writeMetric(writer: Writer, at: number, metric: MetricData): number {
  writer.room(at, 4)[at] = SCOPE_GROUP_ENTRIES;
  const start = at + 4;
  let end = writeStringField(writer, start, METRIC_NAME, metric.name, 'name');
  end = writeStringField(writer, end, METRIC_DESCRIPTION, metric.description, 'description');
  end = writeStringField(writer, end, METRIC_UNIT, metric.unit, 'unit');
  end = writeData(writer, end, metric);
  end = writeAttributes(writer, end, METRIC_METADATA, metric.metadata, 'metadata');
  return writer.close(start, end, 3);
}

function writeData(writer: Writer, at: number, metric: MetricData): number {
  const bytes = writer.room(at, 4);
  const start = at + 4;
  let end: number;
  switch (metric.type) {
    case 'gauge':
      bytes[at] = METRIC_GAUGE;
      end = writeList(writer, start, metric.points, 'points', writeNumberPoint);
      break;
    case 'sum':
      bytes[at] = METRIC_SUM;
      end = writeList(writer, start, metric.points, 'points', writeNumberPoint);
      end = writeTemporality(writer, end, metric.temporality);
      end = writeBoolField(writer, end, DATA_IS_MONOTONIC, metric.isMonotonic, 'isMonotonic');
      break;
    case 'histogram':
      bytes[at] = METRIC_HISTOGRAM;
      end = writeList(writer, start, metric.points, 'points', writeHistogramPoint);
      end = writeTemporality(writer, end, metric.temporality);
      break;
    case 'exponentialHistogram':
      bytes[at] = METRIC_EXPONENTIAL_HISTOGRAM;
      end = writeList(writer, start, metric.points, 'points', writeExponentialHistogramPoint);
      end = writeTemporality(writer, end, metric.temporality);
      break;
    case 'summary':
      bytes[at] = METRIC_SUMMARY;
      end = writeList(writer, start, metric.points, 'points', writeSummaryPoint);
      break;
    default:
      throw wrongMetricType(metric);
  }
  return writer.close(start, end, 3);
}

function writeTemporality(writer: Writer, at: number, temporality: number): number {
  const { CUMULATIVE } = AggregationTemporality;
  return writeUint32Field(writer, at, DATA_TEMPORALITY, temporality, 'temporality', CUMULATIVE);
}

/** For a metric whose `type` is none. */
export function wrongMetricType(metric: never): Error {
  const { type } = metric as { readonly type: unknown };
  return wrongType('type', METRIC_TYPES.map((name) => `'${name}'`).join(', '), type);
}
