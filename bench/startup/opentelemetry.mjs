// Prints how many milliseconds OpenTelemetry's SDK takes to be imported and started.
process.env.OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:4318';
process.env.OTEL_SERVICE_NAME = 'bench';
const before = performance.now();
const { NodeSDK } = await import('@opentelemetry/sdk-node');
const { HttpInstrumentation } = await import('@opentelemetry/instrumentation-http');
const { UndiciInstrumentation } = await import('@opentelemetry/instrumentation-undici');
new NodeSDK({
  instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation()],
  metricReaders: [],
  logRecordProcessors: [],
}).start();
process.stdout.write(String(performance.now() - before), () => process.exit(0));
