import { AssertionError } from 'node:assert';
import { test } from 'node:test';
import { inspect, isDeepStrictEqual } from 'node:util';
import { canonical } from './canonical.ts';

/** One sentence of a contract, with the trial that shows whether an implementation keeps it. */
export interface Rule<Trial> {
  /** Stable, for lists of known failures: `status-last-wins`. */
  readonly id: string;
  /** What the contract says. */
  readonly contract: string;
  /** What to change in an implementation that breaks the rule. */
  readonly remedy: string;
  /** Throws when the rule is broken; a string tells why the rule does not apply. */
  run(trial: Trial): Promise<string | undefined> | Promise<void> | string | undefined | void;
}

/** Registers one test for a rule; `open` makes what the rule runs against, `close` releases it. */
export function testRule<Trial>(
  rule: Rule<Trial>,
  timeoutMs: number,
  open: () => Promise<Trial>,
  close: (trial: Trial) => Promise<void>,
): void {
  test(`${rule.id}: ${rule.contract}`, { timeout: timeoutMs }, async (context) => {
    const trial = await open();
    try {
      const skipped = await rule.run(trial);
      if (typeof skipped === 'string') context.skip(skipped);
    } catch (error) {
      throw explained(rule, error);
    } finally {
      await close(trial);
    }
  });
}

function explained(rule: Rule<never>, error: unknown): Error {
  const found = error instanceof Error ? error.message : inspect(error);
  const message = [
    `Rule ${rule.id} is broken: ${found}`,
    `The contract: ${rule.contract}.`,
    `What to do: ${rule.remedy}.`,
  ].join('\n');
  const explanation = new AssertionError({ message });
  explanation.cause = error;
  return explanation;
}

/** Fails the rule at hand. */
export function fail(found: string): never {
  throw new AssertionError({ message: found });
}

/** Fails the rule at hand unless `condition` holds. */
export function check(condition: boolean, found: string): asserts condition {
  if (!condition) fail(found);
}

/** Fails the rule at hand unless both are equal, where `5n` equals `5` and `1` does not equal `new Double(1)`. */
export function same(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(canonical(actual), canonical(expected))) return;
  fail(`${what} should be ${shown(expected)}, is ${shown(actual)}`);
}

/** A value on one short line, for messages. */
export function shown(value: unknown): string {
  return inspect(value, { breakLength: Infinity, depth: 6, maxStringLength: 80, maxArrayLength: 20 });
}

/** Settles as `promise` does, or fails the rule at hand after a while. */
export async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new AssertionError({ message: `${what} did not settle within ${timeoutMs} ms` })),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
