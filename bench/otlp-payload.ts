// The payload of the otlp benchmarks: a request of 512 spans as a shop's services would send it, about 330
// bytes and 5 to 12 attributes a span, recorded by the OpenTelemetry SDK and serialised by its transformer, so
// that its form is nobody's advantage.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import protobuf from 'protobufjs';

/** The payload in the forms that the sides start from. */
export interface Payload {
  readonly spanCount: number;
  readonly readableSpans: readonly ReadableSpan[];
  readonly bytes: Uint8Array;
}

/** Makes the payload; the same spans every time, but for their ids. */
export function makePayload(spanCount: number): Payload {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'checkout',
      'service.version': '1.14.2',
      'host.name': 'web-7c9f',
      'process.pid': 4711,
      'telemetry.sdk.language': 'nodejs',
    }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const http = provider.getTracer('@opentelemetry/instrumentation-http', '0.223.0');
  const pg = provider.getTracer('@opentelemetry/instrumentation-pg', '0.76.0');
  let parent: Context = ROOT_CONTEXT;
  for (let index = 0; index < spanCount; index++) {
    // Traces of eight spans: a request with queries below it.
    const isRoot = index % 8 === 0;
    const failed = index % 50 === 0;
    const span = isRoot
      ? http.startSpan('POST /api/orders/:id/checkout', { kind: SpanKind.SERVER }, ROOT_CONTEXT)
      : pg.startSpan('pg.query:SELECT shop', { kind: SpanKind.CLIENT }, parent);
    if (isRoot) {
      parent = trace.setSpan(ROOT_CONTEXT, span);
      span.setAttributes({
        'http.request.method': 'POST',
        'http.response.status_code': failed ? 500 : 200,
        'http.route': '/api/orders/:id/checkout',
        'url.path': `/api/orders/${100_000 + index}/checkout`,
        'url.scheme': 'https',
        'server.address': 'shop.example.com',
        'server.port': 443,
        'network.protocol.version': '1.1',
        'client.address': `10.0.${index % 256}.17`,
        'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64)',
        'enduser.id': `user-${index % 97}`,
        'app.cache_hit': index % 3 === 0,
      });
      span.addEvent('cart.loaded', { 'cart.items': index % 7 });
    } else {
      span.setAttributes({
        'db.system.name': 'postgresql',
        'db.namespace': 'shop',
        'db.query.text': 'SELECT id, total FROM orders WHERE id = $1',
        'server.address': 'db.internal',
        'server.port': 5432,
      });
      if (index % 2 === 0) span.setAttributes({ 'db.rows': index, 'app.ratio': index / 7 });
      if (index % 4 === 1) span.addEvent('retry', { attempt: 1 });
    }
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR, message: 'upstream timed out' });
    span.end();
  }
  const readableSpans = exporter.getFinishedSpans();
  return { spanCount, readableSpans, bytes: ProtobufTraceSerializer.serializeRequest([...readableSpans])! };
}

const require = createRequire(import.meta.url);

/** A 64-bit integer as protobufjs returns it. */
export interface PeerLong {
  readonly low: number;
  readonly high: number;
}

/** The slice of protobufjs' message objects that the benchmarks read. */
export interface PeerRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly PeerKeyValue[] };
    readonly scopeSpans: readonly { readonly scope: PeerScope; readonly spans: readonly PeerSpan[] }[];
  }[];
}
export interface PeerScope {
  readonly name: string;
  readonly version: string;
}
export interface PeerKeyValue {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string | null;
    readonly boolValue?: boolean | null;
    readonly intValue?: PeerLong | null;
    readonly doubleValue?: number | null;
  };
}
export interface PeerSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId?: Uint8Array | null;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: PeerLong;
  readonly endTimeUnixNano: PeerLong;
  readonly attributes: readonly PeerKeyValue[];
  readonly events: readonly {
    readonly timeUnixNano: PeerLong;
    readonly name: string;
    readonly attributes: readonly PeerKeyValue[];
  }[];
  readonly status?: { readonly code: number; readonly message: string } | null;
}

/** What protobufjs generates for a message. */
export interface PeerType {
  decode(bytes: Uint8Array): PeerRequest;
  encode(message: PeerRequest): { finish(): Uint8Array };
}

/**
 * protobufjs twice: the classes that its compiler generated ahead of time, as release 0.52.1 of the transformer
 * ships them, and those that the newest protobufjs generates at run time from the files that dd-trace ships.
 */
export function loadPeers(): { readonly ahead: PeerType; readonly runtime: PeerType } {
  const generated = require(
    join(dirname(require.resolve('otlp-transformer-proto/package.json')), 'build/src/generated/root.js'),
  ) as {
    opentelemetry: { proto: { collector: { trace: { v1: { ExportTraceServiceRequest: PeerType } } } } };
  };
  const protos = join(
    dirname(require.resolve('dd-trace/package.json')),
    'packages/dd-trace/src/opentelemetry/otlp',
  );
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(protos, target.split('/').at(-1)!);
  root.loadSync('trace_service.proto');
  const runtime = root.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest');
  return {
    ahead: generated.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest,
    runtime: runtime as unknown as PeerType,
  };
}

/** Spans a second of a side that handles the whole payload once a call. */
export function rate(spanCount: number, seconds: number, side: () => void): () => number {
  return () => {
    const start = process.hrtime.bigint();
    let calls = 0;
    let elapsed = 0;
    do {
      side();
      calls++;
      elapsed = Number(process.hrtime.bigint() - start) / 1e9;
    } while (elapsed < seconds);
    return (calls * spanCount) / elapsed;
  };
}
