// Keep the OpenTelemetry SDK as it is, and put a store beside it: one line.
// prints: /kept by the store: work/
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { tracewellSpanProcessor } from '@tracewell/opentelemetry';
import { openStore, storeExporter } from '@tracewell/store';

const store = await openStore(mkdtempSync(join(tmpdir(), 'tracewell-')));
const provider = new BasicTracerProvider({
  spanProcessors: [tracewellSpanProcessor(storeExporter(store))], // the line
});
trace.setGlobalTracerProvider(provider);

trace.getTracer('app').startSpan('work').end();
await provider.forceFlush();

const { spans } = await store.queryTraces({ lastSeconds: 60 });
console.log(`kept by the store: ${spans.map((span) => span.name).join(', ')}`);
await provider.shutdown();
await store.close();
