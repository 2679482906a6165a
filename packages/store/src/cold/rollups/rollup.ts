/** What the points of a series in some minutes say together: what the table `metrics_5m` says of them. */
export interface Rollup {
  points: bigint;
  count: bigint;
  sum: number | undefined;
  min: number | undefined;
  max: number | undefined;
  last: number | undefined;
  /** Of the point that `last` is of. */
  lastTime: bigint;
}

/** A rollup of the same series and minutes is taken into the first one. */
export function join(target: Rollup, other: Rollup): void {
  target.points += other.points;
  target.count += other.count;
  target.sum = both(target.sum, other.sum, (a, b) => a + b);
  target.min = both(target.min, other.min, (a, b) =>
    Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b),
  );
  target.max = both(target.max, other.max, Math.max);
  if (other.last === undefined || (target.last !== undefined && other.lastTime < target.lastTime)) return;
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
