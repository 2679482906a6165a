export { testBatchExporter } from './exporter-suite.ts';
export type { ExporterSubject, ExporterSuiteOptions } from './exporter-trial.ts';
export { testTracerPlugin } from './plugin-suite.ts';
export type { ConformanceLimits, PluginRequest, PluginSubject, PluginSuiteOptions } from './plugin-trial.ts';
export type { SpanIdentity } from './sample-batch.ts';
