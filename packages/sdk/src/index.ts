/**
 * Records spans as OTLP bytes and hands them on: buffered plugins, fan-out, sampling, redaction, the host, exporters
 * to the terminal and to files.
 *
 * @module @tracewell/sdk
 */

export { type BufferedPlugin, bufferedPlugin } from './buffered/buffered-plugin.ts';
export type { BreakerOptions, BufferedPluginOptions, RetryOptions } from './buffered/options.ts';
export type { Timers } from './buffered/timers.ts';
export {
  type ConsoleExporterOptions,
  type ConsoleStream,
  consoleExporter,
} from './console/console-exporter.ts';
export { type FormatTraceOptions, formatTrace } from './console/format-trace.ts';
export type { TextStream } from './console/terminal.ts';
export { type FanOut, type FanOutOptions, type FanOutStats, fanOut } from './fan-out/fan-out.ts';
export { type FileExporterOptions, fileExporter } from './file/file-exporter.ts';
export type { ErrorCallback, ErrorReport } from './host/error-reporter.ts';
export {
  type ExporterTracingOptions,
  type HostOptions,
  type PluginTracingOptions,
  startTracing,
  type Tracing,
  type TracingOptions,
  type TracingStats,
} from './host/tracing.ts';
export { type Clock, systemClock } from './recorder/clock.ts';
export { type RandomSource, randomSpanId, randomTraceId } from './recorder/ids.ts';
export {
  type SpanLimits,
  type SpanLimitsFromEnvironment,
  spanLimitsFromEnvironment,
} from './recorder/limits.ts';
export { type Redaction, type RedactionOptions, type RedactionStats, redact } from './redaction/redact.ts';
export { type RedactionPattern, type RedactionRules, secretRules } from './redaction/rules.ts';
export { type ResourceOptions, resourceFromEnvironment } from './resource/resource-from-environment.ts';
export { alwaysOff, alwaysOn } from './sampling/always.ts';
export { type SamplerFromEnvironment, samplerFromEnvironment } from './sampling/environment.ts';
export { type ParentBasedOptions, parentBased } from './sampling/parent-based.ts';
export { ParentSampling, type Sampler } from './sampling/sampler.ts';
export { traceIdRatio } from './sampling/trace-id-ratio.ts';
export type { KeepOptions, TailSpan, TailTrace } from './tail-sampling/policy.ts';
export {
  type TailSampling,
  type TailSamplingOptions,
  type TailSamplingStats,
  tailSampling,
} from './tail-sampling/tail-sampling.ts';
