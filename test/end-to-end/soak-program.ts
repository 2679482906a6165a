// Records spans at a constant rate through what the demo's services use, a store and an OTLP collector behind
// one recorder, and reports memory and counters to its parent.
import { otlpExporter } from '@tracewell/opentelemetry';
import { SpanKind, StatusCode } from '@tracewell/plugin';
import { startTracing } from '@tracewell/sdk';
import { openStore, storeExporter } from '@tracewell/store';

const [directory, collectorUrl, total, rate] = process.argv.slice(2) as [string, string, string, string];
const spans = Number(total);
const perTick = Math.ceil(Number(rate) / 100);

const store = await openStore(directory);
const tracing = startTracing({
  exporters: [storeExporter(store), otlpExporter({ url: `${collectorUrl}/v1/traces` })],
  resource: { 'service.name': 'soak' },
});
const { plugin } = tracing;
const scope = { name: 'soak', version: '1.0.0' };

let recorded = 0;
function recordOne(): void {
  recorded += 1;
  const span = plugin.startSpan({ name: 'GET /products/:id', kind: SpanKind.SERVER, scope });
  plugin.setAttribute(span, 'http.request.method', 'GET');
  plugin.setAttribute(span, 'url.path', `/products/${recorded % 1000}`);
  plugin.setAttribute(span, 'http.response.status_code', 200);
  plugin.setAttribute(span, 'server.address', '127.0.0.1');
  plugin.setAttribute(span, 'product.in_stock', recorded % 2 === 0);
  if (recorded % 10 === 0) {
    plugin.addEvent(span, { name: 'cache miss', attributes: { key: 'products' } });
    plugin.setStatus(span, { code: StatusCode.ERROR, message: 'upstream timed out' });
  }
  plugin.endSpan(span);
}

function sample(): void {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  process.send!({ recorded, heapUsed, arrayBuffers, rss });
}

// Ten ticks of 10 ms make 100 ms of the wanted rate, however late the timer comes.
const start = performance.now();
let sampled = 0;
const timer = setInterval(() => {
  const due = Math.min(spans, Math.ceil((performance.now() - start) / 10) * perTick);
  while (recorded < due) recordOne();
  if (recorded - sampled >= spans / 20) {
    sampled = recorded;
    sample();
  }
  if (recorded >= spans) {
    clearInterval(timer);
    void finish();
  }
}, 10);

async function finish(): Promise<void> {
  await tracing.flush();
  const [service] = await store.listServices();
  const { exporters, refused } = tracing.stats().plugin;
  process.send!({ done: true, refused, exporters, stored: service!.spanCount });
  await tracing.shutdown();
  await store.close();
  process.disconnect();
}
