/**
 * A test suite on `node:test` that holds an implementation to the contract of `Store`.
 *
 * @module @tracewell/store/conformance
 */

export { testStore } from './store-suite.ts';
export type { StoreSubject, StoreSuiteOptions } from './store-trial.ts';
