export { type BufferedPlugin, bufferedPlugin } from './buffered/buffered-plugin.ts';
export type { BreakerOptions, BufferedPluginOptions, RetryOptions } from './buffered/options.ts';
export type { Timers } from './buffered/timers.ts';
export { type FormatTraceOptions, formatTrace } from './console/format-trace.ts';
export { type FanOut, type FanOutOptions, type FanOutStats, fanOut } from './fan-out/fan-out.ts';
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
export { type ResourceOptions, resourceFromEnvironment } from './resource/resource-from-environment.ts';
export { alwaysOff, alwaysOn } from './sampling/always.ts';
export { type SamplerFromEnvironment, samplerFromEnvironment } from './sampling/environment.ts';
export { type ParentBasedOptions, parentBased } from './sampling/parent-based.ts';
export { ParentSampling, type Sampler } from './sampling/sampler.ts';
export { traceIdRatio } from './sampling/trace-id-ratio.ts';
