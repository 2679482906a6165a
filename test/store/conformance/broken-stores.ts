// Stores that each break the contract in one way, with the rules that have to notice.
import type { MetricData } from '@tracewell/otlp';
import { Double, TracewellError } from '@tracewell/plugin';
import type { MetricPage, Store } from '@tracewell/store';

export interface BrokenStore {
  /** Ids of rules that have to fail. */
  readonly breaks: readonly string[];
  /** What is done in another way than by the sound store. */
  change(store: Store): Partial<Store>;
}

/** Pages by number: the cursor says how many rows came before. */
async function byNumber<Row>(
  limit: number | undefined,
  cursor: string | undefined,
  ask: () => Promise<readonly Row[]>,
): Promise<{ rows: Row[]; cursor?: string }> {
  const from = Number(cursor ?? 0);
  const all = await ask();
  const until = from + (limit ?? 100);
  const rows = all.slice(from, until);
  return until < all.length ? { rows, cursor: String(until) } : { rows };
}

/** A copy in which every `Double` is a number. */
function withoutDoubles(value: unknown): unknown {
  if (value instanceof Double) return value.value;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(withoutDoubles);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutDoubles(part)]));
}

export const brokenStores: Readonly<Record<string, BrokenStore>> = {
  'returns null for a trace that is not there': {
    breaks: ['empty', 'trace'],
    change: (store) => ({
      getTrace: async (id) => (await store.getTrace(id)) ?? (null as unknown as undefined),
    }),
  },
  'throws where it should reject': {
    breaks: ['wrong-arguments', 'span-otlp', 'log-otlp', 'metric-otlp'],
    change: (store) => ({
      insertOtlp(signal, bytes) {
        if (bytes[0] === undefined || bytes.length % 2 === 1) throw new TypeError('bytes');
        return store.insertOtlp(signal, bytes);
      },
    }),
  },
  'takes fields that mean nothing': {
    breaks: ['wrong-arguments'],
    change: (store) => ({
      queryLogs: ({
        severity: _,
        ...query
      }: Parameters<Store['queryLogs']>[0] & { severity?: unknown } = {}) => store.queryLogs(query),
    }),
  },
  'drops an insert while another one is under way': {
    breaks: ['at-once'],
    change(store) {
      let busy = false;
      return {
        async insertLogs(logs) {
          if (busy) return { accepted: logs.length, rejected: 0, reasons: [] };
          busy = true;
          try {
            return await store.insertLogs(logs);
          } finally {
            busy = false;
          }
        },
      };
    },
  },
  'acknowledges before it stores': {
    breaks: ['seen-at-once', 'span-fidelity', 'own-data'],
    change: (store) => ({
      async insertSpans(spans) {
        setTimeout(() => void store.insertSpans(spans).catch(() => {}), 50);
        return { accepted: spans.length, rejected: 0, reasons: [] };
      },
    }),
  },
  'hands the same objects out again': {
    breaks: ['own-data'],
    change(store) {
      const traces = new Map<string, ReturnType<Store['getTrace']>>();
      return {
        getTrace(id) {
          const trace = traces.get(id) ?? store.getTrace(id);
          traces.set(id, trace);
          return trace;
        },
      };
    },
  },
  'returns the latest comment first': {
    breaks: ['comments'],
    change: (store) => ({ getComments: async (id) => (await store.getComments(id)).reverse() }),
  },
  'counts copies in its analyses': {
    breaks: ['analysis'],
    change: (store) => ({
      async querySummary(query) {
        const summary = await store.querySummary(query);
        return { ...summary, spanCount: summary.spanCount + 50 };
      },
    }),
  },
  'takes the metrics of all services for those of a trace': {
    breaks: ['correlate'],
    change: (store) => ({
      async queryCorrelate(id, query) {
        const found = await store.queryCorrelate(id, query);
        return found && { ...found, metrics: (await store.queryMetrics({ limit: 10_000 })).series };
      },
    }),
  },
  'counts a call at both of its ends': {
    breaks: ['dependencies'],
    change: (store) => ({
      async queryDependencies(query) {
        const { dependencies, ...rest } = await store.queryDependencies(query);
        return {
          ...rest,
          dependencies: dependencies.map((one) => ({ ...one, spanCount: one.spanCount * 2 })),
        };
      },
    }),
  },
  'takes the words of a phrase in any order': {
    breaks: ['text'],
    change: (store) => ({
      queryTraces: (query = {}) => store.queryTraces({ ...query, text: query.text?.replaceAll('"', '') }),
    }),
  },
  'lets SQL see copies': {
    breaks: ['sql'],
    change: (store) => ({
      querySql: (sql, options) =>
        store.querySql(sql.replace(/FROM (\w+)/, 'FROM (FROM $1 UNION ALL FROM $1) AS twice'), options),
    }),
  },
  'is never well': {
    breaks: ['health'],
    change: (store) => ({ health: async () => ({ ...(await store.health()), status: 'degraded' }) }),
  },
  'answers when it is closed': {
    breaks: ['close'],
    change: (store) => ({
      queryLogs: (query) =>
        store.queryLogs(query).catch((error: unknown) => {
          if (error instanceof TracewellError && error.code === 'TW_STORE_CLOSED') return { logs: [] };
          throw error;
        }),
    }),
  },
  'takes doubles for integers': {
    breaks: ['span-fidelity', 'log-fidelity', 'metric-fidelity'],
    change: (store) => ({
      queryTraces: async (query) => withoutDoubles(await store.queryTraces(query)) as never,
      queryLogs: async (query) => withoutDoubles(await store.queryLogs(query)) as never,
      queryMetrics: async (query) => withoutDoubles(await store.queryMetrics(query)) as never,
    }),
  },
  'forgets bodies that are no text': {
    breaks: ['log-fidelity', 'log-filters'],
    change: (store) => ({
      async queryLogs(query) {
        const page = await store.queryLogs(query);
        const logs = page.logs.map((log) => ({ ...log, body: typeof log.body === 'string' ? log.body : '' }));
        return { ...page, logs };
      },
    }),
  },
  'forgets exemplars': {
    breaks: ['metric-fidelity', 'metric-otlp'],
    change: (store) => ({
      async queryMetrics(query) {
        const { series, ...page } = await store.queryMetrics(query);
        const without = series.map((one) => ({
          ...one,
          points: one.points.map((point) => ('exemplars' in point ? { ...point, exemplars: [] } : point)),
        }));
        return { ...page, series: without as MetricPage['series'] };
      },
    }),
  },
  'takes the end of a window as a part of it': {
    breaks: ['span-filters', 'log-filters', 'metric-filters'],
    change(store) {
      const later = <Query extends { readonly endTime?: bigint | Date | undefined }>(query: Query): Query =>
        typeof query.endTime === 'bigint' ? { ...query, endTime: query.endTime + 1n } : query;
      return {
        queryTraces: (query = {}) => store.queryTraces(later(query)),
        queryLogs: (query = {}) => store.queryLogs(later(query)),
        queryMetrics: (query = {}) => store.queryMetrics(later(query)),
      };
    },
  },
  'returns the oldest first': {
    breaks: ['span-order', 'log-order', 'metric-order'],
    change: (store) => ({
      async queryTraces(query) {
        const page = await store.queryTraces(query);
        return { ...page, spans: page.spans.toReversed() };
      },
      async queryLogs(query) {
        const page = await store.queryLogs(query);
        return { ...page, logs: page.logs.toReversed() };
      },
      async queryMetrics(query) {
        const page = await store.queryMetrics(query);
        return { ...page, series: page.series.toReversed() };
      },
    }),
  },
  'loses the first row of a page behind a cursor': {
    breaks: ['span-pages', 'log-pages', 'metric-pages'],
    change: (store) => ({
      async queryTraces(query = {}) {
        const page = await store.queryTraces(query);
        return query.cursor === undefined ? page : { ...page, spans: page.spans.slice(1) };
      },
      async queryLogs(query = {}) {
        const page = await store.queryLogs(query);
        return query.cursor === undefined ? page : { ...page, logs: page.logs.slice(1) };
      },
      async queryMetrics(query = {}) {
        const page = await store.queryMetrics(query);
        return query.cursor === undefined ? page : { ...page, series: page.series.slice(1) };
      },
    }),
  },
  'pages by number': {
    breaks: ['span-pages-stay', 'log-pages-stay'],
    change: (store) => ({
      async queryTraces({ limit, cursor, ...query } = {}) {
        const ask = async () => (await store.queryTraces({ ...query, limit: 10_000 })).spans;
        const { rows, ...page } = await byNumber(limit, cursor, ask);
        return { ...page, spans: rows };
      },
      async queryLogs({ limit, cursor, ...query } = {}) {
        const ask = async () => (await store.queryLogs({ ...query, limit: 10_000 })).logs;
        const { rows, ...page } = await byNumber(limit, cursor, ask);
        return { ...page, logs: rows };
      },
    }),
  },
  'begins anew with a cursor that is none': {
    breaks: ['cursors', 'log-cursors', 'metric-cursors'],
    change(store) {
      const again = <Query extends { readonly cursor?: string | undefined }, Page>(
        query: Query,
        ask: (query: Query) => Promise<Page>,
      ): Promise<Page> =>
        ask(query).catch((error: unknown) => {
          if (query.cursor !== undefined && error instanceof RangeError)
            return ask({ ...query, cursor: undefined });
          throw error;
        });
      return {
        queryTraces: (query = {}) => again(query, (one) => store.queryTraces(one)),
        queryLogs: (query = {}) => again(query, (one) => store.queryLogs(one)),
        queryMetrics: (query = {}) => again(query, (one) => store.queryMetrics(one)),
      };
    },
  },
  'stores again what is inserted again': {
    breaks: ['span-once', 'log-once', 'metric-once', 'analysis'],
    change(store) {
      let inserts = 0;
      const other = () => String(++inserts);
      return {
        insertSpans: (spans) =>
          store.insertSpans(
            spans.map((span) => ({
              ...span,
              startTimeUnixNanos: span.startTimeUnixNanos - BigInt(++inserts),
            })),
          ),
        insertLogs: (logs) => store.insertLogs(logs.map((log) => ({ ...log, severityText: other() }))),
        insertMetrics: (metrics) =>
          store.insertMetrics(metrics.map((metric): MetricData => ({ ...metric, description: other() }))),
      };
    },
  },
  'takes log records that are alike for one': {
    breaks: ['log-once'],
    change: (store) => ({
      async queryLogs(query) {
        const page = await store.queryLogs(query);
        const seen = new Set<unknown>();
        const logs = page.logs.filter(({ attributes: { number } }) => !seen.has(number) && seen.add(number));
        return { ...page, logs };
      },
    }),
  },
  'stops at ten spans of a trace': {
    breaks: ['trace'],
    change: (store) => ({
      async getTrace(id) {
        const trace = await store.getTrace(id);
        return trace && { ...trace, spans: trace.spans.slice(0, 10) };
      },
    }),
  },
  'counts failures twice': {
    breaks: ['services'],
    change: (store) => ({
      listServices: async (options) =>
        (await store.listServices(options)).map((one) => ({ ...one, errorCount: one.errorCount * 2 })),
    }),
  },
  'does not look at units': {
    breaks: ['metric-series'],
    change: (store) => ({
      insertMetrics: (metrics) => store.insertMetrics(metrics.map((metric) => ({ ...metric, unit: '' }))),
    }),
  },
  'counts points for series': {
    breaks: ['metric-list'],
    change: (store) => ({
      listMetrics: async (options) =>
        (await store.listMetrics(options)).map((one) => ({ ...one, seriesCount: one.pointCount })),
    }),
  },
};
