import type { Tracing } from '@tracewell/sdk';
import type { TraceStore } from '@tracewell/store';

/** A process that is being traced. */
export interface TracewellNode extends AsyncDisposable {
  /** The host: flush, statistics, and the plugin to record spans of your own on. */
  readonly tracing: Tracing;
  /** The store, if spans are kept in one and it is open. */
  readonly store: TraceStore | undefined;
  /** What is instrumented: `http`, `fetch`, and the short names of published instrumentations (`pg`). */
  readonly instrumented: readonly string[];
  /** What could not be set up, in a sentence each. */
  readonly warnings: readonly string[];
  /**
   * Stops instrumenting, delivers what is recorded, and closes the store. Idempotent.
   *
   * @throws `FlushError` (`TW_FLUSH_FAILED`) or `TracewellError` (`TW_SHUTDOWN_TIMEOUT`), as a
   * rejection, if not everything could be delivered; the store is closed all the same
   */
  shutdown(): Promise<void>;
  /** {@link TracewellNode.shutdown}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A process that is being traced, and when its store is open. */
export interface Started {
  readonly node: TracewellNode;
  /** Rejects if the store cannot be opened; spans then go to the other exporters only. */
  readonly opened: Promise<void>;
}
