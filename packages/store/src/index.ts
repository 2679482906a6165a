/**
 * A trace store that lives in the process: a directory with a log and an index, durable, read by any process.
 *
 * @module @tracewell/store
 */

export type {
  ComparedPlace,
  ComparedTrace,
  PlaceFigures,
  TraceComparison,
} from './analysis/compare-traces.ts';
export type { CriticalPath, CriticalSpan, CriticalStep } from './analysis/critical-path.ts';
export type { TracePattern } from './analysis/patterns.ts';
export type { Comment, NewComment } from './comments/comment.ts';
export { openStore, type StoreOptions, type TraceStore } from './engine.ts';
export { type BatchStore, storeExporter } from './exporter.ts';
export type { Durability, LogHealth, LogOptions, WriterHealth } from './log/types.ts';
export type {
  InsertResult,
  ServiceQuery,
  ServiceSummary,
  Store,
  StoreHealth,
  Trace,
  TracePage,
  TraceQuery,
} from './store.ts';
export type { FollowOptions, LogTail } from './tails/follow.ts';
export type { FrameContent, LogFrame } from './tails/follower.ts';
export type { FrameHandler } from './tails/tail.ts';
export type { TailHealth, TailPosition } from './tails/tails.ts';
