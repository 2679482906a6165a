/**
 * Both bridges between tracer plugins and OpenTelemetry, and the OTLP exporter.
 *
 * @module @tracewell/opentelemetry
 */

export { contextWithSpan, isTracingSuppressed, SPAN_KEY, suppressTracing } from './api/context.ts';
export type { IdGenerator } from './api/id-generator.ts';
export { PluginSpan } from './api/plugin-span.ts';
export {
  createTracerProvider,
  type PluginTracerProvider,
  type TracerProviderOptions,
} from './api/tracer-provider.ts';
export { tracewellSpanExporter } from './beside-sdk/span-exporter.ts';
export {
  type SpanProcessorOptions,
  type SpanProcessorStats,
  type TracewellSpanProcessor,
  tracewellSpanProcessor,
} from './beside-sdk/span-processor.ts';
export {
  type ExporterBridgeOptions,
  type ExportResult,
  exporterBridge,
  type SpanExporter,
} from './exporter-bridge/exporter-bridge.ts';
export type {
  ReadableAttributes,
  ReadableEvent,
  ReadableLink,
  ReadableResource,
  ReadableScope,
  ReadableSpan,
} from './exporter-bridge/readable-span.ts';
export type { OtlpExporterOptions } from './otlp/configuration.ts';
export { otlpExporter } from './otlp/otlp-exporter.ts';
export { BaggagePropagator } from './register/baggage-propagator.ts';
export { AsyncContextManager } from './register/context-manager.ts';
export type { PropagatorName } from './register/propagators.ts';
export { type RegisterOptions, type Registration, registerOpenTelemetry } from './register/register.ts';
export { TraceContextPropagator } from './register/trace-context-propagator.ts';
