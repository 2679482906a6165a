import { check, shown, within } from '@tracewell/plugin/conformance';
import { canonical } from '../canonical.ts';
import type { Store } from '../store.ts';
import { Random } from './random.ts';
import { anHourAgo } from './samples.ts';

/** A store on trial. */
export interface StoreSubject {
  /** What takes inserts. Read anew each time, so it may be another one after {@link StoreSubject.settled}. */
  readonly store: Pick<Store, 'insertSpans' | 'insertLogs' | 'insertMetrics' | 'insertOtlp' | 'addComment'>;
  /**
   * Called after inserts, whose promises have resolved, and before something is asked: returns the store to ask, having
   * done to it whatever must not make a difference, such as to reopen it or to move its data. May be called several
   * times.
   */
  settled(): Store | Promise<Store>;
  /** Releases what the factory made, closed or not. */
  dispose?(): void | Promise<void>;
}

/** What `testStore` takes. */
export interface StoreSuiteOptions {
  /** Makes a fresh, empty store; called once for every rule. */
  create(): StoreSubject | Promise<StoreSubject>;
  /** What random data and queries begin with; the same seed makes the same. Default 1. */
  readonly seed?: number;
  /** How long one call may take, in milliseconds. Default 10,000. */
  readonly patienceMs?: number;
}

/** One store under one rule. */
export class StoreTrial {
  readonly subject: StoreSubject;
  readonly random: Random;
  /** When what the rule inserts begins. */
  readonly start = anHourAgo();
  /** How long one call may take. */
  readonly patienceMs: number;

  constructor(subject: StoreSubject, { seed = 1, patienceMs = 10_000 }: StoreSuiteOptions) {
    this.subject = subject;
    this.random = new Random(seed);
    this.patienceMs = patienceMs;
  }

  /** What takes inserts. */
  get store(): StoreSubject['store'] {
    return this.subject.store;
  }

  /** The store to ask. */
  async settled(): Promise<Store> {
    return this.subject.settled();
  }

  /** What a call resolves with; one that throws or does not settle breaks the rule at hand. */
  call<Result>(what: string, call: () => Promise<Result>): Promise<Result> {
    let promise: Promise<Result>;
    try {
      promise = call();
    } catch (error) {
      check(false, `${what} threw ${shown(error)} where it should have rejected`);
    }
    check(typeof promise?.then === 'function', `${what} returned ${shown(promise)}, not a promise`);
    return within(this.patienceMs, what, promise);
  }

  /** What a call rejects with. */
  async rejection(what: string, call: () => Promise<unknown>): Promise<unknown> {
    const settled = this.call(what, call).then(
      (result) => ({ error: undefined, result }),
      (error: unknown) => ({ error, result: undefined }),
    );
    const { error, result } = await settled;
    check(error !== undefined, `${what} resolved with ${shown(result)} where it should have rejected`);
    return error;
  }

  /** That two lists have the same members, in whatever order. */
  sameSet(actual: readonly unknown[], expected: readonly unknown[], what: string): void {
    const left = new Map<string, number>();
    for (const one of expected) left.set(textOf(one), (left.get(textOf(one)) ?? 0) + 1);
    for (const one of actual) {
      const count = left.get(textOf(one)) ?? 0;
      check(count > 0, `among ${what} is one that should not be, or too often: ${shown(one)}`);
      left.set(textOf(one), count - 1);
    }
    for (const one of expected) {
      check(left.get(textOf(one)) === 0, `${what} lack ${shown(one)}`);
    }
  }
}

function textOf(value: unknown): string {
  return JSON.stringify(canonical(value));
}
