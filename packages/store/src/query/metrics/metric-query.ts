import type { MetricData, MetricType } from '@tracewell/otlp';
import type { Attributes, AttributeValue } from '@tracewell/plugin';

/** Which points `Store.queryMetrics` finds: those that match every field that is given. */
export interface MetricQuery {
  /** The `service.name` of the metric's resource; `unknown_service` means those without one. */
  readonly service?: string | undefined;
  /** The metric's name. */
  readonly name?: string | undefined;
  readonly type?: MetricType | undefined;
  /**
   * Labels that the series has, or its resource if the series does not, with exactly these values. A whole number
   * means the integer as well as the `Double` of `@tracewell/plugin`.
   */
  readonly labels?: { readonly [key: string]: AttributeValue | undefined } | undefined;
  /** The point was taken then or later. Nanoseconds since the Unix epoch, or a date. */
  readonly startTime?: bigint | Date | undefined;
  /** The point was taken before that. Nanoseconds since the Unix epoch, or a date. */
  readonly endTime?: bigint | Date | undefined;
  /** The point was taken within the last so many seconds. Not together with `startTime`. */
  readonly lastSeconds?: number | undefined;
  /** Points to return at most, over all series, 1 to 10,000. Default 1,000. */
  readonly limit?: number | undefined;
  /** Goes on behind the page that returned it. The other fields must be the same as for that page. */
  readonly cursor?: string | undefined;
}

/**
 * A series: what one metric of one resource and scope measured for one set of labels. It can be inserted as it is.
 *
 * Type, unit, temporality, resource, scope and labels tell series of the same name apart. Description and metadata
 * do not; they are those of one of its requests.
 */
export type MetricSeries = MetricData & {
  /** The attributes that all its points have. */
  readonly labels: Attributes;
};

/** One page of points, in their series. */
export interface MetricPage {
  /** Why rows may be missing: files of the cold tier that cannot be read. Absent if all could be looked into. */
  readonly partial?: readonly string[];
  /**
   * In the order of their names, those of the same name in an order that never changes; the points of each newest
   * first. A series whose points do not all fit goes on in the next page.
   */
  readonly series: MetricSeries[];
  /**
   * Where the next page starts; absent if this was the last one. It names a place in the order and not a number of
   * points, so what is inserted meanwhile makes no page skip or repeat a point.
   */
  readonly cursor?: string;
}

/** What `Store.listMetrics` takes. */
export interface MetricListQuery {
  /** Only metrics of this service. Default: all. */
  readonly service?: string | undefined;
  /** Only points that were taken within the last so many seconds. Default: all. */
  readonly lastSeconds?: number | undefined;
}

/** What is known of a metric. */
export interface MetricSummary {
  readonly name: string;
  readonly type: MetricType;
  readonly unit: string;
  readonly description: string;
  /** The services that measured it, sorted. */
  readonly services: readonly string[];
  /** How many series it has. */
  readonly seriesCount: number;
  /** How many points they have, each counted once. */
  readonly pointCount: number;
  /** When its first point was taken, in nanoseconds since the Unix epoch. */
  readonly firstSeenUnixNanos: bigint;
  /** When its last point was taken, in nanoseconds since the Unix epoch. */
  readonly lastSeenUnixNanos: bigint;
}
