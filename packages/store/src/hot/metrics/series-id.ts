import { hash } from 'node:crypto';
import type { MetricData } from '@tracewell/otlp';
import type { Attributes } from '@tracewell/plugin';
import { canonical } from '../../canonical.ts';

/**
 * What a series is known by, in whatever tier it lies: the first 64 bits of the SHA-256 of everything that OpenTelemetry
 * calls its identity, written down in one way only. Those are name, unit, type, temporality and monotonicity of the
 * metric, its resource and scope, and the labels, in any order. Description and metadata do not count.
 *
 * @see https://opentelemetry.io/docs/specs/otel/metrics/data-model/#opentelemetry-protocol-data-model-producer-recommendations
 */
export interface SeriesId {
  readonly high: number;
  readonly low: number;
}

/** The id of a series by its metric, whose points do not matter, and its labels. */
export function seriesId(metric: MetricData, labels: Attributes): SeriesId {
  const { resource, scope } = metric;
  const identity = JSON.stringify([
    metric.name,
    metric.unit,
    metric.type,
    'temporality' in metric ? metric.temporality : 0,
    'isMonotonic' in metric && metric.isMonotonic,
    canonical(resource.attributes),
    resource.droppedAttributesCount,
    resource.schemaUrl,
    scope.name,
    scope.version,
    canonical(scope.attributes),
    scope.droppedAttributesCount,
    scope.schemaUrl,
    canonical(labels),
  ]);
  const digest = hash('sha256', identity, 'buffer');
  return { high: digest.readUInt32BE(0), low: digest.readUInt32BE(4) };
}
