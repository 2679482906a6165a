// Decide at the end of a trace whether it is worth keeping: all errors, all slow ones, one in a hundred of the rest.
// prints: /kept \d+ of 1000 traces, all 10 failing ones among them/

import { decodeTraces } from '@tracewell/otlp';
import { type BatchExporter, StatusCode } from '@tracewell/plugin';
import { bufferedPlugin, startTracing, tailSampling } from '@tracewell/sdk';

const kept = new Map<string, boolean>();
const exporter: BatchExporter = {
  name: 'memory',
  async export(batch) {
    for (const { traceId, status } of decodeTraces(batch.bytes)) {
      kept.set(traceId, kept.get(traceId) === true || status.code === StatusCode.ERROR);
    }
  },
};

const tracing = startTracing({
  plugin: tailSampling(bufferedPlugin(exporter), {
    keepErrors: true,
    keepSlowerThanMs: 1_000,
    keepRatio: 0.01,
  }),
});
for (let i = 0; i < 1000; i++) {
  const request = tracing.plugin.startSpan({ name: 'request' });
  const query = tracing.plugin.startSpan({ name: 'query', parent: request });
  if (i % 100 === 0) tracing.plugin.setStatus(query, { code: StatusCode.ERROR, message: 'deadlock' });
  tracing.plugin.endSpan(query);
  tracing.plugin.endSpan(request);
}
await tracing.shutdown();
const failing = [...kept.values()].filter(Boolean).length;
console.log(`kept ${kept.size} of 1000 traces, all ${failing} failing ones among them`);
