// Stores spans one after the other, prints the id of each that is acknowledged, and exports them, until killed.
import { otlpExporter } from '@tracewell/opentelemetry';
import { durableExporter, openStore } from '@tracewell/store';
import { id, span } from '../query/spans.ts';

const [directory, url, number] = process.argv.slice(2) as [string, string, string];
const store = await openStore(directory, { segmentBytes: 64 * 1024 });
durableExporter(store, otlpExporter({ url }), { gatherMs: 0, initialDelayMs: 5, maxDelayMs: 50 });
for (let n = 1; ; n++) {
  const spanId = id(Number(number) * 1_000_000 + n);
  await store.insertSpans([span({ spanId, attributes: { text: 'x'.repeat(300) } })]);
  process.stdout.write(`${spanId}\n`);
}
