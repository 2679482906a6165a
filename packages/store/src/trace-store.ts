import type { LogData } from '@tracewell/otlp';
import type { SpanBatch, SpanData } from '@tracewell/plugin';
import type { CompactOptions, MaintainOptions } from './maintenance/calls.ts';
import type { CompactionResult } from './maintenance/compactor.ts';
import type { RetentionReport } from './maintenance/retention.ts';
import type { WalPosition } from './replication/replication-error.ts';
import type { InsertResult, Store } from './store.ts';
import type { FollowOptions, LogTail } from './tails/follow.ts';
import type { LiveLogFilter } from './tails/live-logs.ts';
import type { LiveOptions, LiveTail } from './tails/live-tail.ts';
import type { LiveTraceFilter } from './tails/live-traces.ts';
import type { FrameHandler } from './tails/tail.ts';
import type { ExportedFile, ExportFileOptions } from './transfer/export-file.ts';
import type { ImportedFile, ImportFileOptions } from './transfer/import-file.ts';
import type { VerifyOptions, VerifyReport } from './verify/verify.ts';

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

  /** The log records that come into the store from now on, as {@link TraceStore.tailTraces} gives spans. */
  tailLogs(filter?: LiveLogFilter, options?: LiveOptions): LiveTail<LogData>;

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
   * Checks everything that the directory holds: every checksum, every row, and what the parts say of each other.
   * Reads all of it and changes nothing.
   *
   * @throws TypeError naming an option that is none; the reason of `abortSignal`
   *
   * @example
   * ```ts
   * import { openStore } from '@tracewell/store';
   *
   * const store = await openStore('.tracewell');
   * const { ok, problems } = await store.verify();
   * for (const { path, message } of problems) console.error(path, message);
   * console.log(ok); // true
   * await store.close();
   * ```
   */
  verify(options?: VerifyOptions): Promise<VerifyReport>;

  /**
   * Moves everything that was stored before the call to the cold tier, unless a tail still needs it where it is, and
   * merges small files. It happens by itself too; see `maintenance` of the options. Waits while another process is
   * at it.
   *
   * @throws `TracewellError` `TW_COMPACTION_FAILED`, `TW_LOG_NO_SPACE` and others that say why: what was not moved
   * stays where it was, and is found as before
   *
   * @example
   * ```ts
   * import { openStore } from '@tracewell/store';
   *
   * const store = await openStore('.tracewell');
   * const { segments } = await store.compact({
   *   onProgress: ({ doneBytes, totalBytes }) => console.log(`${doneBytes} of ${totalBytes} bytes`),
   * });
   * console.log(segments); // 0
   * await store.close();
   * ```
   */
  compact(options?: CompactOptions): Promise<CompactionResult>;

  /**
   * Fetches a payload by its name: the contents of an attribute's value or log body above 8 KiB that is in the cold
   * tier. Queries bring such values with their rows, so this is for names that come from elsewhere: the column
   * `payloads` in SQL, or the attribute `tracewell.missing_payloads`. A text comes as UTF-8, bytes as they are, and
   * everything else as an `AnyValue` of OTLP in protobuf.
   *
   * @param name - the SHA-256 of the contents, 64 lower-case hex digits
   * @throws `TracewellError` (`TW_BLOB_MISSING`) if it is not there: no row has gone cold that names it, or
   * retention has dropped it; `TW_BLOB_DAMAGED` if it is not what its name says
   * @throws RangeError if it is no such name
   *
   * @example
   * ```ts
   * import { openStore } from '@tracewell/store';
   *
   * const store = await openStore('.tracewell');
   * const nothing = await store.getBlob('0'.repeat(64)).catch((error) => error.code);
   * console.log(nothing); // TW_BLOB_MISSING
   * await store.close();
   * ```
   */
  getBlob(name: string): Promise<Uint8Array>;

  /**
   * Drops what the cold tier is to keep no longer, whole partitions of an hour and payloads, and sets aside files that
   * cannot be read. It happens by itself too; see `maintenance` of the options.
   *
   * @example
   * ```ts
   * import { openStore } from '@tracewell/store';
   *
   * const week = 7 * 24 * 60 * 60 * 1000;
   * const store = await openStore('.tracewell', { maintenance: { retention: { spans: { maxAgeMs: week } } } });
   * const { dropped } = await store.maintain({ dryRun: true });
   * console.log(dropped); // []
   * await store.close();
   * ```
   */
  maintain(options?: MaintainOptions): Promise<RetentionReport>;

  /**
   * Forgets a tail and its position, so that it holds nothing back any more; stops it if it runs here. If
   * another process still runs it, it makes itself known again when it begins the next time.
   *
   * @returns whether there was one
   */
  removeTail(name: string): Promise<boolean>;

  /**
   * Takes a framed record of a leader's log, on a store that was opened with `standby: true`: validates it, writes it
   * at its place in a copy of that log, and resolves when it is on the disk. What is there already is ignored, so a
   * record may come twice. Queries find what is in it.
   *
   * @throws `ReplicationError`, as a rejection: `TW_REPLICATION_GAP` if it does not follow what is there, and
   * `TW_REPLICATION_DAMAGED`, both with the `position` to send from; `TW_REPLICATION_FENCED` if a leader of a
   * higher epoch has been seen, or this standby was promoted; `TW_REPLICATION_DIVERGED` if other bytes are there
   */
  applyFramedWal(record: Uint8Array): Promise<WalPosition>;

  /**
   * Where a standby's copy of a writer's log ends; `undefined` if it has none.
   *
   * @param epoch - of the leader that asks
   * @throws `ReplicationError` (`TW_REPLICATION_FENCED`), as a rejection, if that epoch is over
   */
  walPosition(writer: string, epoch: number): Promise<WalPosition | undefined>;

  /**
   * Makes a standby the next leader: raises the epoch, durably, so that the leader of before is refused from here on,
   * and takes no more records. Then close it and open the directory without `standby`.
   *
   * @returns the new epoch
   */
  promote(): Promise<number>;
}
