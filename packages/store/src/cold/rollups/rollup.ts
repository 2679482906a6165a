/** What the points of a series in some minutes say together. */
export interface Rollup {
  count: bigint;
  sum: number | undefined;
  min: number | undefined;
  max: number | undefined;
  last: number | undefined;
  lastTime: bigint;
  /** Whether count and sum are totals since the start of the series, of which only the last one counts. */
  readonly isTotal: boolean;
}

/** A rollup of the same series and time is taken into the first one. */
export function join(target: Rollup, other: Rollup): void {
  const isLater = other.lastTime >= target.lastTime;
  if (!target.isTotal) {
    target.count += other.count;
    target.sum = both(target.sum, other.sum, (a, b) => a + b);
  } else if (isLater) {
    target.count = other.count;
    target.sum = other.sum;
  }
  target.min = both(target.min, other.min, Math.min);
  target.max = both(target.max, other.max, Math.max);
  if (!isLater) return;
  target.last = other.last;
  target.lastTime = other.lastTime;
}

function both(
  a: number | undefined,
  b: number | undefined,
  of: (a: number, b: number) => number,
): number | undefined {
  return a === undefined ? b : b === undefined ? a : of(a, b);
}
