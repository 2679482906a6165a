// The conformance suite on the exporters of @tracewell/opentelemetry; the others stand with their packages.
import { exporterBridge, otlpExporter } from '@tracewell/opentelemetry';
import { type SpanIdentity, testBatchExporter } from '@tracewell/plugin/conformance';
import { OtlpBackend } from './otlp-backend.ts';

testBatchExporter('the OTLP exporter', {
  async create() {
    const backend = await OtlpBackend.start();
    const exporter = otlpExporter({ url: backend.url });
    return {
      exporter,
      spans: () => backend.spans(),
      failDelivery: (failing) => backend.failDelivery(failing),
      hangDelivery: (hanging) => backend.hangDelivery(hanging),
      async dispose() {
        await exporter.shutdown?.();
        await backend.stop();
      },
    };
  },
});

testBatchExporter('an OpenTelemetry exporter behind the bridge', {
  create() {
    const delivered: SpanIdentity[] = [];
    let failing = false;
    let hanging = false;
    const exporter = exporterBridge({
      export(spans, done) {
        if (hanging) return;
        if (failing) return done({ code: 1, error: new Error('the array is closed') });
        delivered.push(...spans.map((span) => ({ ...span.spanContext(), name: span.name })));
        done({ code: 0 });
      },
      shutdown: async () => {},
    });
    return {
      exporter,
      spans: () => [...delivered],
      failDelivery(on) {
        failing = on;
      },
      hangDelivery(on) {
        hanging = on;
      },
    };
  },
});
