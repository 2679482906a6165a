/**
 * Test suites on `node:test` that hold an implementation to the contracts of
 * `TracerPlugin` and `BatchExporter`, and what such suites are made of.
 *
 * @module @tracewell/plugin/conformance
 */

export { testBatchExporter } from './exporter-suite.ts';
export type { ExporterSubject, ExporterSuiteOptions } from './exporter-trial.ts';
export { testTracerPlugin } from './plugin-suite.ts';
export type { ConformanceLimits, PluginRequest, PluginSubject, PluginSuiteOptions } from './plugin-trial.ts';
export { check, fail, type Rule, same, shown, testRule, within } from './rule.ts';
export type { SpanIdentity } from './sample-batch.ts';
