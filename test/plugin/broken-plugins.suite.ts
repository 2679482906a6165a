// Not a test by itself: conformance-fails.test.ts runs this file and counts what fails in it.
import { testTracerPlugin } from '@tracewell/plugin/conformance';
import { brokenPlugins } from './broken-plugins.ts';
import { ReferencePlugin } from './reference-plugin.ts';

for (const [title, { reuses = 2_000, change }] of Object.entries(brokenPlugins)) {
  testTracerPlugin(title, {
    limits: true,
    sampling: true,
    reuses,
    patienceMs: 300,
    create(request) {
      const plugin = new ReferencePlugin(request);
      change(plugin);
      return {
        plugin,
        spans: () => [...plugin.delivered],
        failDelivery: (failing) => {
          plugin.failing = failing;
        },
      };
    },
  });
}
