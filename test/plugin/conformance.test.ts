import { testTracerPlugin } from '@tracewell/plugin/conformance';
import { ReferencePlugin } from './reference-plugin.ts';

testTracerPlugin('the reference plugin', {
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
