// What every benchmark shares: sides measured alternately in one process, medians, one line a result.

/** One line of the table. A ratio above 1 means that ours is better. */
export interface BenchResult {
  readonly bench: string;
  readonly metric: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer: string;
  readonly theirs: number;
  readonly ratio: number;
}

/** What a benchmark gets. */
export interface BenchContext {
  /** Run for a moment only: the tests do this so that no benchmark rots. The figures mean nothing then. */
  readonly tiny: boolean;
  report(result: BenchResult): void;
}

/** A file `bench/NAME.bench.ts` exports one of these as `default`. */
export interface Bench {
  readonly name: string;
  /** What both sides do, in a sentence. */
  readonly what: string;
  run(context: BenchContext): Promise<void>;
}

/** Whether a larger figure is the better one (a rate) or a smaller one (a time, a size). */
export type Better = 'higher' | 'lower';

/** Builds a result with its ratio. */
export function compare(
  bench: string,
  metric: string,
  unit: string,
  better: Better,
  ours: number,
  peer: string,
  theirs: number,
): BenchResult {
  return {
    bench,
    metric,
    unit,
    ours,
    peer,
    theirs,
    ratio: better === 'higher' ? ours / theirs : theirs / ours,
  };
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Measures the sides in turn, A B C A B C …, and returns the median figure of each. Every side warms up
 * once before anything counts.
 */
export async function alternate<Side extends string>(
  rounds: number,
  sides: Readonly<Record<Side, () => number | Promise<number>>>,
): Promise<Record<Side, number>> {
  const names = Object.keys(sides) as Side[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Side, number[]>;
  for (const name of names) await sides[name]();
  for (let round = 0; round < rounds; round++) {
    for (const name of names) figures[name].push(await sides[name]());
  }
  return Object.fromEntries(names.map((name) => [name, median(figures[name])])) as Record<Side, number>;
}
