import { describe } from 'node:test';
import { exporterRules } from './exporter-rules.ts';
import { type ExporterSuiteOptions, ExporterTrial } from './exporter-trial.ts';
import { testRule } from './rule.ts';

/**
 * Registers a `describe` block on `node:test` that holds a batch exporter to every rule of its contract, one
 * test a rule, each against a fresh exporter. The title of a test is `<rule>: <what the contract says>`; the
 * message of a failure says what was found and what to do. Rules on optional methods that the exporter does
 * not have, and on abilities that the factory does not offer, are skipped and say why.
 *
 * @param title - names the block, usually by the exporter
 * @param options - how to make an exporter
 *
 * @throws `TypeError` when `options.create` is not a function
 *
 * @example
 * A test file for an exporter that decodes into an array.
 * ```ts
 * import type { SpanData } from '@tracewell/plugin';
 * import { testBatchExporter } from '@tracewell/plugin/conformance';
 * import { decodeTraces } from '@tracewell/otlp';
 *
 * testBatchExporter('an exporter to an array', {
 *   create() {
 *     const spans: SpanData[] = [];
 *     return {
 *       spans: () => spans,
 *       exporter: {
 *         name: 'array',
 *         export: async (batch) => void spans.push(...decodeTraces(batch.bytes)),
 *       },
 *     };
 *   },
 * });
 * ```
 */
export function testBatchExporter(title: string, options: ExporterSuiteOptions): void {
  const { create, patienceMs = 10_000 } = options;
  if (typeof create !== 'function') {
    throw new TypeError(`testBatchExporter: create must be a function, got ${typeof create}`);
  }
  describe(title, () => {
    for (const rule of exporterRules) {
      testRule(
        rule,
        patienceMs * 6 + 60_000,
        async () => new ExporterTrial(await create(), options),
        async (trial) => await trial.subject.dispose?.(),
      );
    }
  });
}
