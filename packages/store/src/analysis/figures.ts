import type { Operations } from '../hot/spans/operations.ts';
import { Durations } from './durations.ts';

/** Some spans in numbers. */
export interface SpanFigures {
  readonly spanCount: number;
  /** Those with status ERROR. */
  readonly errorCount: number;
  /** `errorCount` as a part of `spanCount`, 0 to 1. */
  readonly errorRate: number;
  readonly meanMs: number;
  /** Half of the spans took at most so long. Percentiles are within 0.8 % of the exact ones. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** The longest, to 7 digits. */
  readonly maxMs: number;
}

/** What stands for names beyond the number that a store keeps apart. */
export const OTHERS = '(others)';

const QUANTILES = [0.5, 0.95, 0.99];

/** Durations and failures of groups that are numbered from 0. */
export class Figures {
  readonly durations = new Durations();
  readonly #errors: number[] = [];

  add(group: number, durationBits: number, failed: boolean): void {
    this.durations.add(group, durationBits);
    if (failed) this.#errors[group] = this.errorCount(group) + 1;
  }

  /** Adds a group of others to one of these. */
  merge(group: number, others: Figures, otherGroup: number): void {
    this.durations.merge(group, others.durations, otherGroup);
    this.#errors[group] = this.errorCount(group) + others.errorCount(otherGroup);
  }

  errorCount(group: number): number {
    return this.#errors[group] ?? 0;
  }

  /** The groups that have any. */
  groups(): number[] {
    return this.durations.groups();
  }

  /** A group as plain data. */
  of(group: number): SpanFigures {
    const spanCount = this.durations.count(group);
    const errorCount = this.errorCount(group);
    const [p50, p95, p99] = this.durations.percentiles(group, QUANTILES);
    return {
      spanCount,
      errorCount,
      errorRate: spanCount === 0 ? 0 : errorCount / spanCount,
      meanMs: this.durations.mean(group) / 1e6,
      p50Ms: p50! / 1e6,
      p95Ms: p95! / 1e6,
      p99Ms: p99! / 1e6,
      maxMs: this.durations.max(group) / 1e6,
    };
  }
}

/** Tells by its number whether a service is the one that is asked for; remembers the answers. */
export function serviceFilter(
  operations: Operations,
  name: string | undefined,
): (service: number) => boolean {
  if (name === undefined) return () => true;
  const answers: boolean[] = [];
  return (service) => {
    answers[service] ??= operations.serviceName(service) === name;
    return answers[service];
  };
}
