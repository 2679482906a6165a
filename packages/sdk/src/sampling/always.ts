import type { Sampler } from './sampler.ts';

const ALWAYS_ON: Sampler = { description: 'AlwaysOnSampler', shouldSample: () => true };
const ALWAYS_OFF: Sampler = { description: 'AlwaysOffSampler', shouldSample: () => false };

/**
 * A sampler that records every span.
 *
 * @example
 * ```ts
 * import { alwaysOn } from '@tracewell/sdk';
 *
 * console.log(alwaysOn().description); // AlwaysOnSampler
 * ```
 */
export function alwaysOn(): Sampler {
  return ALWAYS_ON;
}

/**
 * A sampler that records no span.
 *
 * @example
 * Records what a caller sampled, and begins no trace of its own.
 * ```ts
 * import { alwaysOff, parentBased } from '@tracewell/sdk';
 *
 * console.log(parentBased(alwaysOff()).description);
 * ```
 */
export function alwaysOff(): Sampler {
  return ALWAYS_OFF;
}
