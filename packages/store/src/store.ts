import type { LogData, MetricData } from '@tracewell/otlp';
import type { AttributeValue, SpanData, SpanKind, StatusCode, TraceNode } from '@tracewell/plugin';
import type { AnomalyQuery, AnomalyReport } from './analysis/anomalies.ts';
import type { TraceComparison } from './analysis/compare-traces.ts';
import type { CorrelateQuery, Correlation } from './analysis/correlate.ts';
import type { CriticalPath } from './analysis/critical-path.ts';
import type { DependencyQuery, DependencyReport } from './analysis/dependencies.ts';
import type { TracePattern } from './analysis/patterns.ts';
import type { Summary, SummaryQuery } from './analysis/summary.ts';
import type { Comment, NewComment } from './comments/comment.ts';
import type { GenAi } from './genai/gen-ai.ts';
import type { LogHealth } from './log/types.ts';
import type { MaintenanceHealth } from './maintenance/maintenance.ts';
import type { ColdSignal } from './meta/catalog.ts';
import type { LogPage, LogQuery } from './query/logs/log-query.ts';
import type {
  MetricListQuery,
  MetricPage,
  MetricQuery,
  MetricSummary,
} from './query/metrics/metric-query.ts';
import type { ReplicationHealth } from './replication/leader.ts';
import type { TextMatch } from './search/match-text.ts';
import type { SearchLag } from './search/search-index.ts';
import type { Signal } from './signal.ts';
import type { SqlOptions, SqlResult } from './sql/types.ts';
import type { TailHealth } from './tails/tails.ts';

/**
 * What a trace store can do, wherever it is: in this process, behind HTTP, in another engine.
 *
 * Everything that is found is plain data of the caller's own. Wrong arguments throw `TypeError` or
 * `RangeError` that name the field, as a rejection; operating errors are `TracewellError` with a code.
 *
 * @example
 * ```ts
 * import type { Store } from '@tracewell/store';
 *
 * async function slowest(store: Store, service: string): Promise<string | undefined> {
 *   const { spans } = await store.queryTraces({ service, minDurationMs: 500, lastSeconds: 3600 });
 *   return spans[0]?.traceId;
 * }
 * console.log(slowest.length); // 2
 * ```
 */
export interface Store {
  /**
   * Stores spans. Resolves when they are as durable as the store promises and are found by queries.
   *
   * A span is known by its trace id, span id and start: one that is stored already counts once, so that an
   * insert whose outcome is not known can be repeated. A copy that is still marked `tracewell.unfinished`
   * gives way to one that is finished.
   */
  insertSpans(spans: readonly SpanData[]): Promise<InsertResult>;

  /**
   * Stores log records. Resolves when they are as durable as the store promises and are found by queries.
   *
   * Records have no identity of their own: two that are alike count as two. An insert of the same records in the
   * same order counts once, so that one whose outcome is not known can be repeated.
   */
  insertLogs(logs: readonly LogData[]): Promise<InsertResult>;

  /**
   * Stores metrics. Resolves when their points are as durable as the store promises and are found by queries.
   *
   * An insert of the same metrics in the same order counts once, so that one whose outcome is not known can be
   * repeated. Points whose series would be one more than the store takes are left out, counted and explained; the
   * others are stored.
   */
  insertMetrics(metrics: readonly MetricData[]): Promise<InsertResult>;

  /**
   * Stores an OTLP request as it came over the wire.
   *
   * Spans with ids that OTLP calls invalid are left out, counted and explained; the others are stored. A request of
   * log records or metrics counts once if it comes again with the same bytes.
   *
   * @param signal - what the request holds
   * @param bytes - an `ExportTraceServiceRequest`, `ExportLogsServiceRequest` or `ExportMetricsServiceRequest` in
   * protobuf; must not change until the promise settles
   * @throws `TracewellError` (`TW_DECODE_INVALID`, `TW_DECODE_TOO_DEEP`, `TW_DECODE_TOO_LARGE`) if the bytes
   * are no such request; nothing of it is stored then
   */
  insertOtlp(signal: Signal, bytes: Uint8Array): Promise<InsertResult>;

  /** Finds spans, newest first, page by page. */
  queryTraces(query?: TraceQuery): Promise<TracePage>;

  /** Finds log records, newest first, page by page. */
  queryLogs(query?: LogQuery): Promise<LogPage>;

  /** Finds the points of metrics, series by series, page by page. */
  queryMetrics(query?: MetricQuery): Promise<MetricPage>;

  /** The metrics that have points, in the order of their names. */
  listMetrics(options?: MetricListQuery): Promise<MetricSummary[]>;

  /** All spans of a trace, whoever recorded them; `undefined` if there is none. */
  getTrace(traceId: string): Promise<Trace | undefined>;

  /**
   * Adds a comment on a trace or on one of its spans. Resolves with the comment as it is stored, when it is as
   * durable as an insert.
   */
  addComment(comment: NewComment): Promise<Comment>;

  /** The comments on a trace and on its spans, oldest first. {@link Store.getTrace} brings them too. */
  getComments(traceId: string): Promise<Comment[]>;

  /** What happened in a window: counts, error rates, durations, by service and operation. */
  querySummary(query?: SummaryQuery): Promise<Summary>;

  /** What got worse than it was before: services and operations, by error rate and latency; the worst first. */
  queryAnomalies(query?: AnomalyQuery): Promise<AnomalyReport>;

  /** Who calls whom, databases and queues included: how often, how slowly, how often in vain; the most frequent first. */
  queryDependencies(query?: DependencyQuery): Promise<DependencyReport>;

  /** A trace, the log records that name it, and the metrics of its services around its time; `undefined` if there is no such trace. */
  queryCorrelate(traceId: string, query?: CorrelateQuery): Promise<Correlation | undefined>;

  /** Which spans made a trace as long as it was; `undefined` if there is no such trace. */
  queryCriticalPath(traceId: string): Promise<CriticalPath | undefined>;

  /** Shapes of a trace that have a remedy: repeated calls, retries, serial calls; `undefined` if there is no such trace. */
  queryPatterns(traceId: string): Promise<TracePattern[] | undefined>;

  /** Where two traces differ, place by place in their call trees; `undefined` if one of them is not there. */
  compareTraces(before: string, after: string): Promise<TraceComparison | undefined>;

  /** The services that recorded spans, in the order of their names. */
  listServices(options?: ServiceQuery): Promise<ServiceSummary[]>;

  /**
   * Runs one `SELECT` over the tables `spans`, `logs`, `metrics`, `metrics_5m` and `comments`. It runs on DuckDB,
   * an optional peer dependency, in a process of its own that nothing but the store's files is within reach of.
   *
   * @throws `TracewellError` (`TW_SQL_UNAVAILABLE`) if DuckDB is not installed; `TW_SQL_REFUSED`, `TW_SQL_INVALID`
   * if the statement is not allowed, or wrong; `TW_SQL_TIMEOUT`, `TW_SQL_MEMORY`, `TW_SQL_BUSY` at a limit;
   * `TW_SQL_FAILED`
   *
   * @example
   * ```ts
   * import { openStore } from '@tracewell/store';
   *
   * const store = await openStore('.tracewell');
   * const { rows } = await store.querySql('SELECT 6 * 7 AS answer');
   * console.log(rows[0]?.answer); // 42
   * await store.close();
   * ```
   */
  querySql(sql: string, options?: SqlOptions): Promise<SqlResult>;

  /** How the store is. Tells also after {@link Store.close}. */
  health(): Promise<StoreHealth>;

  /** Resolves when everything that was inserted before the call is on the disk. */
  flush(): Promise<void>;

  /** Flushes and releases what the store holds. Idempotent. */
  close(): Promise<void>;

  /** As {@link Store.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What became of an insert. */
export interface InsertResult {
  /** Spans, log records or points that are stored now, those included that had been before. */
  readonly accepted: number;
  /** Those that were left out for good; repeating the insert would leave them out again. */
  readonly rejected: number;
  /** Why they were, each reason once. */
  readonly reasons: readonly string[];
}

/** Which spans {@link Store.queryTraces} finds: those that match every field that is given. */
export interface TraceQuery {
  /** The `service.name` of the span's resource; `unknown_service` means those without one. */
  readonly service?: string | undefined;
  /** The span's name. */
  readonly operation?: string | undefined;
  readonly status?: StatusCode | undefined;
  readonly kind?: SpanKind | undefined;
  /** The span took at least so many milliseconds. One that ended before it started took 0. */
  readonly minDurationMs?: number | undefined;
  /** The span took at most so many milliseconds. */
  readonly maxDurationMs?: number | undefined;
  /**
   * Attributes that the span has, or its resource if the span does not, with exactly these values. A whole
   * number means the integer as well as the `Double` of `@tracewell/plugin`.
   */
  readonly attributes?: { readonly [key: string]: AttributeValue | undefined } | undefined;
  /** The span started then or later. Nanoseconds since the Unix epoch, or a date. */
  readonly startTime?: bigint | Date | undefined;
  /** The span started before that. Nanoseconds since the Unix epoch, or a date. */
  readonly endTime?: bigint | Date | undefined;
  /** The span started within the last so many seconds. Not together with `startTime`. */
  readonly lastSeconds?: number | undefined;
  /**
   * Words that stand in the span's texts: messages and stack traces of exceptions, database statements, URLs, prompts
   * and completions, or what the option `search` of the store names. `timeout "connection refused" pool* NOT
   * (redis OR cache)`: all of the words, phrases in quotes, a star for any ending, `AND`, `OR`, `NOT` and parentheses.
   * Case and accents do not count. Newly stored spans are found within seconds.
   */
  readonly text?: string | undefined;
  /**
   * `newest` first, or with a `text` those first that it matches best, by BM25, without further pages. Default
   * `'newest'`.
   */
  readonly order?: 'newest' | 'relevance' | undefined;
  /** Spans to return at most, 1 to 10,000. Default 100. */
  readonly limit?: number | undefined;
  /** Goes on behind the page that returned it. The other fields must be the same as for that page. */
  readonly cursor?: string | undefined;
}

/** One page of spans. */
export interface TracePage {
  /**
   * Why spans may be missing: files of the cold tier that cannot be read, one sentence each. Absent if all could
   * be looked into.
   */
  readonly partial?: readonly string[];
  /** Newest first by start time; those of the same nanosecond in an order of their ids that never changes. */
  readonly spans: SpanData[];
  /**
   * Where the next page starts; absent if this was the last one. It names a place in the order and not a
   * number of spans, so what is inserted meanwhile makes no page skip or repeat a span.
   */
  readonly cursor?: string;
  /** With a `text`: where each of the spans matched, in their order. */
  readonly matches?: readonly TextMatch[];
  /** With a `text`: what was not indexed yet, so that it was not found; absent if everything was. */
  readonly searchLag?: SearchLag;
}

/** A whole trace. */
export interface Trace {
  /** As {@link TracePage.partial}. */
  readonly partial?: readonly string[];
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** All its spans, in the order in which they started. */
  readonly spans: readonly SpanData[];
  /** The same spans as trees, by their parents. */
  readonly roots: readonly TraceNode[];
  /** When the first span started. */
  readonly startTimeUnixNanos: bigint;
  /** When the last span ended. */
  readonly endTimeUnixNanos: bigint;
  /** From the first start to the last end, in milliseconds. */
  readonly durationMs: number;
  /** The services that took part, in the order in which they did. */
  readonly services: readonly string[];
  /** Whether any span failed. */
  readonly hasError: boolean;
  /** What was said about it and its spans, oldest first. */
  readonly comments: readonly Comment[];
  /** The typed parts of those of its spans that follow the GenAI conventions, in the order of the spans. */
  readonly genAi: readonly GenAi[];
}

/** What {@link Store.listServices} takes. */
export interface ServiceQuery {
  /** Only spans that started within the last so many seconds. Default: all. */
  readonly lastSeconds?: number;
}

/** What is known of a service. */
export interface ServiceSummary {
  readonly name: string;
  /** Its spans, each counted once. */
  readonly spanCount: number;
  /** Those of them with status ERROR. */
  readonly errorCount: number;
  /** When its first span started, in nanoseconds since the Unix epoch. */
  readonly firstSeenUnixNanos: bigint;
  /** When its last span started, in nanoseconds since the Unix epoch. */
  readonly lastSeenUnixNanos: bigint;
  /**
   * The names of its spans, sorted. A store keeps 131,072 names apart; those that come after (an id in each
   * name, typically) are stored and found, but not listed here.
   */
  readonly operations: readonly string[];
}

/** How much there is of one signal, and what became of the rest. */
export interface SignalHealth {
  /** Spans, log records or points in the store, each counted once. */
  readonly count: number;
  /** Those that were inserted again and count only once. */
  readonly copies: number;
  /** Those that inserts left out since opening; {@link InsertResult} said why. */
  readonly rejected: number;
  /** Times since opening that a query met one whose bytes could not be read or decoded, and left it out. */
  readonly unreadable: number;
  /** Bytes of memory that its index takes. */
  readonly indexBytes: number;
}

/** How much there is of metrics. */
export interface MetricsHealth extends SignalHealth {
  /** Series in the hot tier; those without points are forgotten when there is need of their place. */
  readonly series: number;
  /** How many there may be; points of others are rejected. */
  readonly maxSeries: number;
}

/** How the cold tier is. */
export interface ColdHealth {
  readonly files: number;
  readonly bytes: number;
  /** Rows by what they are: `spans`, `logs`, `metrics`, `metrics_5m`, `comments`. */
  readonly rows: Readonly<Record<ColdSignal, number>>;
  /** Files that cannot be read, each with why. Queries that need them say that their result is partial. */
  readonly damaged: readonly string[];
  /** How moving rows to it is; absent if the store was opened to only read. */
  readonly maintenance?: MaintenanceHealth;
}

/** What {@link Store.health} tells. */
export interface StoreHealth {
  /** `ok`; `degraded`: it works, but something was lost, cut or cannot be read; `refusing-writes`; `closed`. */
  readonly status: 'ok' | 'degraded' | 'refusing-writes' | 'closed';
  /** Where the data lies. */
  readonly directory: string;
  /** Whether it was opened only to read. */
  readonly readOnly: boolean;
  /** How much there is of each signal. */
  readonly signals: {
    readonly [Name in Signal]: Name extends 'metrics' ? MetricsHealth : SignalHealth;
  };
  /** Comments in the store; one that was added again under its id counts again. */
  readonly comments: number;
  /** Frames of the log that hold no OTLP request and were passed over. */
  readonly unreadableFrames: number;
  /** Bytes of memory that the index takes. */
  readonly indexBytes: number;
  /** How the cold tier is. */
  readonly cold: ColdHealth;
  /** How the log beneath is. */
  readonly log: LogHealth;
  /** What follows the log, in this process and in others. */
  readonly tails: readonly TailHealth[];
  /** How replication is; absent if the store takes no part in any. */
  readonly replication?: ReplicationHealth;
}
