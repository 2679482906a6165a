// Records a span every 10 ms into the directory that it is given, until somebody ends it.
import { startTracing } from '@tracewell/sdk';
import { openStore, storeExporter } from '@tracewell/store';

const store = await openStore(process.argv[2]!);
const tracing = startTracing({ exporters: storeExporter(store), resource: { 'service.name': 'worker' } });

let step = 0;
setInterval(() => {
  const span = tracing.plugin.startSpan({ name: `step ${++step}` });
  tracing.plugin.endSpan(span);
}, 10);
setTimeout(async () => {
  await tracing.flush();
  process.send!('recorded');
}, 300);
