// A server that says hello, traced by one side: node server.ts SIDE RECEIVER_PORT
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , side, receiverPort] = process.argv;
const require = createRequire(import.meta.url);
/** Sends off what is recorded; resolves when it is. */
let flush = async (): Promise<void> => {};
const collector = `http://127.0.0.1:${receiverPort}/v1/traces`;

if (side === 'ours') {
  const { tracewell } = await import('@tracewell/node');
  const { otlpExporter } = await import('@tracewell/opentelemetry');
  const { tracing } = await tracewell({
    exporters: [otlpExporter({ url: collector })],
    instrumentations: false,
  });
  flush = () => tracing.flush();
} else if (side === 'opentelemetry') {
  // Before the exporter, which would load `http` unpatched.
  const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
  const { NodeSDK } = require('@opentelemetry/sdk-node');
  const { BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');
  const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
  const processor = new BatchSpanProcessor(new OTLPTraceExporter({ url: collector }), {
    // The default of 2,048 would drop most of what a busy server records, and ours drops nothing.
    maxQueueSize: 100_000,
  });
  new NodeSDK({
    spanProcessors: [processor],
    instrumentations: [new HttpInstrumentation()],
    resourceDetectors: [],
    metricReaders: [],
    logRecordProcessors: [],
  }).start();
  flush = () => processor.forceFlush();
} else if (side === 'dd-trace') {
  Object.assign(process.env, {
    DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
    DD_REMOTE_CONFIGURATION_ENABLED: 'false',
    DD_TRACE_STARTUP_LOGS: 'false',
  });
  const tracer = require('dd-trace').init({ url: `http://127.0.0.1:${receiverPort}`, plugins: false });
  tracer.use('http', true);
  // It sends every 2 s, and has no public way to be asked to.
  flush = () => sleep(2500);
}

const { createServer }: typeof import('node:http') = require('node:http');
const server = createServer((_request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end('hello');
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));

process.on('message', async () => {
  await flush();
  const { user, system } = process.cpuUsage();
  process.send!(user + system);
});
process.on('disconnect', () => process.exit());
