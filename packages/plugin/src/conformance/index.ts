export { testTracerPlugin } from './plugin-suite.ts';
export type { ConformanceLimits, PluginRequest, PluginSubject, PluginSuiteOptions } from './plugin-trial.ts';
