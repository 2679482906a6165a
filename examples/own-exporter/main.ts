// An exporter of one's own: one method that takes batches of OTLP bytes. `bufferedPlugin`, which `startTracing`
// puts around it, brings the recorder, the bounded queue, retries and the accounting.
// prints: /delivered 2 spans at the second attempt/

import { decodeTraces } from '@tracewell/otlp';
import { type BatchExporter, ExportError } from '@tracewell/plugin';
import { bufferedPlugin, startTracing } from '@tracewell/sdk';

let attempts = 0;
const exporter: BatchExporter = {
  name: 'flaky',
  async export(batch) {
    attempts += 1;
    if (attempts === 1) throw new ExportError('the back end is busy', { retryable: true, retryAfterMs: 20 });
    // The bytes can go out as they are; whoever needs objects decodes them.
    const names = decodeTraces(batch.bytes).map((span) => span.name);
    console.log(`delivered ${batch.spanCount} spans at the second attempt: ${names.join(', ')}`);
  },
};

await using tracing = startTracing({ plugin: bufferedPlugin(exporter) });
for (const name of ['first', 'second']) tracing.plugin.endSpan(tracing.plugin.startSpan({ name }));
await tracing.flush().catch((error) => console.log(error.message));
await tracing.shutdown();
console.log(tracing.stats().plugin.exporters[0]);
