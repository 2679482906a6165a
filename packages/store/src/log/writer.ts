/**
 * Appends to one writer's log.
 *
 * **Group commit.** Appends queue up. Whatever waits when the disk is free becomes one group: one write, one
 * `fdatasync`, one index pass, then every promise of it resolves. While a group is at the disk, the next one
 * gathers; and as soon as a group is durable the next is sent off, before the first is indexed, so that the
 * disk and this thread work at the same time. At most one group is at the disk.
 *
 * **Growing files.** A file that was filled with zeros ahead takes a group at 1.4 to 2 times the speed, because
 * its syncs need no journal entry of the file system. But under sustained load the zeros have to be written
 * too, and then the growing file wins: 1.0M, 3.8M and 4.4M spans/s with 1, 8 and 64 appends in flight beside
 * 0.8M, 2.3M and 1.4M (requests of 167 KB with 512 spans, no index, the best of three runs). It is also the
 * simpler one, and a program that records little takes little room. O_DSYNC instead of a sync made no
 * difference.
 *
 * **What can fail, and what then.**
 * - A write for want of space: the file is cut back to where the group started, its appends reject with
 *   `TW_LOG_NO_SPACE`, and the next group tries again at the same place. No reader can have seen the group:
 *   its end was not written.
 * - The next segment cannot be made: writing goes on in the present one, beyond its size. If it is the first
 *   one, its appends reject with `TW_LOG_NO_SPACE` or `TW_LOG_WRITE_FAILED`, and the next group tries again.
 * - Any other write error, and any sync that fails: what of it is on the disk is unknown, and the operating
 *   system may have forgotten that it is not. The group and all that waits reject with `TW_LOG_REFUSED`, and
 *   so does every append until the log is reopened, which reads back what there is and writes it again.
 * - The file has no name any more, because somebody removed the directory: the system goes on writing to it all
 *   the same, and nobody would ever find it again. So the name is looked at once a group (5 us), after the sync
 *   and before anything is acknowledged. What was not acknowledged is handed over to go on elsewhere.
 *
 * **At process exit** (`appendSync`) a thread may still be writing a group. Nobody can wait for it, so the
 * same bytes are written again at the same place, and everything else behind them.
 */
import { type ErrorCode, TracewellError } from '@tracewell/plugin';
import { type FileSystem, isNoSpace, writeAll, writeAllSync } from '../fs/file-system.ts';
import { isKnownKind, MAX_PAYLOAD_BYTES } from './frame.ts';
import { encodeGroup, type Group, PendingFrame, type Placement, takeGroup } from './group.ts';
import { type ActiveSegment, NextSegment } from './next-segment.ts';
import type { LogReader } from './reader.ts';
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './segment-header.ts';
import { type Durability, FrameKind } from './types.ts';

/** What {@link LogWriter} needs to know. */
export interface WriterOptions {
  readonly durability: Durability;
  readonly syncIntervalMs: number;
  readonly segmentBytes: number;
  readonly maxPendingBytes: number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** A segment of ours was sealed and everything in it has been handed to the indexer. */
  readonly onSealed: () => Promise<void>;
  /** The log was removed from outside. Takes the appends that were not acknowledged; `sync`: at process exit. */
  readonly onRemoved: (frames: readonly PendingFrame<unknown>[], sync: boolean) => void;
}

/** After a segment could not be made, the next try is this many bytes later. */
const ROLL_RETRY_BYTES = 1024 * 1024;

/**
 * How full a segment is, of `segmentBytes`, that is sealed when the log is closed. Scanning a full one takes a
 * tenth of a second; below this part, programs that start and end often would leave many small ones.
 */
const SEAL_AT_CLOSE = 1 / 4;

/** Appends to one log. There is one for each, under the lock of the log. */
export class LogWriter<Prepared> {
  /** Why writes are refused, if they are. */
  writeError: Error | undefined;
  /** Whether the log was removed from outside: nothing can be appended to it any more. */
  removed = false;
  pendingBytes = 0;
  refusedAppends = 0;

  readonly #fs: FileSystem;
  readonly #reader: LogReader<Prepared>;
  readonly #options: WriterOptions;
  readonly #queue: PendingFrame<Prepared>[] = [];
  readonly #background = new Set<Promise<void>>();
  #waiters: { after: number; resolve: () => void }[] = [];
  #status: 'open' | 'closing' | 'closed' = 'open';
  #running = false;
  #group: Group<Prepared> | undefined;
  #active: ActiveSegment | undefined;
  readonly #next: NextSegment;
  #nextSequence: number;
  /** The highest sequence number that is written; what is above the durable one waits for a sync. */
  #written: number;
  #durable: number;
  #rollAt: number;
  #appended = 0;
  #settled = 0;
  #syncing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #abandoned = false;

  /**
   * @param reader - has read the log to its end and stays with the writer
   * @param appendable - whether the last segment may be appended to
   */
  constructor(fs: FileSystem, reader: LogReader<Prepared>, appendable: boolean, options: WriterOptions) {
    this.#fs = fs;
    this.#reader = reader;
    this.#options = options;
    this.#nextSequence = reader.nextSequence;
    this.#written = this.#durable = reader.nextSequence - 1;
    this.#rollAt = options.segmentBytes;
    const last = reader.current;
    const { directory, writer: name } = reader;
    this.#next = new NextSegment(fs, directory, name, (last?.number ?? 0) + 1, options.randomBytes);
    if (last !== undefined && appendable) {
      const { idHalves: id, number, firstSequence, writer } = last;
      const header = { id, number, firstSequence, writer };
      this.#active = { file: fs.openSync(last.path, 'write'), path: last.path, header, end: last.bytes };
    }
    reader.limitTo({ segment: last?.number ?? 0, bytes: last?.bytes ?? 0 });
    if (options.durability === 'interval') {
      this.#timer = setInterval(() => this.#syncOnTimer(), options.syncIntervalMs);
      this.#timer.unref();
    }
  }

  /** See {@link Log.append}. */
  append(kind: FrameKind, payload: Uint8Array, prepared: Prepared | undefined): Promise<void> {
    const refusal = this.#refusal(kind, payload, this.#options.maxPendingBytes);
    if (refusal !== undefined) return Promise.reject(refusal);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#enqueue(new PendingFrame(kind, payload, prepared, resolve, reject));
    this.#start();
    return promise;
  }

  /** See {@link Log.appendSync}. */
  appendSync(kind: FrameKind, payload: Uint8Array, prepared: Prepared | undefined): void {
    const refusal = this.#refusal(kind, payload, Number.POSITIVE_INFINITY);
    if (refusal !== undefined) throw refusal;
    let failure: Error | undefined;
    const reject = (error: Error): void => {
      failure = error;
    };
    const frame = new PendingFrame(kind, payload, prepared, () => {}, reject);
    this.#enqueue(frame);
    this.#commitAllSync();
    if (failure !== undefined) throw failure;
  }

  /** Appends what a writer could not whose log was removed. */
  adopt(frames: readonly PendingFrame<Prepared>[], sync: boolean): void {
    for (const frame of frames) this.#enqueue(frame);
    if (sync) this.#commitAllSync();
    else this.#start();
  }

  /** Says that somebody else has found the log removed. */
  abandon(): void {
    this.#abandoned = true;
  }

  /** See {@link Log.flush}. */
  async flush(): Promise<void> {
    await this.#drained();
    await this.#syncTo(this.#written);
    if (this.writeError !== undefined) throw this.writeError;
  }

  /**
   * Ends the present segment, if it has frames: a mark begins the next one.
   *
   * @throws {@link TracewellError} as {@link append}
   */
  async seal(): Promise<void> {
    await this.#drained();
    const { current } = this.#reader;
    if (current === undefined || !(current.hasFrames || current.sealed) || this.#status !== 'open') return;
    if (this.writeError !== undefined) throw this.writeError;
    this.#rollAt = 0;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#enqueue(new PendingFrame<Prepared>(FrameKind.MARK, new Uint8Array(0), undefined, resolve, reject));
    this.#start();
    await promise;
  }

  /** Hands the indexer what it did not take at first. */
  applyAgain(): void {
    for (const _ of this.#reader.advance());
  }

  /** Writes what waits, says that everything is durable, and closes the files. Idempotent. */
  async close(): Promise<void> {
    if (this.#status !== 'open') return;
    this.#status = 'closing';
    clearInterval(this.#timer);
    await this.#drained();
    // A failure stays in `writeError`, and what follows does nothing then.
    await this.#syncTo(this.#written).catch(() => {});
    const unsynced = this.#durable < this.#written;
    if (this.#appended > 0 && this.writeError === undefined) await this.#mark();
    this.#sealIfLarge();
    await Promise.all(this.#background);
    this.#status = 'closed';
    this.#next.discard();
    this.#active?.file.closeSync();
    if (unsynced && this.writeError !== undefined) throw this.writeError;
  }

  #refusal(kind: FrameKind, payload: Uint8Array, maxPendingBytes: number): Error | undefined {
    if (!isKnownKind(kind) || kind >= FrameKind.MARK) return new RangeError(`unknown frame kind ${kind}`);
    if (payload.length > MAX_PAYLOAD_BYTES) {
      return new RangeError(
        `payload must have at most ${MAX_PAYLOAD_BYTES} bytes, got ${payload.length}; split it`,
      );
    }
    if (this.#status !== 'open') {
      return new TracewellError('TW_LOG_CLOSED', 'the log is closed; open it again to append');
    }
    if (this.writeError !== undefined) {
      this.refusedAppends++;
      return this.writeError;
    }
    if (this.pendingBytes > 0 && this.pendingBytes + payload.length > maxPendingBytes) {
      this.refusedAppends++;
      return new TracewellError(
        'TW_LOG_BUSY',
        `${this.pendingBytes} bytes wait to be written, the bound is ${maxPendingBytes}; try again later`,
      );
    }
    return undefined;
  }

  #enqueue(frame: PendingFrame<Prepared>): void {
    this.#queue.push(frame);
    this.pendingBytes += frame.payload.length;
    this.#appended++;
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    // Whatever else is appended before this turn of the event loop ends goes with it.
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    let sent = this.#sendNext();
    while (sent !== undefined) {
      const { group, outcome } = sent;
      const failure = await outcome;
      if (group.settled) {
        sent = this.#sendNext();
        continue;
      }
      // Off to the disk with the next group before this thread indexes the one that is back from there.
      const next = failure === undefined ? this.#sendNext() : undefined;
      this.#settle(group, failure);
      sent = next ?? this.#sendNext();
    }
    this.#running = false;
  }

  #sendNext(): { group: Group<Prepared>; outcome: Promise<Failure | undefined> } | undefined {
    if (this.#queue.length === 0 || this.writeError !== undefined) return undefined;
    const group = takeGroup(this.#queue);
    this.#group = group;
    return { group, outcome: this.#commit(group) };
  }

  /** Takes a group to the disk. Does not touch the log's state any more once the group is settled. */
  async #commit(group: Group<Prepared>): Promise<Failure | undefined> {
    // No `await` where it is not needed: the write must be on its way before the caller goes on.
    if (!this.#fits(group)) {
      const failure = await this.#roll();
      if (failure !== undefined || group.settled) return failure;
      if (this.#next.isMade) this.#goOnInNext();
    }
    const { file } = this.#active!;
    const { position, pieces } = this.#place(group);
    try {
      await writeAll(file, pieces, position);
    } catch (error) {
      return { step: 'write', error };
    }
    if (this.#options.durability === 'commit') {
      try {
        await file.sync();
      } catch (error) {
        return { step: 'sync', error };
      }
    }
    if (group.settled) return undefined;
    if (this.#isRemoved()) return { step: 'removed', error: undefined };
    this.#committed(group, this.#options.durability === 'commit');
    return undefined;
  }

  #commitAllSync(): void {
    const groups: Group<Prepared>[] = [];
    if (this.#group !== undefined && !this.#group.settled) groups.push(this.#group);
    while (this.#queue.length > 0) groups.push(takeGroup(this.#queue));
    for (const group of groups) this.#commitSync(group);
  }

  #commitSync(group: Group<Prepared>): void {
    if (this.writeError !== undefined) {
      this.#settle(group, { step: 'refused', error: this.writeError }, true);
      return;
    }
    let step: Failure['step'] = 'create';
    try {
      if (this.#active === undefined) this.#beginFirstSync();
      step = 'write';
      const { file } = this.#active!;
      const { position, pieces } = group.placed ?? this.#place(group);
      if (!group.written) writeAllSync(file, pieces, position);
      step = 'sync';
      file.syncSync();
    } catch (error) {
      // If a thread still writes this very group, it must not be cut off under that thread's hands.
      this.#settle(group, { step: group === this.#group ? 'sync' : step, error }, true);
      return;
    }
    if (this.#isRemoved()) {
      this.#settle(group, { step: 'removed', error: undefined }, true);
      return;
    }
    this.#committed(group, true);
    this.#settle(group, undefined);
  }

  /** Fixes where a group goes and encodes it. */
  #place(group: Group<Prepared>): Placement {
    const { header: segment, end: position } = this.#active!;
    const firstSequence = this.#nextSequence;
    const segmentHeader = position === 0 ? encodeSegmentHeader(segment) : undefined;
    const pieces = encodeGroup(group.frames, segment.id, firstSequence, this.#durable, segmentHeader);
    group.placed = { segment, position, firstSequence, pieces };
    return group.placed;
  }

  #committed(group: Group<Prepared>, synced: boolean): void {
    if (!group.written) {
      group.written = true;
      const active = this.#active!;
      active.end = Math.max(active.end, SEGMENT_HEADER_BYTES) + group.bytes;
      this.#nextSequence += group.frames.length;
      this.#written = this.#nextSequence - 1;
    }
    if (synced) this.#durable = this.#written;
  }

  /** Tells everybody who waits for a group what became of it. */
  #settle(group: Group<Prepared>, failure: Failure | undefined, sync = false): void {
    group.settled = true;
    if (this.#group === group) this.#group = undefined;
    for (const { payload } of group.frames) this.pendingBytes -= payload.length;
    this.#settled += group.frames.length;
    if (failure === undefined) {
      this.#apply(group);
    } else {
      this.#refuse(group, failure, sync);
    }
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter(({ after }) => after <= this.#settled);
    this.#waiters = this.#waiters.filter(({ after }) => after > this.#settled);
    for (const { resolve } of ready) resolve();
  }

  /** Hands a durable group to the indexer, then acknowledges what the indexer has taken. */
  #apply(group: Group<Prepared>): void {
    const { segment, position, firstSequence } = group.placed!;
    const start = Math.max(position, SEGMENT_HEADER_BYTES);
    const reader = this.#reader;
    reader.limitTo({ segment: segment.number, bytes: start + group.bytes });
    let failure: Error | undefined;
    try {
      if (position === 0) reader.beginOwn(segment);
      if (reader.isAt(segment.number, start)) reader.takeOwn(group.frames);
      else this.applyAgain();
    } catch (error) {
      failure = error as Error;
    }
    for (let i = 0; i < group.frames.length; i++) {
      const frame = group.frames[i]!;
      if (firstSequence + i < reader.nextSequence) frame.resolve();
      else frame.reject(failure ?? notReadBack(segment.number, firstSequence + i));
    }
    if (reader.hasUnsaved) this.#inBackground(this.#options.onSealed());
  }

  #refuse(group: Group<Prepared>, { step, error }: Failure, sync: boolean): void {
    if (step === 'removed' || this.removed || this.#isRemoved()) {
      this.#handOver(group, sync);
      return;
    }
    const { message } = error as Error;
    const { directory } = this.#reader;
    const rolledBack = step === 'create' || (step === 'write' && isNoSpace(error) && this.#rolledBack(group));
    if (!rolledBack) {
      this.#reject(group.frames, this.#fail(error));
      this.#reject(this.#takeQueue(), this.#fail(error));
    } else if (isNoSpace(error)) {
      const advice = `make room in ${directory} and try again`;
      this.#reject(
        group.frames,
        refused('TW_LOG_NO_SPACE', `nothing was appended: ${message}; ${advice}`, error),
      );
    } else {
      const text = `cannot make a segment in ${directory}: ${message}; nothing was appended, try again`;
      this.#reject(group.frames, refused('TW_LOG_WRITE_FAILED', text, error));
    }
  }

  /** Gives away what was not acknowledged, and takes nothing any more. */
  #handOver(group: Group<Prepared>, sync: boolean): void {
    this.removed = true;
    this.writeError ??= removedError(this.#reader.directory);
    this.#options.onRemoved([...group.frames, ...this.#takeQueue()], sync);
  }

  #takeQueue(): PendingFrame<Prepared>[] {
    this.#settled += this.#queue.length;
    for (const { payload } of this.#queue) this.pendingBytes -= payload.length;
    return this.#queue.splice(0);
  }

  /** Whether nobody could find any more what is written here. */
  #isRemoved(): boolean {
    if (this.#abandoned) return true;
    try {
      return this.#fs.statSync(this.#active?.path ?? this.#reader.directory) === undefined;
    } catch {
      // It may not be looked at; what is wrong will show elsewhere.
      return false;
    }
  }

  #reject(frames: readonly PendingFrame<Prepared>[], error: Error): void {
    this.refusedAppends += frames.length;
    for (const frame of frames) frame.reject(error);
  }

  /** Cuts off what was written of a group; `false` if even that fails. */
  #rolledBack(group: Group<Prepared>): boolean {
    try {
      this.#active!.file.truncateSync(group.placed!.position);
      return true;
    } catch {
      return false;
    }
  }

  /** From here on writes are refused. */
  #fail(cause: unknown): Error {
    this.writeError ??= refused(
      'TW_LOG_REFUSED',
      `writing to ${this.#reader.directory} failed: ${(cause as Error).message}; what the disk has of the last ` +
        'appends is unknown; check the disk and reopen the store',
      cause,
    );
    return this.writeError;
  }

  #drained(): Promise<void> {
    if (this.#settled >= this.#appended) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ after: this.#appended, resolve });
    return promise;
  }

  async #syncTo(sequence: number): Promise<void> {
    while (this.#durable < sequence && this.writeError === undefined) {
      this.#syncing ??= this.#sync().finally(() => {
        this.#syncing = undefined;
      });
      await this.#syncing;
    }
  }

  /** Syncs what is written in the present segment; those before it were synced when they ended. */
  async #sync(): Promise<void> {
    const written = this.#written;
    try {
      await this.#active!.file.sync();
      this.#durable = Math.max(this.#durable, written);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #syncOnTimer(): void {
    // A failure stays in `writeError` and meets the next append.
    this.#syncTo(this.#written).catch(() => {});
  }

  /**
   * Appends a frame that brings a durable mark for everything before it: then the damage of a single bit of
   * what was acknowledged is told from a torn tail, also in the last group.
   */
  async #mark(): Promise<void> {
    const frame = new PendingFrame<Prepared>(
      FrameKind.MARK,
      new Uint8Array(0),
      undefined,
      () => {},
      () => {},
    );
    const group = takeGroup([frame]);
    this.#settle(group, await this.#commit(group));
    await this.#syncTo(this.#written).catch(() => {});
  }

  /** At the end: the next opening loads the index of a large segment instead of reading its frames. */
  #sealIfLarge(): void {
    const active = this.#active;
    if (active === undefined || active.end < this.#options.segmentBytes * SEAL_AT_CLOSE) return;
    if (this.writeError !== undefined || this.#durable < this.#written) return;
    if (!this.#reader.isAt(active.header.number, active.end)) return;
    this.#reader.sealOwn();
    this.#inBackground(this.#options.onSealed());
  }

  #fits(group: Group<Prepared>): boolean {
    const active = this.#active;
    if (active === undefined) return false;
    return active.end <= SEGMENT_HEADER_BYTES || active.end + group.bytes <= this.#rollAt;
  }

  /** Makes the file of the next segment. If that fails and there is a present one, writing goes on there. */
  async #roll(): Promise<Failure | undefined> {
    try {
      await this.#syncTo(this.#written);
    } catch (error) {
      return { step: 'sync', error };
    }
    try {
      await this.#next.make();
    } catch (error) {
      if (this.#active === undefined) return { step: 'create', error };
      this.#rollAt = this.#active.end + ROLL_RETRY_BYTES;
    }
    return undefined;
  }

  #goOnInNext(): void {
    const old = this.#active;
    this.#active = this.#next.begin(this.#nextSequence);
    this.#rollAt = this.#options.segmentBytes;
    if (old !== undefined) this.#inBackground(this.#finish(old));
  }

  #beginFirstSync(): void {
    this.#next.makeSync();
    this.#goOnInNext();
  }

  /** Nobody appends to this segment any more. A sync by the timer may still be under way. */
  async #finish(old: ActiveSegment): Promise<void> {
    await this.#syncing?.catch(() => {});
    old.file.closeSync();
  }

  #inBackground(work: Promise<void>): void {
    const tracked = work.finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }
}

/** Where a group failed on its way to the disk, and why. */
interface Failure {
  readonly step: 'create' | 'write' | 'sync' | 'refused' | 'removed';
  readonly error: unknown;
}

/** For appends to a log whose directory was removed from outside. */
export function removedError(directory: string, cause?: unknown): TracewellError {
  const why = cause === undefined ? '' : ` and cannot be made again: ${(cause as Error).message}`;
  return new TracewellError(
    'TW_LOG_REMOVED',
    `${directory} was removed while it was open${why}; nothing was appended; put it back, or open another directory`,
    cause === undefined ? undefined : { cause },
  );
}

function refused(code: ErrorCode, message: string, cause: unknown): Error {
  return new TracewellError(code, message, { cause });
}

function notReadBack(segment: number, sequence: number): Error {
  return new TracewellError(
    'TW_LOG_APPLY_FAILED',
    `frame ${sequence} of segment ${segment} is durable but could not be read back; reopen the store to see it`,
  );
}
