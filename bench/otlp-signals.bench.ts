import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  decodeLogs,
  decodeMetrics,
  encodeLogs,
  encodeMetrics,
  type LogData,
  LogScanner,
  logsToJson,
  type MetricData,
  MetricScanner,
  metricsToJson,
  validateLogs,
  validateMetrics,
} from '@tracewell/otlp';
import type { ResourceData, ScopeData } from '@tracewell/plugin';
import { alternate, type Bench, compare } from './harness.ts';
import { rate } from './otlp-payload.ts';

/** A message class that protobufjs compiled ahead of time. */
interface PeerClass<Request> {
  decode(bytes: Uint8Array): Request;
  encode(message: Request): { finish(): Uint8Array };
}

interface Long {
  readonly low: number;
  readonly high: number;
}

interface PeerLogs {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly {
      readonly logRecords: readonly { readonly timeUnixNano: Long; readonly severityNumber: number }[];
    }[];
  }[];
}

interface PeerMetrics {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly gauge?: { readonly dataPoints: readonly { readonly timeUnixNano: Long }[] };
      }[];
    }[];
  }[];
}

const require = createRequire(import.meta.url);

/** The classes that release 0.52.1 of OpenTelemetry's transformer ships. */
function loadPeers(): { readonly logs: PeerClass<PeerLogs>; readonly metrics: PeerClass<PeerMetrics> } {
  const { opentelemetry } = require(
    join(dirname(require.resolve('otlp-transformer-proto/package.json')), 'build/src/generated/root.js'),
  ) as {
    opentelemetry: {
      proto: {
        collector: {
          logs: { v1: { ExportLogsServiceRequest: PeerClass<PeerLogs> } };
          metrics: { v1: { ExportMetricsServiceRequest: PeerClass<PeerMetrics> } };
        };
      };
    };
  };
  const { logs, metrics } = opentelemetry.proto.collector;
  return { logs: logs.v1.ExportLogsServiceRequest, metrics: metrics.v1.ExportMetricsServiceRequest };
}

const START = 1_760_000_000_000_000_000n;
const resource: ResourceData = {
  attributes: { 'service.name': 'checkout', 'service.version': '1.14.2', 'host.name': 'web-7c9f' },
  droppedAttributesCount: 0,
  schemaUrl: '',
};
const scope: ScopeData = {
  name: 'pino',
  version: '9',
  attributes: {},
  droppedAttributesCount: 0,
  schemaUrl: '',
};

function makeLogs(count: number): LogData[] {
  return Array.from({ length: count }, (_, index) => ({
    timeUnixNanos: START + BigInt(index) * 1_000_000n,
    observedTimeUnixNanos: START + BigInt(index) * 1_000_000n + 500n,
    severityNumber: index % 50 === 0 ? 17 : 9,
    severityText: index % 50 === 0 ? 'ERROR' : 'INFO',
    body: `order ${100_000 + index} was paid by card in ${index % 300} ms`,
    attributes: {
      'http.route': '/api/orders/:id/checkout',
      'http.response.status_code': 200,
      'enduser.id': `user-${index % 97}`,
      'app.ratio': index / 7,
    },
    droppedAttributesCount: 0,
    flags: 1,
    traceId: (index + 1).toString(16).padStart(32, '0'),
    spanId: (index + 1).toString(16).padStart(16, '0'),
    eventName: '',
    resource,
    scope,
  }));
}

function makeMetrics(count: number): MetricData[] {
  return [
    {
      type: 'gauge',
      name: 'http.server.active_requests',
      description: 'How many requests are being answered',
      unit: '{request}',
      metadata: {},
      points: Array.from({ length: count }, (_, index) => ({
        attributes: { 'http.route': `/api/${index}`, 'http.request.method': 'GET', 'server.port': 443 },
        startTimeUnixNanos: START,
        timeUnixNanos: START + 10_000_000_000n,
        flags: 0,
        value: index / 3,
        exemplars: [],
      })),
      resource,
      scope,
    },
  ];
}

const bench: Bench = {
  name: 'otlp-signals',
  what: 'Logs and metrics on the wire, 512 records or points a request. Indexing reads times (and severities) into a column: the scanners step over attributes, protobufjs decodes them; with validation both look at every byte. Decoding goes to plain data on our side and to message objects on that of protobufjs, which is less work. Encoding starts from the objects of each side.',
  async run({ tiny, report }) {
    const count = tiny ? 64 : 512;
    const peers = loadPeers();
    const logs = makeLogs(count);
    const metrics = makeMetrics(count);
    const logBytes = encodeLogs(logs);
    const metricBytes = encodeMetrics(metrics);
    const logMessage = peers.logs.decode(logBytes);
    const metricMessage = peers.metrics.decode(metricBytes);
    if (logsToJson(peers.logs.encode(logMessage).finish()) !== logsToJson(logBytes))
      throw new Error('the sides disagree on logs');
    if (metricsToJson(peers.metrics.encode(metricMessage).finish()) !== metricsToJson(metricBytes))
      throw new Error('the sides disagree on metrics');

    const logScanner = new LogScanner();
    const metricScanner = new MetricScanner();
    const column = new Uint32Array(3 * count);
    const scanLogs = (): void => {
      let row = 0;
      logScanner.reset(logBytes);
      while (logScanner.next()) {
        column[row++] = logScanner.timeLow;
        column[row++] = logScanner.timeHigh;
        column[row++] = logScanner.severityNumber;
      }
    };
    const scanPoints = (): void => {
      let row = 0;
      metricScanner.reset(metricBytes);
      while (metricScanner.next()) {
        column[row++] = metricScanner.timeLow;
        column[row++] = metricScanner.timeHigh;
      }
    };
    const seconds = tiny ? 0.01 : 0.1;
    const side = (run: () => void): (() => number) => rate(count, seconds, run);
    const rates = await alternate(tiny ? 1 : 9, {
      logIndex: side(scanLogs),
      logValidated: side(() => {
        validateLogs(logBytes);
        scanLogs();
      }),
      logPeerIndex: side(() => {
        let row = 0;
        for (const { scopeLogs } of peers.logs.decode(logBytes).resourceLogs) {
          for (const { logRecords } of scopeLogs) {
            for (const { timeUnixNano, severityNumber } of logRecords) {
              column[row++] = timeUnixNano.low;
              column[row++] = timeUnixNano.high;
              column[row++] = severityNumber;
            }
          }
        }
      }),
      logDecode: side(() => void decodeLogs(logBytes)),
      logPeerDecode: side(() => void peers.logs.decode(logBytes)),
      logEncode: side(() => void encodeLogs(logs)),
      logPeerEncode: side(() => void peers.logs.encode(logMessage).finish()),
      pointIndex: side(scanPoints),
      pointValidated: side(() => {
        validateMetrics(metricBytes);
        scanPoints();
      }),
      pointPeerIndex: side(() => {
        let row = 0;
        for (const { scopeMetrics } of peers.metrics.decode(metricBytes).resourceMetrics) {
          for (const { metrics: ofScope } of scopeMetrics) {
            for (const { gauge } of ofScope) {
              for (const { timeUnixNano } of gauge!.dataPoints) {
                column[row++] = timeUnixNano.low;
                column[row++] = timeUnixNano.high;
              }
            }
          }
        }
      }),
      pointDecode: side(() => void decodeMetrics(metricBytes)),
      pointPeerDecode: side(() => void peers.metrics.decode(metricBytes)),
      pointEncode: side(() => void encodeMetrics(metrics)),
      pointPeerEncode: side(() => void peers.metrics.encode(metricMessage).finish()),
    });
    const line = (metric: string, unit: string, ours: number, theirs: number): void =>
      report(compare('otlp-signals', metric, unit, 'higher', ours, 'protobufjs, compiled classes', theirs));
    line('index logs', 'records/s', rates.logIndex, rates.logPeerIndex);
    line('validate, then index logs', 'records/s', rates.logValidated, rates.logPeerIndex);
    line('decode logs', 'records/s', rates.logDecode, rates.logPeerDecode);
    line('encode logs', 'records/s', rates.logEncode, rates.logPeerEncode);
    line('index metrics', 'points/s', rates.pointIndex, rates.pointPeerIndex);
    line('validate, then index metrics', 'points/s', rates.pointValidated, rates.pointPeerIndex);
    line('decode metrics', 'points/s', rates.pointDecode, rates.pointPeerDecode);
    line('encode metrics', 'points/s', rates.pointEncode, rates.pointPeerEncode);
  },
};
export default bench;
