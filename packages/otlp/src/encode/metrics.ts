import type { MetricData } from '../data/metric.ts';
import { writeMetric } from './metric.ts';
import { encodeRequest } from './request.ts';

/**
 * Encodes metrics as one OTLP `ExportMetricsServiceRequest` in protobuf.
 *
 * Metrics are grouped by resource, then by scope, as {@link encodeTraces} groups spans. Metrics of the same
 * name are not put together. Lone surrogates in strings become U+FFFD; everything else comes back from
 * {@link decodeMetrics} as it was.
 *
 * @returns the request, which belongs to the caller; empty if there are no metrics
 * @throws `RangeError` for an id that is not of its length in hex digits or is all zeros, a time, count or other
 * `bigint` beyond 64 bits, or a value nested deeper than 256 levels; `TypeError` for a field that is missing or of
 * the wrong type. Both name the metric and the field: `metrics[3].points[0].count must be a bigint, got 5`
 *
 * @example
 * ```ts
 * import { decodeMetrics, encodeMetrics, type MetricData } from '@tracewell/otlp';
 *
 * const metric: MetricData = {
 *   type: 'gauge', name: 'queue.length', description: '', unit: '{item}', metadata: {},
 *   points: [{
 *     attributes: { queue: 'mail' }, startTimeUnixNanos: 0n, timeUnixNanos: 1_700_000_000_000_000_000n,
 *     flags: 0, value: 17, exemplars: [],
 *   }],
 *   resource: { attributes: { 'service.name': 'shop' }, droppedAttributesCount: 0, schemaUrl: '' },
 *   scope: { name: 'shop', version: '1.0.0', attributes: {}, droppedAttributesCount: 0, schemaUrl: '' },
 * };
 * const [decoded] = decodeMetrics(encodeMetrics([metric]));
 * if (decoded?.type === 'gauge') console.log(decoded.points[0]?.value); // 17
 * ```
 */
export function encodeMetrics(metrics: Iterable<MetricData>): Uint8Array {
  return encodeRequest(metrics, 'metrics', writeMetric);
}
