/**
 * OTLP traces as bytes and as JSON, to and from plain spans, and a scanner that makes no object per span.
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
  type MetricData,
  type MetricHeadData,
  type MetricNumber,
  type MetricPointData,
  type NumberPointData,
  type PointData,
  type QuantileData,
  type SumData,
  type SummaryData,
  type SummaryPointData,
} from './data/metric.ts';
export { decodeResource, decodeScope } from './decode/resource.ts';
export { decodeSpan } from './decode/span.ts';
export { decodeTraces } from './decode/traces.ts';
export type { DecodeLimits, DecodeOptions, InvalidSpan, InvalidSpanReason } from './decode-limits.ts';
export { encodeTraces } from './encode/traces.ts';
export { decodeTracesJson } from './json/decode-traces.ts';
export { encodeTracesJson, tracesToJson } from './json/encode-traces.ts';
export { countSpans } from './scan/count-spans.ts';
export { splitTraces } from './scan/split-traces.ts';
export { TraceScanner } from './scan/trace-scanner.ts';
export { validateTraces } from './scan/validate-traces.ts';
