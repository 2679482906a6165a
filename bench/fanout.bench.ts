// What it costs to send every span to three exporters instead of one.
import { type BatchExporter, SpanKind, StatusCode } from '@tracewell/plugin';
import { type BufferedPlugin, bufferedPlugin } from '@tracewell/sdk';
import { alternate, type Bench, compare } from './harness.ts';

const START = { name: 'GET /orders/:id', kind: SpanKind.SERVER, scope: { name: 'bench', version: '1.0.0' } };
const EVENT = { name: 'cache.miss', attributes: { 'cache.key': 'orders' } };
const STATUS = { code: StatusCode.ERROR, message: 'upstream timed out' };
const FLUSH_EVERY = 2048;

function record(plugin: BufferedPlugin, index: number): void {
  const span = plugin.startSpan(START);
  plugin.setAttribute(span, 'http.request.method', 'GET');
  plugin.setAttribute(span, 'http.route', '/orders/:id');
  plugin.setAttribute(span, 'http.response.status_code', 200 + (index % 5));
  plugin.setAttribute(span, 'server.address', 'shop.example.com');
  plugin.setAttribute(span, 'server.port', 443);
  plugin.addEvent(span, EVENT);
  plugin.setStatus(span, STATUS);
  plugin.endSpan(span);
}

/** Nanoseconds a span of a plugin that delivers to so many exporters. */
function side(exporterCount: number, spans: number): () => Promise<number> {
  let arrived = 0;
  const exporters = Array.from(
    { length: exporterCount },
    (_, index): BatchExporter => ({
      name: `count-${index}`,
      async export(batch) {
        arrived += batch.spanCount;
      },
    }),
  );
  const plugin = bufferedPlugin(exporters, { resource: { attributes: { 'service.name': 'shop' } } });
  let index = 0;
  return async () => {
    const before = arrived;
    const start = process.hrtime.bigint();
    for (let left = spans; left > 0; left -= FLUSH_EVERY) {
      for (let next = Math.min(left, FLUSH_EVERY); next > 0; next--) record(plugin, index++);
      await plugin.flush();
    }
    const nanos = Number(process.hrtime.bigint() - start);
    if (arrived - before !== spans * exporterCount) throw new Error('a side lost spans');
    return nanos / spans;
  };
}

const bench: Bench = {
  name: 'fanout',
  what: 'a span of five attributes, an event and a status, delivered to three exporters and to one',
  async run({ tiny, report }) {
    const spans = tiny ? 2_000 : 100_000;
    const time = await alternate(tiny ? 1 : 11, { three: side(3, spans), one: side(1, spans) });
    report(
      compare('fanout', 'time per span, 3 exporters', 'ns', 'lower', time.three, '1 exporter', time.one),
    );
  },
};
export default bench;
