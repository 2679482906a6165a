import { describe } from 'node:test';
import { deliveryRules } from './plugin-rules/delivery.ts';
import { handleRules } from './plugin-rules/handles.ts';
import { hostileInputRules } from './plugin-rules/hostile-input.ts';
import { interleavingRules } from './plugin-rules/interleaving.ts';
import { limitRules } from './plugin-rules/limits.ts';
import { parentRules } from './plugin-rules/parents.ts';
import { recordingRules } from './plugin-rules/recording.ts';
import { referenceRules } from './plugin-rules/references.ts';
import { type PluginRule, type PluginSuiteOptions, PluginTrial } from './plugin-trial.ts';
import { testRule } from './rule.ts';

const rules: readonly PluginRule[] = [
  ...handleRules,
  ...parentRules,
  ...recordingRules,
  ...limitRules,
  ...referenceRules,
  ...deliveryRules,
  ...hostileInputRules,
  ...interleavingRules,
];

/**
 * Registers a `describe` block on `node:test` that holds a plugin to every rule of the contract, one test a
 * rule, each against a fresh plugin. The title of a test is `<rule>: <what the contract says>`; the message of
 * a failure says what was found and what to do. Rules on optional methods that the plugin does not have, and
 * on abilities that `options` does not claim, are skipped and say why.
 *
 * The plugin has to sample everything unless it is asked for `sampled: false`.
 *
 * @param title - names the block, usually by the plugin
 * @param options - how to make a plugin and what it can do
 *
 * @throws `TypeError` when `options.create` is not a function
 *
 * @example
 * A test file for a plugin that delivers to an array.
 * ```ts
 * import { testTracerPlugin } from '@tracewell/plugin/conformance';
 * import { bufferedPlugin } from '@tracewell/sdk';
 * import { decodeTraces } from '@tracewell/otlp';
 *
 * testTracerPlugin('bufferedPlugin', {
 *   reuses: 10_000,
 *   create() {
 *     const batches: Uint8Array[] = [];
 *     const take = (batch: { bytes: Uint8Array }) => void batches.push(batch.bytes);
 *     const plugin = bufferedPlugin({ name: 'array', export: async (batch) => take(batch), exportSync: take });
 *     return {
 *       plugin,
 *       spans: () => batches.flatMap((bytes) => decodeTraces(bytes)),
 *       dispose: () => plugin.shutdown(),
 *     };
 *   },
 * });
 * ```
 */
export function testTracerPlugin(title: string, options: PluginSuiteOptions): void {
  const { create, limits = false, sampling = false, patienceMs = 10_000 } = options;
  if (typeof create !== 'function') {
    throw new TypeError(`testTracerPlugin: create must be a function, got ${typeof create}`);
  }
  describe(title, () => {
    for (const rule of rules) {
      const request = rule.request ?? {};
      const impossible =
        (request.limits !== undefined && !limits && 'the options do not claim limits') ||
        (request.sampled === false && !sampling && 'the options do not claim sampling');
      testRule(
        impossible ? { ...rule, run: () => impossible } : rule,
        // One rule waits a few times at most; the million of reuses needs time of its own.
        patienceMs * 6 + 60_000,
        async () => new PluginTrial(await create(impossible ? {} : request), options),
        async (trial) => await trial.subject.dispose?.(),
      );
    }
  });
}
