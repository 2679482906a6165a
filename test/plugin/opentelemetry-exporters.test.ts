// The conformance suite on the exporters of @tracewell/opentelemetry; the others stand with their packages.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exporterBridge, otlpExporter } from '@tracewell/opentelemetry';
import { decodeTraces } from '@tracewell/otlp';
import { type SpanIdentity, testBatchExporter } from '@tracewell/plugin/conformance';

/** A back end that can fail and hang. */
class Backend {
  readonly spans: SpanIdentity[] = [];
  failing = false;
  hanging = false;

  subject() {
    return {
      spans: () => [...this.spans],
      failDelivery: (failing: boolean) => {
        this.failing = failing;
      },
      hangDelivery: (hanging: boolean) => {
        this.hanging = hanging;
      },
    };
  }
}

testBatchExporter('the OTLP exporter', {
  async create() {
    const backend = new Backend();
    const server = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      if (backend.hanging) return;
      if (backend.failing) {
        response.statusCode = 400;
      } else {
        backend.spans.push(...decodeTraces(body));
        response.setHeader('content-type', 'application/x-protobuf');
      }
      response.end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const exporter = otlpExporter({ url: `http://127.0.0.1:${port}/v1/traces` });
    return {
      ...backend.subject(),
      exporter,
      async dispose() {
        await exporter.shutdown?.();
        server.closeAllConnections();
        server.close();
      },
    };
  },
});

testBatchExporter('an OpenTelemetry exporter behind the bridge', {
  create() {
    const backend = new Backend();
    const exporter = exporterBridge({
      export(spans, done) {
        if (backend.hanging) return;
        if (backend.failing) return done({ code: 1, error: new Error('the array is closed') });
        backend.spans.push(...spans.map((span) => ({ ...span.spanContext(), name: span.name })));
        done({ code: 0 });
      },
      shutdown: async () => {},
    });
    return { ...backend.subject(), exporter };
  },
});
