/**
 * Every code that a {@link TracewellError} can carry, with its meaning. `docs/errors.md` shows the same
 * table with what to do.
 */
export const ERROR_CODES = {
  TW_FLUSH_FAILED: 'A plugin could not deliver what it had buffered.',
  TW_EXPORT_FAILED: 'An exporter could not deliver a batch.',
  TW_EXPORT_TIMEOUT: 'An exporter did not settle within its export timeout.',
  TW_SHUTDOWN_TIMEOUT: 'Shutting down reached its deadline before everything was delivered.',
  TW_PLUGIN_FAILED: 'A plugin threw where the contract says that it never does.',
  TW_ENVIRONMENT_INVALID: 'An environment variable is malformed and was ignored.',
  TW_ALREADY_STARTED: 'This process is being traced already.',
  TW_DECODE_INVALID: 'Bytes or JSON that should be OTLP are not.',
  TW_DECODE_TOO_DEEP: 'An OTLP value is nested deeper than the limit.',
  TW_DECODE_TOO_LARGE: 'An OTLP message is larger than the limit.',
  TW_STORE_OPEN_FAILED: 'The directory of a store could not be made, read or written.',
  TW_STORE_CLOSED: 'The store is closed.',
  TW_TAIL_STOPPED: 'The tail was stopped.',
  TW_REPLICATION_UNAVAILABLE: 'Too few standbys have acknowledged an append.',
  TW_REPLICATION_GAP: 'A replicated record does not follow what the standby has.',
  TW_REPLICATION_DAMAGED: 'A replicated record, or the epoch of a directory, is damaged.',
  TW_REPLICATION_DIVERGED: 'The standby has other bytes than its leader.',
  TW_REPLICATION_BEHIND: 'The standby lacks what the leader has compacted away.',
  TW_REPLICATION_BUSY: 'Another process of the standby receives the same log.',
  TW_REPLICATION_FENCED: 'A leader was deposed: a later epoch has begun.',
  TW_REPLICATION_STANDBY: 'A store is a standby, or is none, where it must not be.',
  TW_SEARCH_SYNTAX: 'The text of a search is malformed.',
  TW_SEARCH_FAILED: 'The full-text index could not be used.',
  TW_LOG_BUSY: 'More bytes wait to be written to the log than its bound allows.',
  TW_LOG_NO_SPACE: 'The disk or the quota is full; nothing of the append is in the log.',
  TW_LOG_WRITE_FAILED: 'A segment of the log could not be made; nothing of the append is in the log.',
  TW_LOG_REFUSED: 'The log refuses writes since a write or a sync failed; it must be reopened.',
  TW_LOG_REMOVED: 'The directory of the log was removed while it was open, and cannot be made again.',
  TW_LOG_APPLY_FAILED: 'An append is durable, but the index could not take it yet.',
  TW_LOG_READ_FAILED: 'A part of the log could not be read.',
  TW_LOG_READ_ONLY: 'The log was opened to only read.',
  TW_LOG_CLOSED: 'The log is closed.',
  TW_LOG_DAMAGED: 'Acknowledged data in the log is damaged.',
  TW_LOG_SEGMENT_MISSING: 'A segment in the middle of a log is missing.',
  TW_LOG_FORMAT: 'The log was written by a newer version.',
  TW_LOG_LOCK_FAILED: 'A lock could not be made or taken.',
  TW_QUERY_OVERTAKEN: 'Compaction took away what a query read, again and again.',
  TW_META_FAILED: 'The metadata of a store (`meta.db`) could not be read or written.',
  TW_COLD_DAMAGED: 'A file of the cold tier is damaged or gone.',
  TW_COMPACTION_FAILED: 'Segments of the log could not be moved to the cold tier; they stay where they are.',
  TW_BLOB_MISSING: 'A large payload is not among the blobs of the store.',
  TW_BLOB_DAMAGED: 'A file among the blobs does not hold what its name says.',
  TW_TRANSFER_FAILED: 'A file could not be exported or imported.',
  TW_SQL_UNAVAILABLE: 'DuckDB, which SQL runs on, is not installed or cannot be started.',
  TW_SQL_REFUSED: 'A SQL statement is, or uses, something that is not allowed.',
  TW_SQL_INVALID: 'A SQL statement cannot be parsed, or does not fit the tables or the data.',
  TW_SQL_TIMEOUT: 'A SQL query did not end by its deadline and was stopped.',
  TW_SQL_MEMORY: 'A SQL query needs more memory than it may have.',
  TW_SQL_BUSY: 'Too many SQL queries wait already.',
  TW_SQL_FAILED: 'A SQL query failed for no fault of the statement.',
} as const;

/** One of the keys of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * An operating error of Tracewell. `code` is stable and meant for programs; `message` is for people and
 * ends in what to do next. Wrong arguments throw `TypeError` or `RangeError` instead.
 */
export class TracewellError extends Error {
  /** Stable; one of {@link ERROR_CODES}. */
  readonly code: ErrorCode;
  override readonly name: string = 'TracewellError';

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Why a flush did not deliver everything, and what became of it. Code `TW_FLUSH_FAILED`. */
export class FlushError extends TracewellError {
  override readonly name: string = 'FlushError';
  /** The plugin that failed. */
  readonly plugin: string;
  /** Spans that are kept and tried again at the next flush. */
  readonly retained: number;
  /** Spans that were dropped since the flush before this one. */
  readonly dropped: number;

  /** `details.atExit`: thrown by `flushSync`, so that there is no retry; it changes only the message. */
  constructor(
    plugin: string,
    details: { retained: number; dropped: number; message?: string; cause?: unknown; atExit?: boolean },
  ) {
    const { retained, dropped, message, cause, atExit = false } = details;
    const fate = atExit ? 'lost when the process ends now' : 'kept for a retry';
    const why = message ?? (cause === undefined ? 'unknown' : textOf(cause));
    super(
      'TW_FLUSH_FAILED',
      `${plugin}: flush failed: ${why}; ${retained} spans are ${fate}, ${dropped} were dropped`,
      cause === undefined ? undefined : { cause },
    );
    this.plugin = plugin;
    this.retained = retained;
    this.dropped = dropped;
  }
}

/** Why a batch was not delivered, and what a caller may do about it. */
export class ExportError extends TracewellError {
  override readonly name: string = 'ExportError';
  /** Whether the same batch may be accepted later. */
  readonly retryable: boolean;
  /** When to try again, in milliseconds from now, if the back end said so. */
  readonly retryAfterMs: number | undefined;
  /**
   * Spans of the batch that the back end refused for good, if it said so: then the others were delivered
   * and the batch must not be sent again. OTLP calls this a partial success.
   */
  readonly rejectedSpans: number | undefined;

  constructor(
    message: string,
    options: {
      retryable: boolean;
      retryAfterMs?: number;
      rejectedSpans?: number;
      cause?: unknown;
      code?: 'TW_EXPORT_FAILED' | 'TW_EXPORT_TIMEOUT';
    },
  ) {
    super(
      options.code ?? 'TW_EXPORT_FAILED',
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.rejectedSpans = options.rejectedSpans;
  }
}

/** A cause in words. Anything can be thrown, also what throws again when it is looked at. */
function textOf(cause: unknown): string {
  try {
    return cause instanceof Error ? cause.message : String(cause);
  } catch {
    return 'something that cannot be shown';
  }
}
