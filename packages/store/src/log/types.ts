/**
 * The seam between the log and what indexes it.
 *
 * The log knows files, frames, commits, locks and recovery, and nothing of spans. It hands every whole frame,
 * its own and those of other writers, replayed and new, to one {@link LogIndexer}, in log order for each
 * writer. What the indexer keeps is derived: it can be thrown away and built again from the frames.
 *
 * ```
 * append(kind, payload) ── write ── sync ── indexer.addFrame ── resolved
 * another writer's file ── refresh() ────── indexer.addFrame
 * opening: a valid .idx ─────────────────── indexer.load, else indexer.addFrame for each frame
 * segment full ──────────────────────────── indexer.save, written beside the segment as .idx
 * ```
 */

/** What a frame's payload is. The number stands in the frame, so a number is never given a second meaning. */
export const FrameKind = {
  /** An OTLP `ExportTraceServiceRequest` in protobuf, as it came. */
  TRACES: 1,
  /** An OTLP `ExportLogsServiceRequest` in protobuf, as it came. */
  LOGS: 2,
  /** An OTLP `ExportMetricsServiceRequest` in protobuf, as it came. */
  METRICS: 3,
  /** A comment on a trace; see comments/comment.ts. */
  COMMENT: 4,
  /** Control: says how far the log was durable when its writer closed it. The log keeps it to itself. */
  MARK: 0xf0,
  /** Control: stands where damaged frames were until they were set aside. The log keeps it to itself. */
  VOID: 0xf1,
} as const;
/** One of the numbers of {@link FrameKind}. */
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

/** One file of a writer's log. The same object stands for it as long as the log is open, so it can be a key. */
export interface Segment {
  /** The writer's directory name: 16 hex digits. */
  readonly writer: string;
  /** Counts up within the writer's log, from 1. */
  readonly number: number;
  /** Random, 16 hex digits; no two segments share it. What names the same file across processes and time. */
  readonly id: string;
  /** Whether the file is complete: it never changes again. */
  readonly sealed: boolean;
  /** Bytes from the start of the file to the end of the last frame that the indexer has got. */
  readonly bytes: number;
  /**
   * Reads bytes back, normally the payload of a frame or a part of it, into memory of the caller's own.
   * Synchronous, because what is asked for is normally in the page cache, where the way through a thread
   * would cost ten times the read.
   *
   * @param offset - bytes from the start of the file, as in `addFrame`
   * @throws {@link TracewellError} (`TW_LOG_READ_FAILED`) if the file is gone or ends earlier
   */
  read(offset: number, length: number): Uint8Array;
  /**
   * As {@link Segment.read}, into memory that is there: fills all of `target`.
   *
   * @throws {@link TracewellError} (`TW_LOG_READ_FAILED`)
   */
  fill(target: Uint8Array, offset: number): void;
}

/**
 * What the log drives. Its calls come one at a time and never from within one another.
 *
 * `Prepared` is whatever a caller of {@link Log.append} worked out while it validated the payload, handed
 * back with the frame so that own frames need to be walked only once.
 */
export interface LogIndexer<Prepared = undefined> {
  /**
   * Takes one whole frame: durable and about to be acknowledged if it is our own, on the way to be if it is
   * another writer's.
   *
   * A frame that cannot be understood is the indexer's to count; it must not throw for it. If it throws all
   * the same (out of memory, say), the log offers the same frame again later, before any other frame of that
   * writer. It may therefore be called twice for a frame, and must then count it once.
   *
   * @param payloadOffset - where the payload starts in the file, for {@link Segment.read}
   * @param payload - valid only during the call: copy what you keep
   * @param sequence - counts up over all segments of a writer; frames that the log keeps to itself leave gaps
   * @param prepared - what `append` was given; absent for every frame that was read from a file
   */
  addFrame(
    segment: Segment,
    payloadOffset: number,
    payload: Uint8Array,
    kind: FrameKind,
    sequence: number,
    prepared?: Prepared,
  ): void;

  /**
   * Takes the index of a sealed segment instead of its frames. The bytes are those that `save` returned: the
   * log has checked that they are whole and belong to this very segment.
   *
   * @param bytes - the indexer's to keep, aligned to 8 bytes
   * @returns `false` (having kept nothing) if it cannot use them, for example because another version of the
   * indexer wrote them; the log then offers every frame
   */
  load(segment: Segment, bytes: Uint8Array): boolean;

  /**
   * Returns the index of a segment that was just sealed, for the `.idx` file. The segment's `sealed` is
   * already true and no frame will follow.
   *
   * @returns one or several pieces that are written one after the other, or `undefined` to keep no file
   */
  save(segment: Segment): Uint8Array | readonly Uint8Array[] | undefined;

  /** Forgets a segment: its file is gone, or it is about to be scanned from its start. */
  remove(segment: Segment): void;

  /**
   * Whether a segment whose file is gone was let go on purpose, because what was in it is elsewhere. Default: no,
   * somebody has removed it from outside.
   */
  isRetired?(segment: Segment): boolean;
}

/**
 * When an append is acknowledged, and so what a power cut costs. A crash of the process alone, however
 * violent, costs nothing that was acknowledged in any of the three.
 *
 * - `'commit'`: after the data is on the disk. Nothing acknowledged is ever lost. Appends that wait at the
 *   same time share one sync.
 * - `'interval'`: after the operating system has the data; synced every `syncIntervalMs`. A power cut costs
 *   at most what was acknowledged during the last interval and the sync that followed it.
 * - `'none'`: after the operating system has the data, which writes it when it sees fit. A power cut costs
 *   typically the last 30 seconds; when a segment is full it is synced.
 */
export type Durability = 'commit' | 'interval' | 'none';

/** How the log of a store is opened and kept. */
export interface LogOptions {
  /**
   * Whether to only read. A reader takes no lock, creates nothing and changes nothing, and every insert
   * rejects. Default `false`.
   */
  readonly readOnly?: boolean;
  /** When an append is acknowledged. Default `'commit'`. */
  readonly durability?: Durability;
  /** Milliseconds between syncs with `durability: 'interval'`, 1 to 60,000. Default 100. */
  readonly syncIntervalMs?: number;
  /**
   * Bytes at which a segment is sealed and the next one begun; 64 KiB to 1 GiB. One that is a quarter full is
   * also sealed when the store is closed, so that the next opening need not read it. Smaller ones are let go
   * sooner by compaction, larger ones mean fewer files. Default 64 MiB.
   */
  readonly segmentBytes?: number;
  /**
   * Bytes that may wait to be written or be on their way to the disk. Beyond it an insert rejects with
   * `TW_LOG_BUSY`. Default 64 MiB.
   */
  readonly maxPendingBytes?: number;
  /**
   * What to do about acknowledged data that is damaged. `'stop'` refuses to open and names the place.
   * `'salvage'` opens without the damaged frames, having copied them to files beside the segment. Default
   * `'stop'`.
   */
  readonly recovery?: 'stop' | 'salvage';
  /**
   * Whether to read and check every frame while opening, instead of trusting the index files of sealed
   * segments, which tell nothing of a bit that has flipped in the segment since. Costs what reading all of the
   * log costs. Default `false`.
   */
  readonly verify?: boolean;
  /**
   * How fast sealed segments are read again and checked in the background while the store is open, in bytes a
   * second; what is found is in `health()`. Each is looked at once a day, from ten seconds after opening on.
   * A process looks after its own log, and one of them after those of writers that have died. 0 switches it
   * off. Default 4 MiB, at most 1 GiB; at the default it takes about a thousandth of a processor.
   */
  readonly scrubBytesPerSecond?: number;
}

/** What is known about one writer's log. */
export interface WriterHealth {
  /** The directory name. */
  readonly writer: string;
  /** `own`: this log appends to it. `live`: somebody else does. `dead`: nobody does; the next writer takes it over. */
  readonly state: 'own' | 'live' | 'dead';
  readonly segments: number;
  /** Bytes of frames and headers that were read or written. */
  readonly bytes: number;
  /** The sequence number of the last frame that the indexer has got; 0 before the first. */
  readonly lastSequence: number;
  /**
   * Why this log is not followed, if so: damage or a newer format met while it was open, which ends it, or
   * what the operating system refuses, which is tried again.
   */
  readonly error?: Error;
}

/** A place in a segment where a frame is not what its writer wrote. */
export interface DamagedPlace {
  /** The segment's file. */
  readonly path: string;
  /** Bytes from the start of the file to the frame. */
  readonly offset: number;
}

/** What checking sealed segments in the background has done since opening. */
export interface ScrubHealth {
  /** Segments that were checked, again and again. */
  readonly segments: number;
  /** Bytes that were read for it. */
  readonly bytes: number;
  /**
   * The first damaged place of each segment that has one, at most 100. To go on without the damaged frames,
   * open with `verify: true` and `recovery: 'salvage'`, or restore the file from a copy.
   */
  readonly damaged: readonly DamagedPlace[];
  /** Why no more is checked, if something went wrong in doing so. */
  readonly error?: Error;
}

/** How the logs of a directory are. Counts are since opening, but for the files, which are what is there. */
export interface LogHealth {
  readonly status: 'open' | 'refusing-writes' | 'read-only' | 'closed';
  readonly segments: number;
  readonly bytes: number;
  /** Payload bytes waiting or in flight. */
  readonly pendingBytes: number;
  /** Appends that were not acknowledged: no space, too much waiting, failed writes and syncs. */
  readonly refusedAppends: number;
  /** Bytes of torn tails that were cut off when the log was opened; a copy of each is kept. */
  readonly tornBytes: number;
  /** Bytes of damaged frames that `recovery: 'salvage'` left out; a copy of each is kept. */
  readonly damagedBytes: number;
  /** Files beside the segments that hold what was cut or left out, as paths relative to the directory. */
  readonly setAside: readonly string[];
  /**
   * Logs that somebody removed from outside, whole or in part, while this one was open. What was in them is
   * gone from the answers too; appends go on in a new log.
   */
  readonly removedLogs: number;
  /** What checking sealed segments in the background has found. */
  readonly scrub: ScrubHealth;
  readonly writers: readonly WriterHealth[];
  /** Why the indexer did not take the next frame, if it did not. It is offered again with the next call. */
  readonly applyError?: Error;
  /** Why writes are refused, if they are. */
  readonly writeError?: Error;
  /** Why new writers could not be looked for the last time, if so. It is tried again with the next call. */
  readonly readError?: Error;
}

/**
 * The logs of all writers of a directory, one of them our own.
 *
 * @example
 * ```ts sketch
 * import { openLog } from './log.ts';
 * import { FrameKind } from './types.ts';
 *
 * const log = await openLog('.tracewell', {
 *   addFrame: (segment, offset, payload) => console.log(segment.number, offset, payload.length),
 *   load: () => false,
 *   save: () => undefined,
 *   remove: () => {},
 * });
 * await log.append(FrameKind.TRACES, new Uint8Array(100));
 * await log.close();
 * ```
 */
export interface Log<Prepared = undefined> {
  /** The name of our own writer directory; `undefined` if the log was opened to only read. */
  readonly writer: string | undefined;
  /** The segments of all writers that the indexer has got, in no particular order. */
  segments(): Iterable<Segment>;

  /**
   * Appends one frame. Resolves once it is as durable as the log's durability asks for and the indexer has
   * it. A rejection means unknown: the frame may still be found after reopening.
   *
   * @param payload - at most {@link MAX_PAYLOAD_BYTES}; must not change until the promise settles
   * @throws {@link TracewellError} as a rejection: `TW_LOG_BUSY`, `TW_LOG_NO_SPACE` or `TW_LOG_WRITE_FAILED`,
   * which may be tried again; `TW_LOG_REMOVED`, if the directory was removed and cannot be made again;
   * `TW_LOG_REFUSED`, which may be tried again after reopening; `TW_LOG_READ_ONLY`, `TW_LOG_CLOSED`; `TW_LOG_APPLY_FAILED`: it is durable, and will be seen once the indexer takes it
   * @throws RangeError, as a rejection, for a payload that is too large or an unknown kind
   */
  append(kind: FrameKind, payload: Uint8Array, prepared?: Prepared): Promise<void>;

  /**
   * Appends one frame and syncs it before it returns, together with every append that is still waiting or in
   * flight, whatever the durability. For a process that is about to exit; blocks for a disk write.
   *
   * @throws {@link TracewellError} as {@link Log.append}; there is no bound on what waits here
   */
  appendSync(kind: FrameKind, payload: Uint8Array, prepared?: Prepared): void;

  /**
   * Hands the indexer what other writers have appended since the last call. Everything that was acknowledged
   * before the call has been handed over when it resolves. Cheap when nothing is new: two system calls for
   * each other writer. Concurrent calls share one run.
   */
  refresh(): Promise<void>;

  /**
   * Waits until everything appended before the call is on the disk, whatever the durability.
   *
   * @throws {@link TracewellError} (`TW_LOG_REFUSED`), as a rejection, if a write or a sync has failed
   */
  flush(): Promise<void>;

  /**
   * Ends the segments that are appended to, so that all that was stored before the call lies in sealed ones: ours,
   * and those of writers that have died. A segment without frames is left as it is. What comes next goes into a
   * new segment, so a log never loses its last one and goes on counting.
   *
   * @param olderThanMs - only our own, and only if it began so many milliseconds ago
   * @throws {@link TracewellError} as {@link Log.append}
   */
  seal(olderThanMs?: number): Promise<void>;

  /** How the log is. Reads no file; may try the locks of other writers. */
  health(): LogHealth;

  /**
   * Writes what is waiting, syncs, and gives the writer's directory free. Idempotent.
   *
   * @throws {@link TracewellError} (`TW_LOG_REFUSED`), as a rejection, if something that was acknowledged could
   * not be synced, which `durability: 'commit'` excludes; the log is closed all the same
   */
  close(): Promise<void>;
}
