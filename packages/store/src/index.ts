/**
 * A trace store that lives in the process: a directory with a log and an index, durable, read by any process.
 *
 * @module @tracewell/store
 */

export type { Anomaly, AnomalyQuery, AnomalyReport } from './analysis/anomalies.ts';
export type {
  ComparedPlace,
  ComparedTrace,
  PlaceFigures,
  TraceComparison,
} from './analysis/compare-traces.ts';
export type { CorrelateQuery, Correlation } from './analysis/correlate.ts';
export type { CriticalPath, CriticalSpan, CriticalStep } from './analysis/critical-path.ts';
export type { Dependency, DependencyQuery, DependencyReport } from './analysis/dependencies.ts';
export type { SpanFigures } from './analysis/figures.ts';
export type { TracePattern } from './analysis/patterns.ts';
export type {
  LogFigures,
  OperationFigures,
  ServiceFigures,
  Summary,
  SummaryQuery,
} from './analysis/summary.ts';
export type { CollectedBlobs } from './blobs/blob-store.ts';
export type { Comment, NewComment } from './comments/comment.ts';
export { openStore } from './engine.ts';
export { type BatchStore, storeExporter } from './exporter.ts';
export { type GenAi, type GenAiPrice, type GenAiPrices, genAiOf } from './genai/gen-ai.ts';
export type {
  DamagedPlace,
  Durability,
  LogHealth,
  LogOptions,
  ScrubHealth,
  WriterHealth,
} from './log/types.ts';
export type { CompactOptions, MaintainOptions } from './maintenance/calls.ts';
export type { CompactionProgress, CompactionResult } from './maintenance/compactor.ts';
export type { MaintenanceHealth } from './maintenance/maintenance.ts';
export type { MaintenanceOptions } from './maintenance/options.ts';
export type { ColdLimits, DroppedPartition, RetentionReport } from './maintenance/retention.ts';
export type { ColdSignal } from './meta/catalog.ts';
export type { StoreOptions } from './options.ts';
export type { LogPage, LogQuery } from './query/logs/log-query.ts';
export type {
  MetricListQuery,
  MetricPage,
  MetricQuery,
  MetricSeries,
  MetricSummary,
} from './query/metrics/metric-query.ts';
export type { FeedState } from './replication/feed.ts';
export type { ReplicationHealth, ReplicationOptions, SinkHealth } from './replication/leader.ts';
export { ReplicationError, type WalPosition } from './replication/replication-error.ts';
export { type ServeWalOptions, serveWal, type WalServer } from './replication/tcp-receiver.ts';
export { type TcpSinkOptions, tcpWalSink } from './replication/tcp-sink.ts';
export type { WalSink } from './replication/wal-sink.ts';
export type { TextMatch } from './search/match-text.ts';
export type { SearchLag, SearchOptions } from './search/search-index.ts';
export { SearchSyntaxError } from './search/text-query.ts';
export type { Signal } from './signal.ts';
export type { SqlColumn, SqlOptions, SqlResult, SqlRow, SqlValue } from './sql/types.ts';
export type {
  ColdHealth,
  InsertResult,
  MetricsHealth,
  ServiceQuery,
  ServiceSummary,
  SignalHealth,
  Store,
  StoreHealth,
  Trace,
  TracePage,
  TraceQuery,
} from './store.ts';
export {
  type DurableExport,
  type DurableExporterOptions,
  type DurableExportStats,
  durableExporter,
} from './tails/durable-exporter.ts';
export type { FollowOptions, LogTail } from './tails/follow.ts';
export type { FrameContent, LogFrame } from './tails/follower.ts';
export type { LiveLogFilter } from './tails/live-logs.ts';
export type { LiveOptions, LiveTail } from './tails/live-tail.ts';
export type { LiveTraceFilter } from './tails/live-traces.ts';
export type { FrameHandler } from './tails/tail.ts';
export type { TailHealth, TailPosition } from './tails/tails.ts';
export type { TraceStore } from './trace-store.ts';
export type { ExportedFile, ExportFileOptions } from './transfer/export-file.ts';
export type { ImportedFile, ImportFileOptions } from './transfer/import-file.ts';
export type { VerifyOptions, VerifyProblem, VerifyProgress, VerifyReport } from './verify/verify.ts';
