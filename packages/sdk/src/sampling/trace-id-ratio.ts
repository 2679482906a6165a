import { readFixed32 } from '@tracewell/otlp/wire';
import { alwaysOff, alwaysOn } from './always.ts';
import type { Sampler } from './sampler.ts';

/**
 * A sampler that records a share of all traces, chosen by their trace id, so that every process that uses
 * the same ratio chooses the same traces, and one with a higher ratio those and more.
 *
 * It decides exactly as `TraceIdRatioBasedSampler` of `@opentelemetry/sdk-trace-base` 2.12: the four 32-bit
 * words of the trace id, combined by exclusive or, are compared with the ratio of 2^32 - 1. Services on
 * either SDK therefore agree.
 *
 * @param ratio - from 0 (nothing) to 1 (everything)
 * @throws RangeError if `ratio` is not a number from 0 to 1
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk/#traceidratiobased
 *
 * @example
 * ```ts
 * import { parentBased, traceIdRatio } from '@tracewell/sdk';
 *
 * const sampler = parentBased(traceIdRatio(0.1));
 * console.log(sampler.description);
 * ```
 */
export function traceIdRatio(ratio: number): Sampler {
  if (typeof ratio !== 'number' || !(ratio >= 0 && ratio <= 1)) {
    throw new RangeError(`traceIdRatio: ratio must be a number from 0 to 1, got ${String(ratio)}`);
  }
  const description = `TraceIdRatioBased{${ratio}}`;
  if (ratio === 1) return { ...alwaysOn(), description };
  if (ratio === 0) return { ...alwaysOff(), description };
  const bound = Math.floor(ratio * 0xffff_ffff);
  return {
    description,
    shouldSample: (bytes, at) => {
      const words =
        readFixed32(bytes, at) ^
        readFixed32(bytes, at + 4) ^
        readFixed32(bytes, at + 8) ^
        readFixed32(bytes, at + 12);
      return swapBytes(words) >>> 0 < bound;
    },
  };
}

/** A trace id is big-endian; exclusive or does not mind the order of bytes, the comparison does. */
function swapBytes(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
