// What a store should answer, worked out in the plainest way from a list of everything that was inserted.
import assert from 'node:assert/strict';
import type { SpanData } from '@tracewell/plugin';
import { StatusCode } from '@tracewell/plugin';
import type { ServiceSummary, TraceQuery } from '@tracewell/store';
import fc from 'fast-check';
import { arbitraryStart } from './spans.ts';

export class Oracle {
  readonly #spans = new Map<string, SpanData>();

  insert(spans: readonly SpanData[]): void {
    for (const span of spans) {
      const key = `${span.traceId} ${span.spanId} ${span.startTimeUnixNanos}`;
      const known = this.#spans.get(key);
      if (known === undefined || (isOpen(known) && !isOpen(span))) this.#spans.set(key, span);
    }
  }

  get size(): number {
    return this.#spans.size;
  }

  all(query: TraceQuery = {}): SpanData[] {
    return [...this.#spans.values()].filter((span) => isMatch(span, query)).sort(byOrder);
  }

  trace(traceId: string): SpanData[] {
    return this.all()
      .filter((span) => span.traceId === traceId)
      .reverse();
  }

  services(): ServiceSummary[] {
    const services = Map.groupBy(this.all(), serviceOf);
    return [...services.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, spans]) => ({
        name,
        spanCount: spans.length,
        errorCount: spans.filter((span) => span.status.code === StatusCode.ERROR).length,
        firstSeenUnixNanos: spans.at(-1)!.startTimeUnixNanos,
        lastSeenUnixNanos: spans[0]!.startTimeUnixNanos,
        operations: [...new Set(spans.map((span) => span.name))].sort(),
      }));
  }
}

function isOpen(span: SpanData): boolean {
  return span.attributes['tracewell.unfinished'] === true;
}

function serviceOf(span: SpanData): string {
  return (span.resource.attributes['service.name'] as string | undefined) ?? 'unknown_service';
}

function isMatch(span: SpanData, query: TraceQuery): boolean {
  const took =
    span.endTimeUnixNanos < span.startTimeUnixNanos ? 0n : span.endTimeUnixNanos - span.startTimeUnixNanos;
  const { attributes = {} } = query;
  return (
    (query.service === undefined || serviceOf(span) === query.service) &&
    (query.operation === undefined || span.name === query.operation) &&
    (query.status === undefined || span.status.code === query.status) &&
    (query.kind === undefined || span.kind === query.kind) &&
    (query.minDurationMs === undefined || took >= BigInt(Math.round(query.minDurationMs * 1e6))) &&
    (query.maxDurationMs === undefined || took <= BigInt(Math.round(query.maxDurationMs * 1e6))) &&
    (query.startTime === undefined || span.startTimeUnixNanos >= (query.startTime as bigint)) &&
    (query.endTime === undefined || span.startTimeUnixNanos < (query.endTime as bigint)) &&
    Object.keys(attributes).every(
      (key) => (span.attributes[key] ?? span.resource.attributes[key]) === attributes[key],
    )
  );
}

/** Newest first, then by the ends of the ids, then by the whole ids, larger ones first. */
function byOrder(a: SpanData, b: SpanData): number {
  const key = (span: SpanData): string =>
    [
      span.startTimeUnixNanos.toString(16).padStart(16, '0'),
      span.traceId.slice(16),
      span.spanId.slice(8),
      span.traceId,
      span.spanId,
    ].join();
  return key(a) > key(b) ? -1 : key(a) < key(b) ? 1 : 0;
}

/** Queries of which many find something in the small world of random spans. */
export const arbitraryQuery: fc.Arbitrary<TraceQuery> = fc.record(
  {
    service: fc.constantFrom('shop', 'pay', '', 'ünïcode', 'unknown_service', 'nobody'),
    operation: fc.constantFrom('GET /', 'query', '', 'nothing'),
    status: fc.constantFrom(0 as const, 1 as const, 2 as const),
    kind: fc.constantFrom(0 as const, 1 as const, 2 as const, 5 as const),
    minDurationMs: fc.constantFrom(0, 0.000001, 1, 1.000001, 16.777217),
    maxDurationMs: fc.constantFrom(0, 1, 1.000001, 16.777216, 16.777217),
    attributes: fc.constantFrom(
      {},
      { color: 'red' },
      { size: 2.5, color: 'green' },
      { 'host.name': 'h' },
      { gone: 1 },
    ),
    startTime: arbitraryStart,
    endTime: arbitraryStart,
    limit: fc.constantFrom(1, 2, 3, 7, 100),
  },
  { requiredKeys: [] },
);

/** All pages of a query, put together; checks that each is as long as it can be. */
export async function allPages(
  page: (query: TraceQuery) => Promise<{ readonly spans: SpanData[]; readonly cursor?: string }>,
  query: TraceQuery,
): Promise<SpanData[]> {
  const spans: SpanData[] = [];
  let cursor: string | undefined;
  do {
    const result = await page(cursor === undefined ? query : { ...query, cursor });
    if (result.cursor !== undefined) assert.equal(result.spans.length, query.limit ?? 100);
    assert.ok(result.spans.length <= (query.limit ?? 100));
    spans.push(...result.spans);
    cursor = result.cursor;
  } while (cursor !== undefined);
  return spans;
}
