// Record spans, keep them in a directory, read them back: no server, no container.
// prints: /checkout.*charge card/s
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StatusCode } from '@tracewell/plugin';
import { formatTrace, startTracing } from '@tracewell/sdk';
import { openStore, storeExporter } from '@tracewell/store';

const directory = mkdtempSync(join(tmpdir(), 'tracewell-'));
const store = await openStore(directory);
const tracing = startTracing({ exporters: storeExporter(store), resource: { 'service.name': 'shop' } });

const checkout = tracing.plugin.startSpan({ name: 'checkout', attributes: { 'order.items': 3 } });
const charge = tracing.plugin.startSpan({ name: 'charge card', parent: checkout });
tracing.plugin.setStatus(charge, { code: StatusCode.ERROR, message: 'card declined' });
tracing.plugin.endSpan(charge);
tracing.plugin.endSpan(checkout);
await tracing.flush();

const { spans } = await store.queryTraces({ service: 'shop', status: StatusCode.ERROR, lastSeconds: 60 });
const trace = await store.getTrace(spans[0]!.traceId);
console.log(formatTrace(trace!.spans));

await tracing.shutdown();
await store.close();
