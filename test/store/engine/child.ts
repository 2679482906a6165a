// What the tests start as another process: opens a store and does what its argument says.

import { encodeTraces } from '@tracewell/otlp';
import { openStore, storeExporter } from '@tracewell/store';
import { id, span } from '../query/spans.ts';

const [directory, what, service, count] = process.argv.slice(2) as [string, string, string, string];
const store = await openStore(directory);

if (what === 'serve') {
  // One span of the shared trace for each line that comes in; says when it is durable.
  let spans = 0;
  process.stdin.setEncoding('utf8').on('data', async (lines: string) => {
    for (const _ of lines.trim().split('\n')) {
      await store.insertSpans([
        span({ service, spanId: service.charCodeAt(0).toString(16) + id(++spans).slice(2) }),
      ]);
      console.log(`stored ${Date.now()}`);
    }
  });
  process.stdin.on('end', () => void store.close());
  console.log('ready');
} else if (what === 'exit') {
  // Ends while exports are in flight, as an application does that calls process.exit().
  const exporter = storeExporter(store);
  const batch = (number: number) => ({
    bytes: encodeTraces([span({ service, spanId: id(number + 1) })]),
    spanCount: 1,
  });
  for (let number = 1; number < Number(count); number++) void exporter.export(batch(number));
  setImmediate(() => {
    exporter.exportSync!(batch(0));
    process.exit(0);
  });
}
