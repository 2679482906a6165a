import { checkSampler } from '../options.ts';
import { alwaysOff, alwaysOn } from './always.ts';
import { ParentSampling, type Sampler } from './sampler.ts';

// Constants of this module the engine folds into the code, imported ones it loads at every use.
const { NONE, LOCAL_SAMPLED, REMOTE_SAMPLED } = ParentSampling;

/** Who decides where there is a parent; see {@link parentBased}. */
export interface ParentBasedOptions {
  /** Asked when a caller in another process sampled the trace. Default `alwaysOn()`. */
  readonly remoteSampled?: Sampler;
  /** Asked when a caller in another process did not. Default `alwaysOff()`. */
  readonly remoteUnsampled?: Sampler;
  /** Asked when the parent is a sampled span of this process. Default `alwaysOn()`. */
  readonly localSampled?: Sampler;
}

/**
 * A sampler that follows the parent, so that a trace is recorded as a whole or not at all, and asks `root`
 * where a trace begins. `parentBased(alwaysOn())` is the default of everything that samples.
 *
 * The children of a span that is not sampled are never sampled, whichever sampler is used.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk/#parentbased
 *
 * @throws TypeError if one of them is no sampler
 *
 * @example
 * ```ts
 * import { parentBased, traceIdRatio } from '@tracewell/sdk';
 *
 * // A tenth of our own traces, and every one that a caller records.
 * const sampler = parentBased(traceIdRatio(0.1));
 * console.log(sampler.description);
 * ```
 */
export function parentBased(root: Sampler, options: ParentBasedOptions = {}): Sampler {
  const { remoteSampled = alwaysOn(), remoteUnsampled = alwaysOff(), localSampled = alwaysOn() } = options;
  for (const [field, sampler] of Object.entries({ root, remoteSampled, remoteUnsampled, localSampled })) {
    checkSampler('parentBased', field, sampler);
  }
  return {
    description:
      `ParentBased{root=${root.description}, remoteParentSampled=${remoteSampled.description}, ` +
      `remoteParentNotSampled=${remoteUnsampled.description}, localParentSampled=${localSampled.description}}`,
    shouldSample: (bytes, traceIdAt, parent, start) => {
      const sampler =
        parent === LOCAL_SAMPLED
          ? localSampled
          : parent === NONE
            ? root
            : parent === REMOTE_SAMPLED
              ? remoteSampled
              : remoteUnsampled;
      return sampler.shouldSample(bytes, traceIdAt, parent, start);
    },
  };
}
