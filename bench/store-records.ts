// Log records and metrics for the benchmarks of the store, in requests of 512 from the services of store-spans.ts: log
// records of 250 bytes with 4 attributes, half of them in a trace; counters, gauges and histograms of 4,096 series.
import {
  AggregationTemporality,
  encodeLogs,
  encodeMetrics,
  type LogData,
  type MetricData,
  SeverityNumber,
} from '@tracewell/otlp';
import { FIRST_START, idsOf, SERVICES } from './store-spans.ts';

export const RECORDS_PER_REQUEST = 512;

const RESOURCES = SERVICES.map((service) => ({
  attributes: { 'service.name': service, 'host.name': 'node-17', 'process.pid': 4711 },
  droppedAttributesCount: 0,
  schemaUrl: '',
}));
const SCOPE = { name: 'app', version: '1.2.3', attributes: {}, droppedAttributesCount: 0, schemaUrl: '' };
const ROUTES = ['/', '/cart', '/cart/:id', '/checkout', '/product/:id', '/search', '/login', '/orders/:id'];

function logOf(number: number): LogData {
  const { traceId, spanId } = idsOf(number);
  const failed = number % 100 === 7;
  const inTrace = number % 2 === 0;
  const time = FIRST_START + BigInt(number) * 20_000n;
  return {
    timeUnixNanos: time,
    observedTimeUnixNanos: time + 1000n,
    severityNumber: failed ? SeverityNumber.ERROR : SeverityNumber.INFO,
    severityText: failed ? 'ERROR' : 'INFO',
    body: failed
      ? `payment of order ${number} was refused by upstream after ${number % 997} ms`
      : `handled request ${number} for user-${number % 5000} in ${number % 997} ms`,
    attributes: {
      'http.route': ROUTES[number % ROUTES.length]!,
      'http.response.status_code': failed ? 500 : 200,
      'user.id': `user-${number % 5000}`,
      'code.function.name': 'handleRequest',
    },
    droppedAttributesCount: 0,
    flags: inTrace ? 1 : 0,
    traceId: inTrace ? traceId : '',
    spanId: inTrace ? spanId : '',
    eventName: '',
    resource: RESOURCES[Math.floor(number / 64) % RESOURCES.length]!,
    scope: SCOPE,
  };
}

/** The request with the log records from `number * 512` on. */
export function logRequest(number: number): Uint8Array {
  const first = number * RECORDS_PER_REQUEST;
  return encodeLogs(Array.from({ length: RECORDS_PER_REQUEST }, (_, index) => logOf(first + index)));
}

const BOUNDS = [5, 10, 25, 50, 100, 250, 500, 1000];

/** A request of one service: 8 metrics of 64 series each, at another time for each number. */
export function metricRequest(number: number): Uint8Array {
  const timeUnixNanos = FIRST_START + BigInt(Math.floor(number / SERVICES.length)) * 10_000_000_000n;
  const metric = {
    description: 'what the benchmark measures',
    metadata: {},
    resource: RESOURCES[number % RESOURCES.length]!,
    scope: SCOPE,
  };
  const points = <Value>(value: (series: number) => Value) =>
    Array.from({ length: 64 }, (_, series) => ({
      attributes: {
        'http.request.method': series % 2 === 0 ? 'GET' : 'POST',
        'http.route': ROUTES[(series >> 1) % ROUTES.length]!,
        'http.response.status_code': [200, 404, 500, 503][series >> 4]!,
      },
      startTimeUnixNanos: FIRST_START,
      timeUnixNanos,
      flags: 0,
      exemplars: [],
      ...value(series),
    }));
  const temporality = AggregationTemporality.CUMULATIVE;
  const metrics: MetricData[] = [];
  for (let index = 0; index < 4; index++) {
    metrics.push({
      ...metric,
      type: 'sum',
      name: `app.requests.${index}`,
      unit: '{request}',
      temporality,
      isMonotonic: true,
      points: points((series) => ({ value: number * 100 + series })),
    });
  }
  for (let index = 0; index < 2; index++) {
    metrics.push({
      ...metric,
      type: 'gauge',
      name: `app.memory.${index}`,
      unit: 'By',
      points: points((series) => ({ value: (number + series) / 7 })),
    });
    metrics.push({
      ...metric,
      type: 'histogram',
      name: `app.duration.${index}`,
      unit: 'ms',
      temporality,
      points: points((series) => ({
        count: BigInt(number * 10),
        sum: number * 11.5,
        min: 1,
        max: 900 + series,
        bucketCounts: [...BOUNDS, 0].map((bound) => BigInt(number + bound)),
        explicitBounds: BOUNDS,
      })),
    });
  }
  return encodeMetrics(metrics);
}
