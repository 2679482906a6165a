/**
 * OTLP traces, logs and metrics as bytes and as JSON, to and from plain data, and scanners that make no object per
 * span, log record or data point.
 *
 * @module @tracewell/otlp
 */

export { type LogData, SeverityNumber } from './data/log.ts';
export {
  AggregationTemporality,
  type ExemplarData,
  type ExponentialBucketsData,
  type ExponentialHistogramData,
  type ExponentialHistogramPointData,
  type GaugeData,
  type HistogramData,
  type HistogramPointData,
  METRIC_TYPES,
  type MetricData,
  type MetricHeadData,
  type MetricNumber,
  type MetricPointData,
  type MetricType,
  type NumberPointData,
  type PointData,
  type QuantileData,
  type SumData,
  type SummaryData,
  type SummaryPointData,
} from './data/metric.ts';
export { decodeLogRecord } from './decode/log-record.ts';
export { decodeLogs } from './decode/logs.ts';
export { decodeDataPoint, decodeMetricHead } from './decode/metric.ts';
export { decodeMetrics } from './decode/metrics.ts';
export { decodeResource, decodeScope } from './decode/resource.ts';
export { decodeSpan } from './decode/span.ts';
export { decodeTraces } from './decode/traces.ts';
export type { DecodeLimits, DecodeOptions, InvalidSpan, InvalidSpanReason } from './decode-limits.ts';
export { encodeLogs } from './encode/logs.ts';
export { encodeMetrics } from './encode/metrics.ts';
export { encodeTraces } from './encode/traces.ts';
export { decodeLogsJson } from './json/decode-logs.ts';
export { decodeMetricsJson } from './json/decode-metrics.ts';
export { decodeTracesJson } from './json/decode-traces.ts';
export { encodeLogsJson, logsToJson } from './json/encode-logs.ts';
export { encodeMetricsJson, metricsToJson } from './json/encode-metrics.ts';
export { encodeTracesJson, tracesToJson } from './json/encode-traces.ts';
export { countDataPoints, countLogs, countSpans } from './scan/count.ts';
export { LogScanner } from './scan/log-scanner.ts';
export { MetricScanner } from './scan/metric-scanner.ts';
export type { RequestScanner } from './scan/request-scanner.ts';
export { type RequestPart, splitLogs, splitMetrics, splitTraces } from './scan/split.ts';
export { TraceScanner } from './scan/trace-scanner.ts';
export { validateLogs, validateMetrics, validateTraces } from './scan/validate.ts';
