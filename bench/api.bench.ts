// What a span through @opentelemetry/api costs, from its start to the bytes that an exporter sends: on our
// tracer provider, and on OpenTelemetry's SDK with its batch processor and its serializer.
import { SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { createTracerProvider } from '@tracewell/opentelemetry';
import { bufferedPlugin } from '@tracewell/sdk';
import { alternate, type Bench, compare } from './harness.ts';

const RESOURCE = { 'service.name': 'shop', 'service.version': '4.5.6', 'host.name': 'node-17' };
const ROUTES = ['/', '/cart', '/checkout', '/orders/:id', '/users/:id', '/search'];
const ERROR_STATUS = { code: SpanStatusCode.ERROR, message: 'upstream timed out' };

/** Spans between two flushes on either side. */
const FLUSH_EVERY = 2048;

/** A tracer, and what becomes of its spans. */
interface Side {
  readonly tracer: Tracer;
  flush(): Promise<void>;
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
  return {
    tracer: createTracerProvider(plugin).getTracer('bench', '1.0.0'),
    flush: () => plugin.flush(),
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
  return {
    tracer: provider.getTracer('bench', '1.0.0'),
    flush: () => processor.forceFlush(),
    arrived: () => arrived,
  };
}

/** One span with five attributes, one of them different in each span, an event with an attribute, and a status. */
function recordSpan(tracer: Tracer, index: number): void {
  const span = tracer.startSpan('GET /orders/:id', { kind: 1 });
  span.setAttribute('http.request.method', 'GET');
  span.setAttribute('http.route', ROUTES[index % ROUTES.length]!);
  span.setAttribute('http.response.status_code', 200 + (index % 5));
  span.setAttribute('server.address', 'shop.example.com');
  span.setAttribute('url.path', `/orders/${index}`);
  span.addEvent('cache.miss', { 'cache.key': 'orders' });
  span.setStatus(ERROR_STATUS);
  span.end();
}

async function nanosPerSpan(side: Side, spans: number): Promise<number> {
  const before = side.arrived();
  const start = process.hrtime.bigint();
  for (let index = 0; index < spans; ) {
    const until = Math.min(index + FLUSH_EVERY, spans);
    while (index < until) recordSpan(side.tracer, index++);
    await side.flush();
  }
  const nanos = Number(process.hrtime.bigint() - start);
  if (side.arrived() - before !== spans) throw new Error('a side lost spans');
  return nanos / spans;
}

const bench: Bench = {
  name: 'api',
  what: 'start, 5 attributes, 1 event, a status and end through @opentelemetry/api, and the OTLP bytes of all',
  async run({ tiny, report }) {
    const ours = ourSide();
    const theirs = theirSide();
    const spans = tiny ? 2_000 : 200_000;
    const time = await alternate(tiny ? 1 : 7, {
      ours: () => nanosPerSpan(ours, spans),
      theirs: () => nanosPerSpan(theirs, spans),
    });
    report(compare('api', 'time per span', 'ns', 'lower', time.ours, 'otel-sdk', time.theirs));
  },
};

export default bench;
