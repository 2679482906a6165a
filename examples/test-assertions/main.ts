// Assert on traces in a test: what did one call of the code under test really do?
// prints: /pass 1/
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SpanKind } from '@tracewell/plugin';
import { startTracing } from '@tracewell/sdk';
import { openStore, storeExporter } from '@tracewell/store';

const directory = mkdtempSync(join(tmpdir(), 'tracewell-'));
const store = await openStore(directory, { durability: 'none' });
const tracing = startTracing({ exporters: storeExporter(store), resource: { 'service.name': 'under-test' } });
after(async () => {
  await tracing.shutdown();
  await store.close();
  rmSync(directory, { recursive: true });
});

/** The code under test: it should ask the database once, not once for every item. */
function listOrders(count: number): void {
  const { plugin } = tracing;
  const request = plugin.startSpan({ name: 'list orders', kind: SpanKind.SERVER });
  const query = plugin.startSpan({ name: 'SELECT orders', kind: SpanKind.CLIENT, parent: request });
  plugin.setAttribute(query, 'db.response.returned_rows', count);
  plugin.endSpan(query);
  plugin.endSpan(request);
}

test('listing orders asks the database once', async () => {
  listOrders(50);
  await tracing.flush();

  const { spans } = await store.queryTraces({ operation: 'list orders', limit: 1 });
  const trace = await store.getTrace(spans[0]!.traceId);
  const queries = trace!.spans.filter((span) => span.kind === SpanKind.CLIENT);
  assert.equal(queries.length, 1);
  assert.equal(queries[0]!.attributes['db.response.returned_rows'], 50);
  assert.equal(queries[0]!.parentSpanId, trace!.roots[0]!.span.spanId);
});
