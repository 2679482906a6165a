// One recording, several back ends: encoded once, each with its own queue; one that is down harms no other.
// prints: /healthy: exported 1000, dropped 0/
import type { BatchExporter } from '@tracewell/plugin';
import { startTracing } from '@tracewell/sdk';

const healthy: BatchExporter = { name: 'healthy', export: async () => {} };
const down: BatchExporter = {
  name: 'down',
  export: async () => {
    throw new Error('connection refused');
  },
};
const hanging: BatchExporter = { name: 'hanging', export: () => new Promise(() => {}) };

const tracing = startTracing({
  exporters: [healthy, down, hanging],
  onError: (error) => console.log(`reported: ${error instanceof Error ? error.message : error}`),
});
for (let i = 0; i < 1000; i++) tracing.plugin.endSpan(tracing.plugin.startSpan({ name: `span ${i}` }));
await tracing.shutdown({ timeoutMs: 500 }).catch((error) => console.log(error.message));
for (const { name, exported, retained, dropped } of tracing.stats().plugin.exporters) {
  console.log(`${name}: exported ${exported}, dropped ${dropped}, retained ${retained}`);
}
