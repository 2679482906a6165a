// What a store should answer about metrics, worked out in the plainest way from the requests that were inserted.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { encodeMetrics, type MetricData, type MetricPointData } from '@tracewell/otlp';
import { type AttributeValue, Double } from '@tracewell/plugin';
import type { MetricPage, MetricQuery, MetricSummary } from '@tracewell/store';
import { plain } from './plain.ts';

interface Placed {
  readonly metric: MetricData;
  readonly point: MetricPointData;
  /** Everything that tells series apart. */
  readonly series: string;
  /** The request's hash, then the point's place in it: fixed widths, so that texts compare as the numbers do. */
  readonly place: string;
}

export class MetricsOracle {
  readonly #requests = new Map<string, readonly Placed[]>();

  /** One request; the same again counts once. */
  insert(metrics: readonly MetricData[]): void {
    const hash = createHash('sha256').update(encodeMetrics(metrics)).digest('hex').slice(0, 16);
    let index = 0;
    this.#requests.set(
      hash,
      // Encoding puts the metrics of a resource, and within it of a scope, together.
      [...Map.groupBy(metrics, ({ resource }) => resource).values()]
        .flatMap((ofResource) => [...Map.groupBy(ofResource, ({ scope }) => scope).values()].flat())
        .flatMap((metric) =>
          metric.points.map((point) => {
            const { points: _, description: __, metadata: ___, ...identity } = metric;
            const series = plain({ ...identity, labels: typed(point.attributes) });
            return { metric, point, series, place: `${hash} ${String(index++).padStart(8, '0')}` };
          }),
        ),
    );
  }

  get size(): number {
    return [...this.#requests.values()].flat().length;
  }

  /** The points of each series that match, newest first, by what tells the series apart. */
  all(query: MetricQuery = {}): Map<string, MetricPointData[]> {
    const matching = [...this.#requests.values()]
      .flat()
      .filter((placed) => isMatch(placed, query))
      .sort((a, b) => {
        const [timeA, timeB] = [a.point.timeUnixNanos, b.point.timeUnixNanos];
        return timeA === timeB ? (a.place > b.place ? -1 : 1) : timeA > timeB ? -1 : 1;
      });
    return new Map(
      [...Map.groupBy(matching, ({ series }) => series)].map(([series, placed]) => [
        series,
        placed.map(({ point }) => point),
      ]),
    );
  }

  list(): MetricSummary[] {
    const all = [...this.#requests.values()].flat();
    const metrics = Map.groupBy(all, ({ metric: { name, type, unit } }) => [name, type, unit].join('\0'));
    return [...metrics]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, placed]) => {
        const { name, type, unit, description } = placed[0]!.metric;
        const times = placed.map(({ point }) => point.timeUnixNanos).sort((a, b) => (a < b ? -1 : 1));
        return {
          name,
          type,
          unit,
          description,
          services: [...new Set(placed.map(({ metric }) => serviceOf(metric)))].sort(),
          seriesCount: new Set(placed.map(({ series }) => series)).size,
          pointCount: placed.length,
          firstSeenUnixNanos: times[0]!,
          lastSeenUnixNanos: times.at(-1)!,
        };
      });
  }
}

/** Labels whose types are told apart; `plain` takes a Double for its number. */
function typed(
  value: AttributeValue | { readonly [key: string]: AttributeValue | undefined } | undefined,
): unknown {
  if (value instanceof Double) return `double ${value}`;
  if (typeof value === 'number') return Number.isInteger(value) ? `${value}n` : `double ${value}`;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, typed(part as AttributeValue)]));
}

function serviceOf({ resource }: MetricData): string {
  return (resource.attributes['service.name'] as string | undefined) ?? 'unknown_service';
}

function isMatch({ metric, point }: Placed, query: MetricQuery): boolean {
  const { labels = {} } = query;
  const isWanted = (key: string): boolean => {
    const own = point.attributes[key] ?? metric.resource.attributes[key];
    return (own instanceof Double ? own.value : own) === labels[key];
  };
  return (
    (query.service === undefined || serviceOf(metric) === query.service) &&
    (query.name === undefined || metric.name === query.name) &&
    (query.type === undefined || metric.type === query.type) &&
    (query.startTime === undefined || point.timeUnixNanos >= (query.startTime as bigint)) &&
    (query.endTime === undefined || point.timeUnixNanos < (query.endTime as bigint)) &&
    Object.keys(labels).every(isWanted)
  );
}

/** All pages of a query, put together: the points of each series; checks the lengths of pages and the order of names. */
export async function allMetricPages(
  page: (query: MetricQuery) => Promise<MetricPage>,
  query: MetricQuery,
): Promise<Map<string, MetricPointData[]>> {
  const found = new Map<string, MetricPointData[]>();
  let cursor: string | undefined;
  let last: { readonly name: string; readonly series: string } | undefined;
  do {
    const result = await page({ ...query, cursor });
    const points = result.series.reduce((sum, one) => sum + one.points.length, 0);
    if (result.cursor !== undefined) assert.equal(points, query.limit ?? 1000);
    assert.ok(points <= (query.limit ?? 1000));
    for (const { points: ofPage, description: _, metadata: __, labels, ...identity } of result.series) {
      const series = plain({ ...identity, labels: typed(labels) });
      assert.ok(last === undefined || last.name <= identity.name, 'series in the order of their names');
      assert.ok(!found.has(series) || last?.series === series, 'a series is in one piece');
      found.set(series, [...(found.get(series) ?? []), ...ofPage]);
      last = { name: identity.name, series };
    }
    cursor = result.cursor;
  } while (cursor !== undefined);
  return found;
}
