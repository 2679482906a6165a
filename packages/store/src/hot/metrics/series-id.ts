import { hash } from 'node:crypto';
import type { MetricData } from '@tracewell/otlp';
import { type Attributes, type AttributeValue, Double } from '@tracewell/plugin';

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

/** A value as JSON that is equal exactly for values that OTLP cannot tell apart, whatever the order of keys. */
function canonical(value: AttributeValue | Attributes | undefined): unknown {
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? integer(value) : double(value);
    case 'bigint':
      return integer(value);
    case 'object':
      if (value === null) return null;
      if (value instanceof Double) return double(value.value);
      if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') };
      if (Array.isArray(value)) return value.map(canonical);
      return {
        map: Object.entries(value)
          .filter(([, part]) => part !== undefined)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, part]) => [key, canonical(part)]),
      };
    default:
      return value;
  }
}

function integer(value: number | bigint): unknown {
  return { integer: String(value) };
}

function double(value: number): unknown {
  return { double: Object.is(value, -0) ? '-0' : String(value) };
}
