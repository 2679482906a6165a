// Log records and metrics of the OpenTelemetry SDKs, serialised by their transformer, which knows nothing of us,
// and read by the classes that protobufjs generated for release 0.52.1 of it.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ROOT_CONTEXT, TraceFlags, trace, ValueType } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  type ReadableLogRecord,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  MetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import {
  decodeLogs,
  decodeLogsJson,
  decodeMetrics,
  decodeMetricsJson,
  encodeLogs,
  encodeMetrics,
  type HistogramData,
  type LogData,
  type MetricData,
  type SumData,
  validateLogs,
  validateMetrics,
} from '@tracewell/otlp';
import { bare } from './arbitrary.ts';
import { exponentialHistogram, gauge, histogram, log, sum, summary } from './plain.ts';
import { peerDecodeLogs, peerDecodeMetrics } from './protobufjs-signals.ts';

const resource = resourceFromAttributes({ 'service.name': 'shop', 'process.pid': 42 });

function recordLogs(): ReadableLogRecord[] {
  const exporter = new InMemoryLogRecordExporter();
  const provider = new LoggerProvider({
    resource,
    processors: [new SimpleLogRecordProcessor({ exporter })],
  });
  const logger = provider.getLogger('pino', '9.0.0', {
    schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
  });
  const context = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.SAMPLED,
  });
  logger.emit({
    timestamp: [1_700_000_000, 1],
    severityNumber: SeverityNumber.WARN,
    severityText: 'warning',
    body: 'payment is slow 🧀',
    attributes: { provider: 'acme', tries: 3, ratio: 0.5, list: ['a', 'b'] },
    context,
  });
  logger.emit({ body: { cart: { items: [1, 'two', true] } }, eventName: 'cart.loaded' });
  provider.getLogger('other').emit({ body: 7 });
  return exporter.getFinishedLogRecords();
}

class OnDemand extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

async function recordMetrics(): Promise<ResourceMetrics> {
  const reader = new OnDemand({
    aggregationTemporalitySelector: () => AggregationTemporality.DELTA,
  });
  const provider = new MeterProvider({
    resource,
    readers: [reader],
    views: [
      {
        instrumentName: 'exponential',
        aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 20 } },
      },
    ],
  });
  const meter = provider.getMeter('http', '1.2.3');
  const requests = meter.createCounter('requests', { unit: '{request}', valueType: ValueType.INT });
  requests.add(3, { route: '/cart' });
  requests.add(4, { route: '/pay', ok: false });
  meter.createUpDownCounter('load').add(-0.5);
  meter.createObservableGauge('heap').addCallback((result) => result.observe(1.5, { pool: 'old' }));
  const duration = meter.createHistogram('duration', { unit: 'ms', description: 'how long' });
  for (const value of [0, 4, 80, 12_000]) duration.record(value, { route: '/cart' });
  const exponential = meter.createHistogram('exponential');
  for (const value of [0, 0.25, 4, 80, 12_000]) exponential.record(value);
  const { resourceMetrics, errors } = await reader.collect();
  assert.deepEqual(errors, []);
  return resourceMetrics;
}

test('log records that the transformer serialises are decoded as protobufjs decodes them', () => {
  const records = recordLogs();
  const protobuf = ProtobufLogsSerializer.serializeRequest(records)!;
  validateLogs(protobuf);
  const decoded = decodeLogs(protobuf);
  assert.deepEqual(decoded, peerDecodeLogs(protobuf));
  assert.deepEqual(peerDecodeLogs(encodeLogs(decoded)), decoded);
  const [first, second] = decoded;
  assert.deepEqual(
    [first!.timeUnixNanos, first!.severityNumber, first!.severityText, first!.body],
    [1_700_000_000_000_000_001n, 13, 'warning', 'payment is slow 🧀'],
  );
  assert.deepEqual(
    [first!.traceId, first!.spanId, first!.flags & 1],
    ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331', 1],
  );
  assert.deepEqual(
    first!.attributes,
    bare<unknown>([
      ['provider', 'acme'],
      ['tries', 3],
      ['ratio', 0.5],
      ['list', ['a', 'b']],
    ]),
  );
  assert.equal(first!.resource.attributes['service.name'], 'shop');
  assert.deepEqual(second!.body, bare([['cart', bare([['items', [1, 'two', true]]])]]));
  assert.equal(second!.eventName, 'cart.loaded');
  const json = Buffer.from(JsonLogsSerializer.serializeRequest(records)!).toString();
  assert.deepEqual(decodeLogsJson(json), decoded);
});

test('metrics that the transformer serialises are decoded as protobufjs decodes them', async () => {
  const metrics = await recordMetrics();
  const protobuf = ProtobufMetricsSerializer.serializeRequest(metrics)!;
  validateMetrics(protobuf);
  const decoded = decodeMetrics(protobuf);
  assert.deepEqual(decoded, peerDecodeMetrics(protobuf));
  assert.deepEqual(peerDecodeMetrics(encodeMetrics(decoded)), decoded);
  const named = (name: string): MetricData => decoded.find((metric) => metric.name === name)!;
  const requests = named('requests') as SumData;
  assert.deepEqual(
    [requests.type, requests.unit, requests.temporality, requests.isMonotonic],
    ['sum', '{request}', 1, true],
  );
  assert.deepEqual(
    requests.points.map(({ value, attributes }) => [value, attributes.route]),
    [
      [3, '/cart'],
      [4, '/pay'],
    ],
  );
  assert.equal((named('load') as SumData).isMonotonic, false);
  assert.equal(named('heap').type, 'gauge');
  const duration = named('duration') as HistogramData;
  const [point] = duration.points;
  assert.deepEqual([point!.count, point!.sum, point!.min, point!.max], [4n, 12_084, 0, 12_000]);
  assert.equal(point!.bucketCounts.length, point!.explicitBounds.length + 1);
  assert.equal(named('exponential').type, 'exponentialHistogram');
  const json = Buffer.from(JsonMetricsSerializer.serializeRequest(metrics)!).toString();
  // JSON of the SDK writes whole doubles as numbers, of which nobody can tell that they are doubles.
  assert.deepEqual(plain(decodeMetricsJson(json)), plain(decoded));
});

test('the classes that protobufjs compiled for the transformer read what is encoded', () => {
  const require = createRequire(import.meta.url);
  const generated = require(
    join(dirname(require.resolve('otlp-transformer-proto/package.json')), 'build/src/generated/root.js'),
  ) as {
    opentelemetry: {
      proto: {
        collector: {
          logs: { v1: { ExportLogsServiceRequest: Compiled } };
          metrics: { v1: { ExportMetricsServiceRequest: Compiled } };
        };
      };
    };
  };
  const { logs, metrics } = generated.opentelemetry.proto.collector;
  const again = ({ decode, encode }: Compiled, request: Uint8Array): Uint8Array =>
    encode(decode(request)).finish();
  // That release does not know names of events, nor metadata.
  const records: LogData[] = [log(), log({ body: { a: [1, 2.5, null] }, traceId: '', spanId: '' })];
  assert.deepEqual(
    plain(decodeLogs(again(logs.v1.ExportLogsServiceRequest, encodeLogs(records)))),
    plain(records),
  );
  const all: MetricData[] = [gauge(), sum(), histogram(), exponentialHistogram(), summary()];
  assert.deepEqual(
    plain(decodeMetrics(again(metrics.v1.ExportMetricsServiceRequest, encodeMetrics(all)))),
    plain(all),
  );
});

interface Compiled {
  decode(bytes: Uint8Array): object;
  encode(message: object): { finish(): Uint8Array };
}

// Attributes that were decoded have no prototype.
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)));
}
