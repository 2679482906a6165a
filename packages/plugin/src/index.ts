/**
 * The contract of a tracer plugin, its plain data types and its errors. Depends on nothing.
 *
 * @module @tracewell/plugin
 */

export { type Attributes, type AttributeValue, Double } from './attributes.ts';
export type { BatchExporter, ExportOptions, SpanBatch } from './batch-exporter.ts';
export { ERROR_CODES, type ErrorCode, ExportError, FlushError, TracewellError } from './errors.ts';
export {
  type InstrumentationScope,
  type Resource,
  type ResourceData,
  type ScopeData,
  type SpanContext,
  type SpanData,
  type SpanEvent,
  type SpanEventData,
  SpanKind,
  type SpanLink,
  type SpanLinkData,
  type SpanStatus,
  StatusCode,
} from './span.ts';
export type { ExporterStats, PluginStats } from './stats.ts';
export { type TraceNode, traceTree } from './trace-tree.ts';
export { INVALID_SPAN, type SpanHandle, type SpanStart, type TracerPlugin } from './tracer-plugin.ts';
