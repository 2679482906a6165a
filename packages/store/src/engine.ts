import { encodeLogs, encodeMetrics, encodeTraces, type LogData, type MetricData } from '@tracewell/otlp';
import { type SpanBatch, type SpanData, TracewellError } from '@tracewell/plugin';
import { type AnomalyQuery, type AnomalyReport, findAnomalies, planAnomalies } from './analysis/anomalies.ts';
import { compareTwoTraces, type TraceComparison } from './analysis/compare-traces.ts';
import { type CorrelateQuery, type Correlation, correlate, planCorrelate } from './analysis/correlate.ts';
import { type CriticalPath, criticalPath } from './analysis/critical-path.ts';
import {
  type DependencyQuery,
  type DependencyReport,
  findDependencies,
  planDependencies,
} from './analysis/dependencies.ts';
import { findPatterns, type TracePattern } from './analysis/patterns.ts';
import { logFigures, planSummary, type Summary, type SummaryQuery, summarize } from './analysis/summary.ts';
import { type Comment, encodeComment, type NewComment, planComment } from './comments/comment.ts';
import { isNoSpace } from './fs/file-system.ts';
import { type HotRows, HotTier } from './hot/hot-tier.ts';
import { Inserts } from './inserts.ts';
import { openLog } from './log/log.ts';
import { FrameKind, type Log, type LogHealth } from './log/types.ts';
import {
  type CompactOptions,
  checkCompactOptions,
  checkMaintainOptions,
  type MaintainOptions,
} from './maintenance/calls.ts';
import type { CompactionResult } from './maintenance/compactor.ts';
import type { Maintenance } from './maintenance/maintenance.ts';
import type { RetentionReport } from './maintenance/retention.ts';
import type { ColdFile } from './meta/catalog.ts';
import { type StoreOptions, type StoreSettings, settingsOf } from './options.ts';
import { wrongType } from './query/check.ts';
import { findComments } from './query/find-comments.ts';
import { endFreshness, Freshness } from './query/freshness.ts';
import { ColdLogs } from './query/logs/cold-logs.ts';
import { countLogs } from './query/logs/count-logs.ts';
import { findLogs, HotLogs } from './query/logs/find-logs.ts';
import type { LogPage, LogQuery } from './query/logs/log-query.ts';
import { LogReader } from './query/logs/log-reader.ts';
import { type LogPlan, planLogs } from './query/logs/plan.ts';
import { ColdPoints } from './query/metrics/cold-points.ts';
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
import type { Snapshot } from './query/snapshot.ts';
import { AllFacts } from './query/spans/all-facts.ts';
import { AllSpans, type SpanTiers } from './query/spans/all-spans.ts';
import { assembleTrace } from './query/spans/assemble-trace.ts';
import { ColdCopies } from './query/spans/cold-copies.ts';
import { FileTallies } from './query/spans/file-tallies.ts';
import { checkTraceId } from './query/spans/find-trace.ts';
import { listServices } from './query/spans/list-services.ts';
import { planQuery, planServices, type QueryPlan } from './query/spans/plan.ts';
import { SpanReader } from './query/spans/span-reader.ts';
import type { Appends } from './replication/leader.ts';
import { Replication } from './replication/replication.ts';
import type { WalPosition } from './replication/replication-error.ts';
import { findByText, type TextSource } from './search/find-by-text.ts';
import { findLogsByText, type LogTextSource } from './search/find-logs-by-text.ts';
import { hotSpansOf, spansOfHit } from './search/hot-spans.ts';
import { SearchIndex, type SearchLag } from './search/search-index.ts';
import type { TextQuery } from './search/text-query.ts';
import { shown } from './shown.ts';
import { SIGNALS, type Signal } from './signal.ts';
import type { Sql } from './sql/query-sql.ts';
import type { SqlOptions, SqlResult } from './sql/types.ts';
import type {
  ColdHealth,
  InsertResult,
  ServiceQuery,
  ServiceSummary,
  StoreHealth,
  Trace,
  TracePage,
  TraceQuery,
} from './store.ts';
import { type FollowOptions, follow, type LogTail } from './tails/follow.ts';
import { FrameSignal, signalling } from './tails/frame-signal.ts';
import { type LiveLogFilter, liveLogs } from './tails/live-logs.ts';
import type { LiveOptions, LiveTail } from './tails/live-tail.ts';
import { type LiveTraceFilter, liveOptions, liveTraces } from './tails/live-traces.ts';
import type { FrameHandler } from './tails/tail.ts';
import { Tails } from './tails/tails.ts';
import { Tiers } from './tiers.ts';
import type { TraceStore } from './trace-store.ts';
import { type ExportedFile, type ExportFileOptions, exportFile } from './transfer/export-file.ts';
import { type ImportedFile, type ImportFileOptions, importFile } from './transfer/import-file.ts';
import { type VerifyOptions, type VerifyReport, verifyStore } from './verify/verify.ts';

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
  const readOnly = settings.log.readOnly === true;
  const replication = new Replication(directory, settings, readOnly);
  const tiers = new Tiers(directory, readOnly, hot);
  const log = await openLog(directory, signalling(hot, signal), settings.log).catch(
    async (error: unknown) => {
      await tiers.close();
      await replication.close();
      throw openingError(directory, options, error);
    },
  );
  const appends = replication.begin(log, signal, settings);
  const tails = new Tails(directory, readOnly, log, signal);
  replication.tend(tails);
  tiers.begin(log, readOnly ? undefined : settings.maintenance, tails);
  return new EmbeddedStore(directory, settings, log, appends, hot, tails, replication, tiers);
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
  readonly #spanTiers: SpanTiers;
  readonly #logReader = new LogReader();
  readonly #hotLogs: HotLogs;
  readonly #pointReader = new PointReader();
  readonly #hotPoints: HotPoints;
  readonly #fresh = new Freshness();
  readonly #tails: Tails;
  readonly #search: SearchIndex;
  readonly #appends: Appends<HotRows>;
  readonly #replication: Replication;
  readonly #tiers: Tiers;
  /** Queries that closing waits for. */
  readonly #running = new Set<Promise<unknown>>();
  #sql: Promise<Sql> | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    directory: string,
    settings: StoreSettings,
    log: Log<HotRows>,
    appends: Appends<HotRows>,
    hot: HotTier,
    tails: Tails,
    replication: Replication,
    tiers: Tiers,
  ) {
    this.directory = directory;
    this.#tiers = tiers;
    this.#settings = settings;
    this.#log = log;
    this.#hot = hot;
    this.#appends = appends;
    this.#replication = replication;
    this.#spanTiers = {
      index: hot.spans,
      reader: this.#reader,
      copies: new ColdCopies(hot.spans),
      tallies: new FileTallies(),
    };
    this.#inserts = new Inserts(appends, hot);
    this.#hotLogs = new HotLogs(hot.logs, this.#logReader);
    this.#hotPoints = new HotPoints(hot.metrics, this.#pointReader);
    this.#tails = tails;
    const snapshot = (): Snapshot => this.#tiers.snapshot();
    this.#search = new SearchIndex(
      directory,
      tails,
      snapshot,
      hot,
      settings.search,
      settings.log.readOnly !== true,
    );
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
    return this.#inserts.insert('traces', bytesOf('insertBatch', batch));
  }

  insertBatchSync(batch: SpanBatch): InsertResult {
    this.#checkOpen();
    const result = this.#inserts.insertSync('traces', bytesOf('insertBatchSync', batch));
    endFreshness();
    return result;
  }

  async queryTraces(query: TraceQuery = {}): Promise<TracePage> {
    const plan = planQuery(query, nowUnixNanos());
    if (plan.text !== undefined) return this.#searchTraces(plan, plan.text);
    return this.#query((snapshot) => this.#spans(snapshot).page(plan));
  }

  async #searchTraces(plan: QueryPlan, text: TextQuery): Promise<TracePage> {
    const searchLag = await this.#searchLag();
    const page = await this.#query(async (snapshot) => {
      const all = this.#spans(snapshot);
      const source: TextSource = {
        picker: this.#search.picker,
        find: (request) => this.#search.find(request),
        spansOf: (hit) => spansOfHit(hit, hotSpansOf(this.#hot.spans, hit, this.#reader), all),
      };
      return { ...(await findByText(source, plan, text)), ...partOf(snapshot) };
    });
    return searchLag === undefined ? page : { ...page, searchLag };
  }

  /** What a search cannot find yet, of what all writers have stored up to now. */
  async #searchLag(): Promise<SearchLag | undefined> {
    this.#checkOpen();
    await this.#log.refresh();
    return this.#search.caughtUp();
  }

  async queryLogs(query: LogQuery = {}): Promise<LogPage> {
    const plan = planLogs(query, nowUnixNanos());
    if (plan.text !== undefined) return this.#searchLogs(plan, plan.text);
    return this.#query(async (snapshot) => {
      const page = await findLogs([this.#hotLogs, new ColdLogs(snapshot)], plan);
      return { ...page, ...partOf(snapshot) };
    });
  }

  async #searchLogs(plan: LogPlan, text: TextQuery): Promise<LogPage> {
    const searchLag = await this.#searchLag();
    const page = await this.#query(async (snapshot) => {
      const source: LogTextSource = {
        picker: this.#search.picker,
        find: (request) => this.#search.find(request),
        sources: [this.#hotLogs, new ColdLogs(snapshot)],
      };
      return { ...(await findLogsByText(source, plan, text)), ...partOf(snapshot) };
    });
    return searchLag === undefined ? page : { ...page, searchLag };
  }

  async queryMetrics(query: MetricQuery = {}): Promise<MetricPage> {
    const plan = planMetrics(query, nowUnixNanos());
    return this.#query(async (snapshot) => {
      const page = await findMetrics([this.#hotPoints, new ColdPoints(snapshot)], plan);
      return { ...page, ...partOf(snapshot) };
    });
  }

  async listMetrics(options: MetricListQuery = {}): Promise<MetricSummary[]> {
    const plan = planMetricList(options, nowUnixNanos());
    return this.#query((snapshot) => listMetrics(this.#hot.metrics, plan, snapshot));
  }

  getTrace(traceId: string): Promise<Trace | undefined> {
    return this.#trace('getTrace', traceId);
  }

  async querySummary(query: SummaryQuery = {}): Promise<Summary> {
    const plan = planSummary(query, nowUnixNanos());
    return this.#query(async (snapshot) => {
      const summary = await summarize(this.#facts(snapshot), plan);
      const logs = logFigures(await countLogs(this.#hot.logs, snapshot, plan));
      return { ...summary, logs, ...partOf(snapshot) };
    });
  }

  async queryAnomalies(query: AnomalyQuery = {}): Promise<AnomalyReport> {
    const plan = planAnomalies(query, nowUnixNanos());
    return this.#query(async (snapshot) => {
      const anomalies = await findAnomalies(this.#facts(snapshot), plan);
      return { anomalies, ...partOf(snapshot) };
    });
  }

  async queryDependencies(query: DependencyQuery = {}): Promise<DependencyReport> {
    const plan = planDependencies(query, nowUnixNanos());
    return this.#query(async (snapshot) => {
      const dependencies = await findDependencies(this.#facts(snapshot), plan);
      return { dependencies, ...partOf(snapshot) };
    });
  }

  async export(path: string, options: ExportFileOptions = {}): Promise<ExportedFile> {
    return exportFile(this, path, options, nowUnixNanos());
  }

  async import(path: string, options: ImportFileOptions = {}): Promise<ImportedFile> {
    return importFile(this, path, options);
  }

  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return this.#query(() => {
      const visibleFiles = (): readonly ColdFile[] => this.#tiers.snapshot().state.files;
      const mayLackBlobs = this.#settings.maintenance.retention.payloads !== undefined;
      return verifyStore({ directory: this.directory, visibleFiles, mayLackBlobs }, options);
    });
  }

  /** The spans that an analysis counts. */
  #facts(snapshot: Snapshot): AllFacts {
    return new AllFacts(this.#spanTiers, snapshot);
  }

  async queryCorrelate(traceId: string, query: CorrelateQuery = {}): Promise<Correlation | undefined> {
    const margin = planCorrelate(query);
    const trace = await this.#trace('queryCorrelate', traceId);
    return trace && correlate(this, trace, margin);
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
    return this.#query(async (snapshot) => {
      const spans = await this.#spans(snapshot).trace(id);
      if (spans.length === 0) return noTrace(id, snapshot.partial);
      const comments = findComments(this.#hot.comments, snapshot, id);
      const trace = assembleTrace(id, spans, comments, this.#settings.genAiPrices);
      return { ...trace, ...partOf(snapshot) };
    });
  }

  async addComment(comment: NewComment): Promise<Comment> {
    this.#checkOpen();
    const planned = planComment(comment, nowUnixNanos());
    await this.#appends.append(FrameKind.COMMENT, encodeComment(planned), planned);
    return planned;
  }

  async getComments(traceId: string): Promise<Comment[]> {
    const id = checkTraceId('getComments', traceId);
    return this.#query(async (snapshot) => findComments(this.#hot.comments, snapshot, id));
  }

  async listServices(options: ServiceQuery = {}): Promise<ServiceSummary[]> {
    const minStart = planServices(options, nowUnixNanos());
    const { operations } = this.#hot.spans;
    return this.#query((snapshot) => listServices(operations, this.#spans(snapshot).counts(minStart)));
  }

  /** The spans of a snapshot. */
  #spans(snapshot: Snapshot): AllSpans {
    return new AllSpans(this.#spanTiers, snapshot);
  }

  /** Runs a query on what all writers have stored up to now. */
  #query<Result>(run: (snapshot: Snapshot) => Promise<Result>): Promise<Result> {
    this.#checkOpen();
    const running = this.#fresh.holds
      ? this.#tiers.run(run, true)
      : this.#log.refresh().then(() => {
          this.#fresh.begin();
          return this.#tiers.run(run);
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

  tailLogs(filter: LiveLogFilter = {}, options: LiveOptions = {}): LiveTail<LogData> {
    this.#checkOpen();
    return this.#tails.live(liveLogs(filter), liveOptions('tailLogs', options));
  }

  async removeTail(name: string): Promise<boolean> {
    this.#checkOpen();
    return this.#tails.remove(name);
  }

  async querySql(sql: string, options: SqlOptions = {}): Promise<SqlResult> {
    this.#checkOpen();
    // Not loaded before somebody asks.
    this.#sql ??= import('./sql/query-sql.ts').then(
      ({ Sql, sqlSnapshot }) =>
        new Sql(this.directory, async (attempt) => {
          await this.#log.refresh();
          return sqlSnapshot(this.directory, this.#tiers.snapshot(), attempt);
        }),
    );
    return (await this.#sql).query(sql, options);
  }

  async applyFramedWal(record: Uint8Array): Promise<WalPosition> {
    this.#checkOpen();
    return this.#replication.applyFramedWal(record);
  }

  async walPosition(writer: string, epoch: number): Promise<WalPosition | undefined> {
    this.#checkOpen();
    return this.#replication.walPosition(writer, epoch);
  }

  async promote(): Promise<number> {
    this.#checkOpen();
    return this.#replication.promote();
  }

  async health(): Promise<StoreHealth> {
    const replication = this.#replication.health();
    if (this.#closed === undefined) await this.#log.refresh();
    const isClosed = this.#closed !== undefined;
    const spans = isClosed ? undefined : await this.#tiers.run((snapshot) => this.#spans(snapshot).count());
    const cold = this.#tiers.health();
    const log = this.#log.health();
    const { unreadableFrames } = this.#hot;
    const signals = this.#signals(spans ?? this.#hot.spans.spanCount() + cold.rows.spans, cold);
    const unreadable = SIGNALS.some((signal) => signals[signal].unreadable > 0) || isAffected(cold);
    return {
      status: statusOf(log, unreadable || unreadableFrames > 0, isClosed),
      directory: this.directory,
      readOnly: this.#settings.log.readOnly === true,
      signals,
      comments: this.#hot.comments.count + cold.rows.comments,
      unreadableFrames,
      indexBytes: SIGNALS.reduce((sum, signal) => sum + signals[signal].indexBytes, 0),
      cold,
      log,
      tails: this.#tails.health(),
      ...(replication !== undefined && { replication }),
    };
  }

  #signals(spanCount: number, cold: ColdHealth): StoreHealth['signals'] {
    const { spans, logs, metrics } = this.#hot;
    const { rejected } = this.#inserts;
    const ofSpans = spans.stats();
    const ofLogs = logs.stats();
    const ofMetrics = metrics.stats();
    return {
      traces: {
        count: spanCount,
        copies: ofSpans.copies,
        rejected: rejected.traces,
        unreadable: this.#reader.unreadable,
        indexBytes: ofSpans.bytes,
      },
      logs: {
        count: ofLogs.count + cold.rows.logs,
        copies: ofLogs.copies,
        rejected: rejected.logs,
        unreadable: this.#logReader.unreadable,
        indexBytes: ofLogs.bytes,
      },
      metrics: {
        count: ofMetrics.count + cold.rows.metrics,
        copies: ofMetrics.copies,
        rejected: rejected.metrics,
        unreadable: this.#pointReader.unreadable,
        indexBytes: ofMetrics.bytes,
        series: ofMetrics.series,
        maxSeries: metrics.maxSeries,
      },
    };
  }

  async compact(options: CompactOptions = {}): Promise<CompactionResult> {
    this.#checkOpen();
    const maintenance = this.#maintenance();
    const checked = checkCompactOptions(options);
    // The search index is a tail, which would hold back what it has not read yet.
    await this.#search.caughtUp();
    return maintenance.compact(checked);
  }

  async getBlob(name: string): Promise<Uint8Array> {
    this.#checkOpen();
    if (typeof name !== 'string') throw wrongType('getBlob', 'name', 'a string', name);
    return this.#tiers.blob(name);
  }

  async maintain(options: MaintainOptions = {}): Promise<RetentionReport> {
    this.#checkOpen();
    return this.#maintenance().maintain(checkMaintainOptions(options).dryRun ?? false);
  }

  #maintenance(): Maintenance {
    const { maintenance } = this.#tiers;
    if (maintenance !== undefined) return maintenance;
    throw new TracewellError(
      'TW_LOG_READ_ONLY',
      `${this.directory} was opened to only read; open it without readOnly to move or drop what it holds`,
    );
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
    await this.#tiers.close();
    await this.#tails.stop();
    await this.#search.close();
    await this.#replication.close();
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

/** @throws TracewellError (`TW_COLD_DAMAGED`) if the trace may be where nobody can read */
function noTrace(traceId: string, partial: readonly string[] | undefined): undefined {
  if (partial === undefined) return undefined;
  throw new TracewellError(
    'TW_COLD_DAMAGED',
    `trace ${traceId} is not in what can be read, but not all can: ${partial[0]}; restore the file from a copy`,
  );
}

/** Whether the cold tier has something to tell. */
function isAffected({ damaged, maintenance }: ColdHealth): boolean {
  return damaged.length > 0 || maintenance?.state === 'paused';
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

/** The bytes of a batch. @throws TypeError if it is none */
function bytesOf(caller: string, batch: SpanBatch): Uint8Array {
  const bytes: unknown = Object(batch).bytes;
  if (bytes instanceof Uint8Array) return bytes;
  throw wrongType(caller, 'batch', 'a SpanBatch with bytes', batch);
}

/** What a result says of the files that could not be read, if there are any. */
function partOf({ partial }: Snapshot): { readonly partial?: readonly string[] } {
  return partial === undefined ? {} : { partial };
}
