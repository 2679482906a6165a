import type { SpanStart } from '@tracewell/plugin';

/** What a sampler is told of the parent of a span; see {@link Sampler.shouldSample}. */
export const ParentSampling = {
  /** There is no parent: the span begins a trace. */
  NONE: 0,
  /** The caller in another process did not sample the trace. */
  REMOTE_UNSAMPLED: 1,
  /** The caller in another process sampled the trace. */
  REMOTE_SAMPLED: 2,
  /** The parent is a live span of this process; those that are not sampled never ask a sampler. */
  LOCAL_SAMPLED: 3,
} as const;
/** One of the numbers of {@link ParentSampling}. */
export type ParentSampling = (typeof ParentSampling)[keyof typeof ParentSampling];

/**
 * Decides at the start of a span whether it is recorded.
 *
 * It is asked for every span but the children of unsampled ones, inline with the application's own work, so
 * it must be quick. If it throws, the span is recorded.
 *
 * @example
 * Leaves out health checks, and asks nobody else about the rest.
 * ```ts
 * import { bufferedPlugin, parentBased, type Sampler } from '@tracewell/sdk';
 *
 * const noHealthChecks: Sampler = {
 *   description: 'NoHealthChecks',
 *   shouldSample: (_traceId, _at, _parent, start) => start.name !== 'GET /health',
 * };
 * const plugin = bufferedPlugin(
 *   { name: 'nowhere', async export() {} },
 *   { sampler: parentBased(noHealthChecks) },
 * );
 * console.log(plugin.startSpan({ name: 'GET /health' })); // 0
 * ```
 */
export interface Sampler {
  /** Names the sampler and its settings, as in `TraceIdRatioBased{0.1}`. */
  readonly description: string;

  /**
   * @param bytes - holds the trace id that the span will have; valid during the call only
   * @param traceIdAt - the offset of its 16 bytes
   * @param parent - what is known of the parent
   * @param start - what the span starts with
   * @returns whether to record the span
   */
  shouldSample(bytes: Uint8Array, traceIdAt: number, parent: ParentSampling, start: SpanStart): boolean;
}
