import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testBatchExporter, testTracerPlugin } from '@tracewell/plugin/conformance';
import { failingRules } from './failing-rules.ts';
import { ReferenceExporter } from './reference-exporter.ts';
import { ReferencePlugin } from './reference-plugin.ts';

testTracerPlugin('a plugin in plain objects', {
  limits: true,
  sampling: true,
  create(request) {
    const plugin = new ReferencePlugin(request);
    return {
      plugin,
      spans: () => [...plugin.delivered],
      failDelivery: (failing) => {
        plugin.failing = failing;
      },
    };
  },
});

testBatchExporter('an exporter to an array', {
  create() {
    const exporter = new ReferenceExporter();
    return {
      exporter,
      spans: () => [...exporter.delivered],
      failDelivery: (failing) => {
        exporter.failing = failing;
      },
      hangDelivery: (hanging) => {
        exporter.hanging = hanging;
      },
    };
  },
});

test('the suites skip what an implementation does not claim, and say why', async () => {
  const file = fileURLToPath(new URL('./minimal.suite.ts', import.meta.url));
  const outcomes = await failingRules(file);
  const plugin = outcomes.get('seven methods') ?? assert.fail('the plugin suite did not run');
  assert.deepEqual([...plugin.failed.values()], []);
  assert.deepEqual(Object.fromEntries(plugin.skipped), {
    unsampled: 'the options do not claim sampling',
    'span-context': 'the plugin has no spanContext',
    'update-name': 'the plugin has no updateName',
    'links-add': 'the plugin has no addLink',
    'limit-attributes': 'the options do not claim limits',
    'limit-value-length': 'the options do not claim limits',
    'limit-events': 'the options do not claim limits',
    'limit-links': 'the options do not claim limits',
    'flush-error': 'the factory gives no failDelivery',
    'flush-retry': 'the factory gives no failDelivery',
    'flush-sync': 'the plugin has no flushSync',
    'flush-sync-error': 'the plugin has no flushSync',
    'shutdown-delivers': 'the plugin has no shutdown',
    'shutdown-idempotent': 'the plugin has no shutdown',
    'shutdown-silence': 'the plugin has no shutdown',
    'shutdown-error': 'the plugin has no shutdown',
    stats: 'the plugin has no stats',
    'no-throw-updateName': 'the plugin has no updateName',
    'no-throw-addLink': 'the plugin has no addLink',
    'no-throw-spanContext': 'the plugin has no spanContext',
  });
  const exporter = outcomes.get('one method') ?? assert.fail('the exporter suite did not run');
  assert.deepEqual([...exporter.failed.values()], []);
  assert.deepEqual(Object.fromEntries(exporter.skipped), {
    rejects: 'the factory gives no failDelivery',
    recovers: 'the factory gives no failDelivery',
    abort: 'the factory gives no hangDelivery',
    sync: 'the exporter has no exportSync',
    'sync-throws': 'the exporter has no exportSync',
    flush: 'the exporter has no flush',
    shutdown: 'the exporter has no shutdown',
  });
});

test('the suites refuse options without a factory', () => {
  const options = {} as { create(): never };
  assert.throws(() => testTracerPlugin('nothing', options), { name: 'TypeError', message: /create/ });
  assert.throws(() => testBatchExporter('nothing', options), { name: 'TypeError', message: /create/ });
});
