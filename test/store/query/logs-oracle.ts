// What a store should answer about log records, worked out in the plainest way from the requests that were inserted.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { encodeLogs, type LogData } from '@tracewell/otlp';
import type { AttributeValue } from '@tracewell/plugin';
import type { LogPage, LogQuery } from '@tracewell/store';

interface Placed {
  readonly log: LogData;
  readonly time: bigint;
  /** The request's hash, then the record's place in it: fixed widths, so that texts compare as the numbers do. */
  readonly place: string;
}

export class LogsOracle {
  readonly #requests = new Map<string, readonly Placed[]>();

  /** One request; the same again counts once. */
  insert(logs: readonly LogData[]): void {
    const hash = createHash('sha256').update(encodeLogs(logs)).digest('hex').slice(0, 16);
    this.#requests.set(
      hash,
      // Encoding puts the records of a resource, and within it of a scope, together.
      [...Map.groupBy(logs, ({ resource }) => resource).values()]
        .flatMap((ofResource) => [...Map.groupBy(ofResource, ({ scope }) => scope).values()].flat())
        .map((log, index) => ({
          log,
          time: log.timeUnixNanos || log.observedTimeUnixNanos,
          place: `${hash} ${String(index).padStart(8, '0')}`,
        })),
    );
  }

  get size(): number {
    return [...this.#requests.values()].flat().length;
  }

  all(query: LogQuery = {}): LogData[] {
    return [...this.#requests.values()]
      .flat()
      .filter(({ log, time }) => isMatch(log, time, query))
      .sort((a, b) => (a.time === b.time ? (a.place > b.place ? -1 : 1) : a.time > b.time ? -1 : 1))
      .map(({ log }) => log);
  }
}

function isMatch(log: LogData, time: bigint, query: LogQuery): boolean {
  const { attributes = {} } = query;
  const service = log.resource.attributes['service.name'] ?? 'unknown_service';
  return (
    (query.service === undefined || service === query.service) &&
    log.severityNumber >= (query.minSeverity ?? 0) &&
    (query.contains === undefined || query.contains === '' || contains(log.body, query.contains)) &&
    (query.traceId === undefined || log.traceId === query.traceId) &&
    (query.spanId === undefined || log.spanId === query.spanId) &&
    (query.startTime === undefined || time >= (query.startTime as bigint)) &&
    (query.endTime === undefined || time < (query.endTime as bigint)) &&
    Object.keys(attributes).every(
      (key) => (log.attributes[key] ?? log.resource.attributes[key]) === attributes[key],
    )
  );
}

function contains(body: AttributeValue | undefined, text: string): boolean {
  if (typeof body === 'string') return body.includes(text);
  if (Array.isArray(body)) return body.some((part) => contains(part, text));
  const isMap = typeof body === 'object' && body !== null && !(body instanceof Uint8Array);
  return isMap && Object.values(body).some((part) => contains(part as AttributeValue, text));
}

/** All pages of a query, put together; checks that each is as long as it can be. */
export async function allLogPages(
  page: (query: LogQuery) => Promise<LogPage>,
  query: LogQuery,
): Promise<LogData[]> {
  const logs: LogData[] = [];
  let cursor: string | undefined;
  do {
    const result = await page({ ...query, cursor });
    if (result.cursor !== undefined) assert.equal(result.logs.length, query.limit ?? 100);
    assert.ok(result.logs.length <= (query.limit ?? 100));
    logs.push(...result.logs);
    cursor = result.cursor;
  } while (cursor !== undefined);
  return logs;
}
