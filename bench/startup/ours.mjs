// Prints how many milliseconds our SDK takes to be imported and started.
const before = performance.now();
const { tracewell } = await import('@tracewell/node');
await tracewell({
  instrumentations: false,
  env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SERVICE_NAME: 'bench' },
});
process.stdout.write(String(performance.now() - before), () => process.exit(0));
