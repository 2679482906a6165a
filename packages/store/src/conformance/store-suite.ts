import { describe } from 'node:test';
import { testRule } from '@tracewell/plugin/conformance';
import { analysisRules } from './rules/analysis-rules.ts';
import { commonRules } from './rules/common-rules.ts';
import { logRules } from './rules/log-rules.ts';
import { metricRules } from './rules/metric-rules.ts';
import { spanRules } from './rules/span-rules.ts';
import { type StoreSuiteOptions, StoreTrial } from './store-trial.ts';

/** Every rule of the contract of a store. */
export const STORE_RULES = [...commonRules, ...analysisRules, ...spanRules, ...logRules, ...metricRules];

/**
 * Registers a `describe` block on `node:test` that holds a store to every rule of its contract, one test a rule, each
 * against a fresh store: all operations, all filters, paging, fidelity and errors, compared with what a plain list of
 * the same records would answer. The title of a test is `<rule>: <what the contract says>`; the message of a failure
 * says what was found and what to do.
 *
 * @param title - names the block, usually by the store
 * @param options - how to make a store
 *
 * @throws `TypeError` when `options.create` is not a function
 *
 * @example
 * A test file for a store that is reopened before it is asked.
 * ```ts
 * import { mkdtempSync, rmSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { openStore } from '@tracewell/store';
 * import { testStore } from '@tracewell/store/conformance';
 *
 * testStore('a store that is reopened', {
 *   async create() {
 *     const directory = mkdtempSync(join(tmpdir(), 'conformance-'));
 *     let store = await openStore(directory);
 *     return {
 *       get store() {
 *         return store;
 *       },
 *       async settled() {
 *         await store.close();
 *         store = await openStore(directory);
 *         return store;
 *       },
 *       async dispose() {
 *         await store.close();
 *         rmSync(directory, { recursive: true });
 *       },
 *     };
 *   },
 * });
 * ```
 */
export function testStore(title: string, options: StoreSuiteOptions): void {
  const { create, patienceMs = 10_000 } = options;
  if (typeof create !== 'function') {
    throw new TypeError(`testStore: create must be a function, got ${typeof create}`);
  }
  describe(title, () => {
    for (const rule of STORE_RULES) {
      testRule(
        rule,
        patienceMs * 6 + 60_000,
        async () => new StoreTrial(await create(), options),
        async (trial) => await trial.subject.dispose?.(),
      );
    }
  });
}
