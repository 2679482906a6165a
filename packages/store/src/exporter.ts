import {
  type BatchExporter,
  ExportError,
  type ExportOptions,
  type SpanBatch,
  TracewellError,
} from '@tracewell/plugin';
import type { InsertResult } from './store.ts';
import type { TraceStore } from './trace-store.ts';

/** What {@link storeExporter} needs of a store. */
export type BatchStore = Pick<TraceStore, 'insertBatch' | 'insertBatchSync' | 'flush'>;

/**
 * A batch exporter that keeps spans in a store of this process. The bytes that the recorder encoded are the
 * bytes that are stored; `export` resolves when they are durable. At process exit `exportSync` writes and
 * syncs before it returns, so that `process.exit()` and an uncaught exception lose nothing.
 *
 * The store stays the caller's: shutting the exporter down does not close it.
 *
 * @example
 * ```ts
 * import { openStore, storeExporter } from '@tracewell/store';
 *
 * await using store = await openStore('.tracewell');
 * const exporter = storeExporter(store);
 * console.log(exporter.name); // store
 * ```
 */
export function storeExporter(store: BatchStore): BatchExporter {
  return {
    name: 'store',

    async export(batch: SpanBatch, options: ExportOptions = {}): Promise<void> {
      let result: InsertResult;
      try {
        result = await unlessAborted(store.insertBatch(batch), options.signal);
      } catch (error) {
        // Durable; queries see it as soon as the index takes it.
        if (codeOf(error) === 'TW_LOG_APPLY_FAILED') return;
        throw exportError(error);
      }
      throwIfRejected(result);
    },

    exportSync(batch: SpanBatch): void {
      let result: InsertResult;
      try {
        result = store.insertBatchSync(batch);
      } catch (error) {
        if (codeOf(error) === 'TW_LOG_APPLY_FAILED') return;
        throw exportError(error);
      }
      throwIfRejected(result);
    },

    flush: () => store.flush(),
  };
}

/** What goes away by itself: a full disk, too much at once, and whatever nobody has a name for. */
const NOT_RETRYABLE: ReadonlySet<string> = new Set([
  'TW_STORE_CLOSED',
  'TW_LOG_CLOSED',
  'TW_LOG_READ_ONLY',
  'TW_LOG_REFUSED',
  'TW_DECODE_INVALID',
  'TW_DECODE_TOO_DEEP',
  'TW_DECODE_TOO_LARGE',
]);

/** Stops waiting when the signal is aborted. The batch may be stored all the same; sent again it counts once. */
async function unlessAborted<Result>(
  inserting: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return inserting;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void =>
    aborted.reject(
      new ExportError('store: stopped waiting for the disk', { retryable: true, cause: signal.reason }),
    );
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([inserting, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function exportError(error: unknown): ExportError {
  if (error instanceof ExportError) return error;
  const retryable =
    !(error instanceof TypeError || error instanceof RangeError) && !NOT_RETRYABLE.has(codeOf(error) ?? '');
  const message = error instanceof Error ? error.message : String(error);
  return new ExportError(`store: ${message}`, { retryable, cause: error });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof TracewellError ? error.code : undefined;
}

function throwIfRejected({ rejected, reasons }: InsertResult): void {
  if (rejected === 0) return;
  throw new ExportError(`store: ${rejected} spans were left out: ${reasons.join(', ')}`, {
    retryable: false,
    rejectedSpans: rejected,
  });
}
