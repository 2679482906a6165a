/** Ended spans, encoded once and shared by every exporter of a plugin. */
export interface SpanBatch {
  /**
   * One OTLP `ExportTraceServiceRequest` in protobuf. Whoever gets a batch may keep these bytes for as long
   * as it likes and must not change them: other exporters hold the same.
   */
  readonly bytes: Uint8Array;
  /** How many spans `bytes` holds; at least 1. */
  readonly spanCount: number;
}

/** What {@link BatchExporter.export} gets beside the batch. */
export interface ExportOptions {
  /** Aborted when the caller no longer waits: at the export timeout, or at the deadline of a shutdown. */
  readonly signal?: AbortSignal;
}

/**
 * What consumes batches of ended spans: a collector, a store, a file, a test.
 *
 * **Who calls it.** `bufferedPlugin` of `@tracewell/sdk`, one batch at a time for each exporter, in the order
 * in which the spans ended. It queues, retries and counts; an exporter only delivers.
 *
 * @example
 * ```ts
 * import type { BatchExporter } from '@tracewell/plugin';
 *
 * const exporter: BatchExporter = {
 *   name: 'count',
 *   async export(batch) {
 *     console.log(`${batch.spanCount} spans, ${batch.bytes.length} bytes`);
 *   },
 * };
 * await exporter.export({ bytes: new Uint8Array(), spanCount: 1 });
 * ```
 */
export interface BatchExporter {
  /** Names the exporter in errors and statistics. */
  readonly name: string;

  /**
   * Delivers one batch. Resolved means delivered: nobody keeps the batch any more.
   *
   * @throws `ExportError` (`TW_EXPORT_FAILED`), as a rejection, to say whether and when a retry makes
   * sense, or that a part was refused. Any other rejection counts as retryable.
   */
  export(batch: SpanBatch, options?: ExportOptions): Promise<void>;

  /**
   * Delivers one batch before it returns, while the process exits. It may be given a batch of which an
   * earlier `export` is still in flight; delivering that twice is better than not at all.
   */
  exportSync?(batch: SpanBatch): void;

  /**
   * Whether `exportSync` takes much longer than `export` or can do less, so that it is the last resort: where
   * the end of a process leaves time for `export`, the host flushes first. Default `false`.
   */
  readonly exportSyncIsSlow?: boolean;

  /** Delivers what the exporter itself still buffers. */
  flush?(): Promise<void>;

  /** Flushes and releases what the exporter holds. Idempotent. */
  shutdown?(): Promise<void>;
}
