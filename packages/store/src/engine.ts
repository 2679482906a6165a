import { encodeLogs, encodeMetrics, encodeTraces, type LogData, type MetricData } from '@tracewell/otlp';
import { type SpanBatch, type SpanData, TracewellError } from '@tracewell/plugin';
import { type Anomaly, type AnomalyQuery, findAnomalies, planAnomalies } from './analysis/anomalies.ts';
import { compareTwoTraces, type TraceComparison } from './analysis/compare-traces.ts';
import { type CriticalPath, criticalPath } from './analysis/critical-path.ts';
import {
  type CallFacts,
  type Dependency,
  type DependencyQuery,
  findDependencies,
  planDependencies,
} from './analysis/dependencies.ts';
import { findPatterns, type TracePattern } from './analysis/patterns.ts';
import type { SpanFacts } from './analysis/span-facts.ts';
import { planSummary, type Summary, type SummaryQuery, summarize } from './analysis/summary.ts';
import { type Comment, encodeComment, type NewComment, planComment } from './comments/comment.ts';
import { isNoSpace } from './fs/file-system.ts';
import { type HotRows, HotTier } from './hot/hot-tier.ts';
import { Inserts } from './inserts.ts';
import { openLog } from './log/log.ts';
import { FrameKind, type Log, type LogHealth } from './log/types.ts';
import { type StoreOptions, type StoreSettings, settingsOf } from './options.ts';
import { endFreshness, Freshness } from './query/freshness.ts';
import { findLogs, HotLogs } from './query/logs/find-logs.ts';
import type { LogPage, LogQuery } from './query/logs/log-query.ts';
import { LogReader } from './query/logs/log-reader.ts';
import { planLogs } from './query/logs/plan.ts';
import { findMetrics } from './query/metrics/find-metrics.ts';
import { HotPoints } from './query/metrics/hot-points.ts';
import { listMetrics } from './query/metrics/list-metrics.ts';
import type {
  MetricListQuery,
  MetricPage,
  MetricQuery,
  MetricSummary,
} from './query/metrics/metric-query.ts';
import { planMetricList, planMetrics } from './query/metrics/plan.ts';
import { PointReader } from './query/metrics/point-reader.ts';
import { assembleTrace } from './query/spans/assemble-trace.ts';
import { findSpans } from './query/spans/find-spans.ts';
import { checkTraceId, findTrace } from './query/spans/find-trace.ts';
import { listServices } from './query/spans/list-services.ts';
import { planQuery, planServices, type QueryPlan } from './query/spans/plan.ts';
import { SpanReader } from './query/spans/span-reader.ts';
import { spansIn, visitCalls, visitSpans } from './query/spans/visit-spans.ts';
import { nextTurn, turnIsOver } from './query/turn.ts';
import { findByText, type TextSource } from './search/find-by-text.ts';
import { hotSpansOf } from './search/hot-spans.ts';
import { SearchIndex } from './search/search-index.ts';
import type { TextQuery } from './search/text-query.ts';
import { shown } from './shown.ts';
import { SIGNALS, type Signal } from './signal.ts';
import type { Sql } from './sql/query-sql.ts';
import type { SqlOptions, SqlResult } from './sql/types.ts';
import type {
  InsertResult,
  ServiceQuery,
  ServiceSummary,
  Store,
  StoreHealth,
  Trace,
  TracePage,
  TraceQuery,
} from './store.ts';
import { type FollowOptions, follow, type LogTail } from './tails/follow.ts';
import { FrameSignal, signalling } from './tails/frame-signal.ts';
import type { LiveOptions, LiveTail } from './tails/live-tail.ts';
import { type LiveTraceFilter, liveOptions, liveTraces } from './tails/live-traces.ts';
import type { FrameHandler } from './tails/tail.ts';
import { Tails } from './tails/tails.ts';
import { type ExportedFile, type ExportFileOptions, exportFile } from './transfer/export-file.ts';
import { type ImportedFile, type ImportFileOptions, importFile } from './transfer/import-file.ts';

/** A store in a directory of this machine, opened in this process. */
export interface TraceStore extends Store {
  /** Where the data lies. */
  readonly directory: string;

  /**
   * Stores a batch that a recorder encoded, as it is. Like {@link Store.insertOtlp}, for bytes that come from
   * this process: attributes are not checked first.
   */
  insertBatch(batch: SpanBatch): Promise<InsertResult>;

  /**
   * As {@link TraceStore.insertBatch}, durable when it returns, together with every insert that is still under
   * way. For a process that is about to exit; blocks for a disk write.
   */
  insertBatchSync(batch: SpanBatch): InsertResult;

  /**
   * Follows the log: hands what all writers of the directory have stored to `handler`, and goes on with what
   * comes in, from a position that is saved under the tail's name. At least once: a step whose handler rejects
   * comes again, and so does the last one after a crash. If several processes run a tail of the same name, one
   * delivers and the others take over when it dies.
   *
   * @param name - 1 to 63 of `a-z`, `0-9`, `_` and `-`
   * @param handler - takes frames in the order of each writer; resolves when they need not come again
   * @throws `TracewellError` (`TW_LOG_READ_ONLY`) if the store was opened to only read
   * @throws TypeError, RangeError for a wrong argument, or a name that a tail of this store has already
   *
   * @example
   * ```ts
   * import { openStore } from '@tracewell/store';
   *
   * const store = await openStore('.tracewell');
   * const tail = store.follow('count', async (frames) => {
   *   for (const { content, payload } of frames) console.log(content, payload.length);
   * });
   * await tail.flush();
   * await store.close();
   * ```
   */
  follow(name: string, handler: FrameHandler, options?: FollowOptions): LogTail;

  /**
   * The spans that come into the store from now on, by whichever process, as they come. Ends with `break`, with
   * `options.signal`, and with the store. A reader that is too slow is never waited for: it goes on at the end,
   * and `dropped` says how many spans it passed over.
   *
   * @throws TypeError, RangeError naming an argument that is none
   *
   * @example
   * ```ts
   * import { openStore } from '@tracewell/store';
   *
   * const store = await openStore('.tracewell');
   * const live = store.tailTraces({ service: 'checkout' }, { signal: AbortSignal.timeout(100) });
   * for await (const span of live) console.log(span.name);
   * console.log(live.dropped); // 0
   * await store.close();
   * ```
   */
  tailTraces(filter?: LiveTraceFilter, options?: LiveOptions): LiveTail<SpanData>;

  /**
   * Writes spans or log records to a file of OTLP JSON lines, newest first, hundreds a line. The file is there
   * when it is whole, or not at all.
   *
   * @throws `TracewellError` (`TW_TRANSFER_FAILED`) if the file is there already or cannot be written
   * @throws TypeError, RangeError naming an argument that is none
   *
   * @example
   * ```ts
   * import { openStore } from '@tracewell/store';
   *
   * const store = await openStore('.tracewell');
   * const { rows } = await store.export('last-hour.jsonl', { lastSeconds: 3600 });
   * console.log(rows); // 0
   * await store.close();
   * ```
   */
  export(path: string, options?: ExportFileOptions): Promise<ExportedFile>;

  /**
   * Reads a file of OTLP JSON lines into the store, such as {@link TraceStore.export} and the file exporters of
   * OpenTelemetry write it. What is stored already counts once, so an import can be repeated. A line that holds
   * no OTLP request is left out, counted and explained.
   *
   * @throws `TracewellError` (`TW_TRANSFER_FAILED`) if the file cannot be read, and whatever an insert throws
   * @throws TypeError naming an argument that is none
   */
  import(path: string, options?: ImportFileOptions): Promise<ImportedFile>;

  /**
   * Forgets a tail and its position, so that it holds nothing back any more; stops it if it runs here. If
   * another process still runs it, it makes itself known again when it begins the next time.
   *
   * @returns whether there was one
   */
  removeTail(name: string): Promise<boolean>;
}

/**
 * Opens the store in a directory. Any number of processes and threads may have the same directory open at the
 * same time; each finds what the others stored, at the latest a second after it was acknowledged.
 *
 * A directory that is not there is made, for its owner alone and with a `.gitignore` that keeps it out of Git:
 * spans may hold what is nobody else's business. To share it with other users, make it beforehand.
 *
 * @param directory - default `.tracewell` in the working directory
 * @throws `TracewellError`, as a rejection: `TW_LOG_DAMAGED` or `TW_LOG_SEGMENT_MISSING` if data that was
 * acknowledged is damaged (see `recovery` of the options), `TW_LOG_FORMAT` if a newer version wrote it,
 * `TW_LOG_LOCK_FAILED`, `TW_LOG_NO_SPACE`, `TW_STORE_OPEN_FAILED` if the operating system refuses the directory
 * @throws TypeError, RangeError, as a rejection, naming an option that is none
 *
 * @example
 * ```ts
 * import { openStore } from '@tracewell/store';
 *
 * await using store = await openStore('.tracewell');
 * const { spans } = await store.queryTraces({ service: 'checkout', lastSeconds: 3600, limit: 10 });
 * for (const span of spans) console.log(span.traceId, span.name);
 * ```
 */
export async function openStore(directory = '.tracewell', options: StoreOptions = {}): Promise<TraceStore> {
  if (typeof directory !== 'string' || directory === '') {
    throw new TypeError(`openStore: directory must be a path, got ${shown(directory)}`);
  }
  const settings = settingsOf(options);
  const hot = new HotTier(settings.maxSeries);
  const signal = new FrameSignal();
  const log = await openLog(directory, signalling(hot, signal), settings.log).catch((error: unknown) => {
    throw openingError(directory, options, error);
  });
  const tails = new Tails(directory, options.readOnly === true, log, signal);
  return new EmbeddedStore(directory, settings, log, hot, tails);
}

/** What the operating system refuses gets a code and a way out; whatever else went wrong says so itself. */
function openingError(directory: string, options: StoreOptions, error: unknown): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (error instanceof TracewellError || code === undefined || syscall === undefined) return error;
  if (isNoSpace(error)) {
    return new TracewellError(
      'TW_LOG_NO_SPACE',
      `the store in ${directory} cannot be opened: ${message}; make room there and open the store again`,
      { cause: error },
    );
  }
  return new TracewellError(
    'TW_STORE_OPEN_FAILED',
    `the store in ${directory} cannot be opened: ${message}; see to that path, or name a directory that this process may ${options.readOnly ? 'read' : 'write'}`,
    { cause: error },
  );
}

/** The engine: an insert goes to the log, which hands it to the index; a query goes to the index. */
class EmbeddedStore implements TraceStore {
  readonly directory: string;
  readonly #settings: StoreSettings;
  readonly #log: Log<HotRows>;
  readonly #hot: HotTier;
  readonly #inserts: Inserts;
  readonly #reader = new SpanReader();
  readonly #logReader = new LogReader();
  readonly #hotLogs: HotLogs;
  readonly #pointReader = new PointReader();
  readonly #hotPoints: HotPoints;
  readonly #fresh = new Freshness();
  readonly #tails: Tails;
  readonly #search: SearchIndex;
  /** Queries that closing waits for. */
  readonly #running = new Set<Promise<unknown>>();
  #sql: Promise<Sql> | undefined;
  #closed: Promise<void> | undefined;

  constructor(directory: string, settings: StoreSettings, log: Log<HotRows>, hot: HotTier, tails: Tails) {
    this.directory = directory;
    this.#settings = settings;
    this.#log = log;
    this.#hot = hot;
    this.#inserts = new Inserts(log, hot);
    this.#hotLogs = new HotLogs(hot.logs, this.#logReader);
    this.#hotPoints = new HotPoints(hot.metrics, this.#pointReader);
    this.#tails = tails;
    this.#search = new SearchIndex(directory, tails, settings.search, settings.log.readOnly !== true);
  }

  async insertSpans(spans: readonly SpanData[]): Promise<InsertResult> {
    this.#checkOpen();
    if (!Array.isArray(spans))
      throw new TypeError(`insertSpans: spans must be an array, got ${shown(spans)}`);
    return this.#inserts.insert('traces', encodeTraces(spans));
  }

  async insertLogs(logs: readonly LogData[]): Promise<InsertResult> {
    this.#checkOpen();
    if (!Array.isArray(logs)) throw new TypeError(`insertLogs: logs must be an array, got ${shown(logs)}`);
    return this.#inserts.insert('logs', encodeLogs(logs));
  }

  async insertMetrics(metrics: readonly MetricData[]): Promise<InsertResult> {
    this.#checkOpen();
    if (!Array.isArray(metrics)) {
      throw new TypeError(`insertMetrics: metrics must be an array, got ${shown(metrics)}`);
    }
    return this.#inserts.insert('metrics', encodeMetrics(metrics));
  }

  async insertOtlp(signal: Signal, bytes: Uint8Array): Promise<InsertResult> {
    this.#checkOpen();
    if (!SIGNALS.includes(signal)) {
      const choice = SIGNALS.map(shown).join(', ');
      throw new RangeError(`insertOtlp: signal must be one of ${choice}, got ${shown(signal)}`);
    }
    return this.#inserts.insertForeign(signal, bytes);
  }

  async insertBatch(batch: SpanBatch): Promise<InsertResult> {
    this.#checkOpen();
    return this.#inserts.insert('traces', batch.bytes);
  }

  insertBatchSync(batch: SpanBatch): InsertResult {
    this.#checkOpen();
    const result = this.#inserts.insertSync('traces', batch.bytes);
    endFreshness();
    return result;
  }

  async queryTraces(query: TraceQuery = {}): Promise<TracePage> {
    const plan = planQuery(query, nowUnixNanos());
    if (plan.text !== undefined) return this.#searchTraces(plan, plan.text);
    return this.#query(() => findSpans(this.#hot.spans, plan, this.#reader));
  }

  async #searchTraces(plan: QueryPlan, text: TextQuery): Promise<TracePage> {
    this.#checkOpen();
    const lag = await this.#search.caughtUp();
    const source: TextSource = {
      picker: this.#search.picker,
      find: (request) => this.#search.find(request),
      spansOf: async (hit) => hotSpansOf(this.#hot.spans, hit, this.#reader),
    };
    const page = await this.#query(() => findByText(source, plan, text));
    return lag === 0 ? page : { ...page, searchLagBytes: lag };
  }

  async queryLogs(query: LogQuery = {}): Promise<LogPage> {
    const plan = planLogs(query, nowUnixNanos());
    return this.#query(() => findLogs([this.#hotLogs], plan));
  }

  async queryMetrics(query: MetricQuery = {}): Promise<MetricPage> {
    const plan = planMetrics(query, nowUnixNanos());
    return this.#query(() => findMetrics([this.#hotPoints], plan));
  }

  async listMetrics(options: MetricListQuery = {}): Promise<MetricSummary[]> {
    const plan = planMetricList(options, nowUnixNanos());
    return this.#query(() => listMetrics(this.#hot.metrics, plan));
  }

  getTrace(traceId: string): Promise<Trace | undefined> {
    return this.#trace('getTrace', traceId);
  }

  async querySummary(query: SummaryQuery = {}): Promise<Summary> {
    const plan = planSummary(query, nowUnixNanos());
    return this.#query(() => summarize(this.#facts(), plan));
  }

  async queryAnomalies(query: AnomalyQuery = {}): Promise<Anomaly[]> {
    const plan = planAnomalies(query, nowUnixNanos());
    return this.#query(() => findAnomalies(this.#facts(), plan));
  }

  async queryDependencies(query: DependencyQuery = {}): Promise<Dependency[]> {
    const plan = planDependencies(query, nowUnixNanos());
    return this.#query(() => findDependencies(this.#facts(), plan));
  }

  async export(path: string, options: ExportFileOptions = {}): Promise<ExportedFile> {
    return exportFile(this, path, options, nowUnixNanos());
  }

  async import(path: string, options: ImportFileOptions = {}): Promise<ImportedFile> {
    return importFile(this, path, options);
  }

  /** The spans that an analysis counts. */
  #facts(): SpanFacts & CallFacts {
    const { spans } = this.#hot;
    return {
      operations: spans.operations,
      visit: (window, visit) => visitSpans(spans, window, visit),
      spansIn: (window) => spansIn(spans, window),
      visitCalls: (window, targets, isWanted, visit) => visitCalls(spans, window, targets, isWanted, visit),
    };
  }

  async queryCriticalPath(traceId: string): Promise<CriticalPath | undefined> {
    const trace = await this.#trace('queryCriticalPath', traceId);
    return trace && criticalPath(trace);
  }

  async queryPatterns(traceId: string): Promise<TracePattern[] | undefined> {
    const trace = await this.#trace('queryPatterns', traceId);
    return trace && findPatterns(trace);
  }

  async compareTraces(before: string, after: string): Promise<TraceComparison | undefined> {
    const traces = await Promise.all([before, after].map((id) => this.#trace('compareTraces', id)));
    return traces[0] && traces[1] && compareTwoTraces(traces[0], traces[1]);
  }

  async #trace(caller: string, traceId: string): Promise<Trace | undefined> {
    const id = checkTraceId(caller, traceId);
    return this.#query(async () => {
      const spans = await findTrace(this.#hot.spans, id, this.#reader);
      return spans.length === 0
        ? undefined
        : assembleTrace(id, spans, this.#hot.comments.ofTrace(id), this.#settings.genAiPrices);
    });
  }

  async addComment(comment: NewComment): Promise<Comment> {
    this.#checkOpen();
    const planned = planComment(comment, nowUnixNanos());
    await this.#log.append(FrameKind.COMMENT, encodeComment(planned), planned);
    return planned;
  }

  async getComments(traceId: string): Promise<Comment[]> {
    const id = checkTraceId('getComments', traceId);
    return this.#query(async () => this.#hot.comments.ofTrace(id));
  }

  async listServices(options: ServiceQuery = {}): Promise<ServiceSummary[]> {
    const minStart = planServices(options, nowUnixNanos());
    return this.#query(() => listServices(this.#hot.spans, minStart));
  }

  /** Runs a query on what all writers have stored up to now. */
  #query<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#checkOpen();
    const running = this.#fresh.holds
      ? run()
      : this.#log.refresh().then(() => {
          this.#fresh.begin();
          return run();
        });
    this.#running.add(running);
    const done = (): void => void this.#running.delete(running);
    running.then(done, done);
    return running;
  }

  follow(name: string, handler: FrameHandler, options?: FollowOptions): LogTail {
    this.#checkOpen();
    return follow(this.#tails, name, handler, options);
  }

  tailTraces(filter: LiveTraceFilter = {}, options: LiveOptions = {}): LiveTail<SpanData> {
    this.#checkOpen();
    return this.#tails.live(liveTraces(filter), liveOptions('tailTraces', options));
  }

  async removeTail(name: string): Promise<boolean> {
    this.#checkOpen();
    return this.#tails.remove(name);
  }

  async querySql(sql: string, options: SqlOptions = {}): Promise<SqlResult> {
    this.#checkOpen();
    // Not loaded before somebody asks.
    this.#sql ??= import('./sql/query-sql.ts').then(
      ({ Sql, hotSegments }) =>
        new Sql(this.directory, async () => {
          await this.#log.refresh();
          return { cold: {}, hot: hotSegments(this.directory, this.#log.segments()) };
        }),
    );
    return (await this.#sql).query(sql, options);
  }

  async health(): Promise<StoreHealth> {
    if (this.#closed === undefined) await this.#log.refresh();
    for (const _ of this.#hot.spans.reconcile()) if (turnIsOver()) await nextTurn();
    const log = this.#log.health();
    const { unreadableFrames } = this.#hot;
    const signals = this.#signals();
    const unreadable = SIGNALS.some((signal) => signals[signal].unreadable > 0);
    return {
      status: statusOf(log, unreadable || unreadableFrames > 0, this.#closed !== undefined),
      directory: this.directory,
      readOnly: this.#settings.log.readOnly === true,
      signals,
      comments: this.#hot.comments.count,
      unreadableFrames,
      indexBytes: SIGNALS.reduce((sum, signal) => sum + signals[signal].indexBytes, 0),
      log,
      tails: this.#tails.health(),
    };
  }

  #signals(): StoreHealth['signals'] {
    const { spans, logs, metrics } = this.#hot;
    const { rejected } = this.#inserts;
    const ofSpans = spans.stats();
    const ofLogs = logs.stats();
    const ofMetrics = metrics.stats();
    return {
      traces: {
        count: spans.spanCount(),
        copies: ofSpans.copies,
        rejected: rejected.traces,
        unreadable: this.#reader.unreadable,
        indexBytes: ofSpans.bytes,
      },
      logs: {
        count: ofLogs.count,
        copies: ofLogs.copies,
        rejected: rejected.logs,
        unreadable: this.#logReader.unreadable,
        indexBytes: ofLogs.bytes,
      },
      metrics: {
        count: ofMetrics.count,
        copies: ofMetrics.copies,
        rejected: rejected.metrics,
        unreadable: this.#pointReader.unreadable,
        indexBytes: ofMetrics.bytes,
        series: ofMetrics.series,
        maxSeries: metrics.maxSeries,
      },
    };
  }

  async flush(): Promise<void> {
    this.#checkOpen();
    await this.#log.flush();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    (await this.#sql)?.close();
    await Promise.allSettled(this.#running);
    await this.#tails.stop();
    await this.#search.close();
    await this.#log.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) {
      throw new TracewellError('TW_STORE_CLOSED', `The store in ${this.directory} is closed; open it again.`);
    }
  }
}

function statusOf(log: LogHealth, unreadable: boolean, closed: boolean): StoreHealth['status'] {
  if (closed) return 'closed';
  if (log.status === 'refusing-writes') return 'refusing-writes';
  const damaged = log.damagedBytes > 0 || log.writers.some((writer) => writer.error !== undefined);
  return unreadable ||
    damaged ||
    log.removedLogs > 0 ||
    log.scrub.damaged.length > 0 ||
    log.readError !== undefined ||
    log.applyError !== undefined
    ? 'degraded'
    : 'ok';
}

function nowUnixNanos(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
