import type { Operations } from '../hot/spans/operations.ts';
import type { TimeWindow } from '../query/check.ts';

/**
 * What an analysis reads of a span: numbers only, so that millions of spans cost no memory and no decoding.
 *
 * @param operation - a number of `Operations`: service and name
 * @param flags - status, kind and whether it is a root, as in hot/spans/row.ts
 * @param startHigh - the start in nanoseconds since the Unix epoch, upper 32 bits
 * @param startLow - the lower 32 bits
 * @param durationBits - the duration in nanoseconds as the bits of a 32-bit float: rounded to 1 part in 16 million
 */
export type SpanVisitor = (
  operation: number,
  flags: number,
  startHigh: number,
  startLow: number,
  durationBits: number,
) => void;

/** Where an analysis gets its spans from: hot, cold, or both. */
export interface SpanFacts {
  readonly operations: Operations;
  /** Calls `visit` for every span that started in the window, each once, in no particular order. */
  visit(window: TimeWindow, visit: SpanVisitor): Promise<void>;
}
