/**
 * What an application installs to be traced: HTTP and fetch spans, installed instrumentations, exporters by
 * configuration.
 *
 * @module @tracewell/node
 */

export { instrumentFetch } from './fetch/instrument.ts';
export type { FetchOptions, FetchRequest, FetchResponse } from './fetch/options.ts';
export { instrumentHttp } from './http/instrument.ts';
export type { HttpOptions } from './http/options.ts';
export { SENSITIVE_QUERY_PARAMETERS } from './http/query.ts';
export type { Instrumentation } from './instrumentation.ts';
export type { PublishedInstrumentation } from './instrumentations/load.ts';
export { tracewell } from './tracewell.ts';
export type { TracewellNode } from './tracewell-node.ts';
export type { TracewellOptions } from './tracewell-options.ts';
