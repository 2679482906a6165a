// What a span costs from its start to the bytes that an exporter sends.
import { SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { SpanKind, StatusCode } from '@tracewell/plugin';
import { type BufferedPlugin, bufferedPlugin } from '@tracewell/sdk';
import { alternate, type Bench, compare, median } from './harness.ts';

const RESOURCE = { 'service.name': 'shop', 'service.version': '4.5.6', 'host.name': 'node-17' };
const SCOPE = { name: 'bench', version: '1.0.0' };
// What the caller allocates is not what is measured here, so both sides pass the same objects every time.
const START = { name: 'GET /orders/:id', kind: SpanKind.SERVER, scope: SCOPE };
const EVENT = { name: 'cache.miss', attributes: { 'cache.key': 'orders' } };
const PATHS = Array.from({ length: 1024 }, (_, index) => Buffer.from(`/orders/${index}`).toString());
const ERROR_STATUS = { code: StatusCode.ERROR, message: 'upstream timed out' };
const OTEL_START = { kind: 1 };
const OTEL_ERROR_STATUS = { code: SpanStatusCode.ERROR, message: 'upstream timed out' };

/** One span with five attributes, one of them different in each span, an event with an attribute, and a status. */
function recordOurs(plugin: BufferedPlugin, index: number): void {
  const span = plugin.startSpan(START);
  plugin.setAttribute(span, 'http.request.method', 'GET');
  plugin.setAttribute(span, 'http.route', '/orders/:id');
  plugin.setAttribute(span, 'http.response.status_code', 200 + (index % 5));
  plugin.setAttribute(span, 'server.address', 'shop.example.com');
  plugin.setAttribute(span, 'url.path', PATHS[index & 1023]!);
  plugin.addEvent(span, EVENT);
  plugin.setStatus(span, ERROR_STATUS);
  plugin.endSpan(span);
}

function recordTheirs(tracer: Tracer, index: number): void {
  const span = tracer.startSpan(START.name, OTEL_START);
  span.setAttribute('http.request.method', 'GET');
  span.setAttribute('http.route', '/orders/:id');
  span.setAttribute('http.response.status_code', 200 + (index % 5));
  span.setAttribute('server.address', 'shop.example.com');
  span.setAttribute('url.path', PATHS[index & 1023]!);
  span.addEvent(EVENT.name, EVENT.attributes);
  span.setStatus(OTEL_ERROR_STATUS);
  span.end();
}

/** Spans between two flushes on either side. */
const FLUSH_EVERY = 2048;

/** Records so many spans and has them as bytes, for one side. */
interface Side {
  record(spans: number): Promise<void>;
  /** Spans whose bytes arrived since the start. */
  arrived(): number;
}

function ourSide(): Side {
  let arrived = 0;
  const plugin = bufferedPlugin(
    {
      name: 'count',
      async export(batch) {
        arrived += batch.spanCount;
      },
    },
    { resource: { attributes: RESOURCE } },
  );
  let index = 0;
  return {
    async record(spans) {
      for (let left = spans; left > 0; left -= FLUSH_EVERY) {
        for (let next = Math.min(left, FLUSH_EVERY); next > 0; next--) recordOurs(plugin, index++);
        await plugin.flush();
      }
    },
    arrived: () => arrived,
  };
}

function theirSide(): Side {
  let arrived = 0;
  const processor = new BatchSpanProcessor(
    {
      export(spans: ReadableSpan[], done: (result: { code: number }) => void) {
        const bytes = ProtobufTraceSerializer.serializeRequest(spans);
        if (bytes !== undefined) arrived += spans.length;
        done({ code: 0 });
      },
      shutdown: async () => {},
    },
    { maxQueueSize: 2 * FLUSH_EVERY },
  );
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes(RESOURCE),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer(SCOPE.name, SCOPE.version);
  let index = 0;
  return {
    async record(spans) {
      for (let left = spans; left > 0; left -= FLUSH_EVERY) {
        for (let next = Math.min(left, FLUSH_EVERY); next > 0; next--) recordTheirs(tracer, index++);
        await processor.forceFlush();
      }
    },
    arrived: () => arrived,
  };
}

async function nanosPerSpan(side: Side, spans: number): Promise<number> {
  const before = side.arrived();
  const start = process.hrtime.bigint();
  await side.record(spans);
  const nanos = Number(process.hrtime.bigint() - start);
  if (side.arrived() - before !== spans) throw new Error('a side lost spans');
  return nanos / spans;
}

/** Bytes of JavaScript heap that a span takes: the median of rounds in which no collection came between. */
async function heapPerSpan(side: Side, rounds: number): Promise<number> {
  const spans = 1024;
  const figures: number[] = [];
  for (let round = 0; round < rounds; round++) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    await side.record(spans);
    const grown = process.memoryUsage().heapUsed - before;
    if (grown > 0) figures.push(grown / spans);
  }
  return median(figures);
}

const bench: Bench = {
  name: 'recorder',
  what: 'start, 5 attributes, 1 event, a status, end, and the OTLP bytes of all',
  async run({ tiny, report }) {
    const ours = ourSide();
    const theirs = theirSide();
    const spans = tiny ? 2_000 : 200_000;
    const time = await alternate(tiny ? 1 : 7, {
      ours: () => nanosPerSpan(ours, spans),
      theirs: () => nanosPerSpan(theirs, spans),
    });
    report(compare('recorder', 'time per span', 'ns', 'lower', time.ours, 'otel-sdk', time.theirs));
    const rounds = tiny ? 3 : 15;
    const heap = { ours: await heapPerSpan(ours, rounds), theirs: await heapPerSpan(theirs, rounds) };
    report(compare('recorder', 'heap per span', 'B', 'lower', heap.ours, 'otel-sdk', heap.theirs));
  },
};
export default bench;
