import type { MetricData } from '../data/metric.ts';
import type { DecodeLimits } from '../decode-limits.ts';
import { readMetric } from './metric.ts';
import { readRequest } from './request.ts';

/**
 * Decodes an OTLP `ExportMetricsServiceRequest` (or `MetricsData`, the same on the wire) from protobuf.
 *
 * As {@link decodeTraces}, but that no metric is invalid: OTLP says of an exemplar's trace or span id that is none
 * that it belongs to none. A temporality that OTLP does not know becomes 0. A metric without data, or with data of
 * a type that OTLP does not know, has no points and is left out.
 *
 * @returns the metrics in the order of the request
 * @throws `TracewellError`: `TW_DECODE_INVALID` with the offset where the bytes stop making sense,
 * `TW_DECODE_TOO_DEEP`, `TW_DECODE_TOO_LARGE`
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
 *
 * @example
 * ```ts
 * import { decodeMetrics } from '@tracewell/otlp';
 *
 * console.log(decodeMetrics(new Uint8Array())); // []
 * ```
 */
export function decodeMetrics(bytes: Uint8Array, limits?: DecodeLimits): MetricData[] {
  const metrics: MetricData[] = [];
  readRequest('decodeMetrics', bytes, limits, (reader, end, resource, scope) => {
    const metric = readMetric(reader, end, resource, scope);
    if (metric !== undefined) metrics.push(metric);
  });
  return metrics;
}
