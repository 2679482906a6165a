/**
 * Opens the logs of a directory: ours, which is appended to, and those of all other writers, which are
 * followed.
 *
 * Opening to write takes a log over whose writer has died, if there is one, before it makes a new one, so that
 * a directory has no more logs than it ever had writers at a time. Who lives and who has died is told by a
 * lock that dies with its holder (fs/sqlite-lock.ts).
 *
 * If the directory is removed while it is open, as everybody does between two tries of a program, the lock went
 * with it, so that nobody's log may be reused: the next append begins a log of a new name under a new lock, in
 * the directory made again. Queries forget what is gone and make nothing.
 */
import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { TracewellError } from '@tracewell/plugin';
import { makeDirectories, makeStoreDirectory } from '../fs/directories.ts';
import type { FileLock, FileSystem } from '../fs/file-system.ts';
import { nodeFileSystem } from '../fs/node-file-system.ts';
import { DirectoryNames } from './directory-names.ts';
import type { PendingFrame } from './group.ts';
import { writeIndexFile } from './index-file.ts';
import { indexPath, isSetAside, isTemporary, isWriterName, lockPath, logDirectory } from './names.ts';
import { type LogSettings, settingsOf } from './options.ts';
import { LogReader } from './reader.ts';
import { recoverLog, repairGaps } from './recovery.ts';
import type { Behind } from './scan.ts';
import { Scrubber, waitUnref } from './scrubber.ts';
import { type LogSegment, ReadFiles } from './segment.ts';
import type { FrameKind, Log, LogHealth, LogIndexer, LogOptions, Segment, WriterHealth } from './types.ts';
import { LogWriter, removedError } from './writer.ts';

/** What the log takes from the world around it. */
export interface LogEnvironment {
  readonly fileSystem: FileSystem;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Random bytes for the names of writers and the ids of segments. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** What paces the scrubber. Resolves after so many milliseconds; rejects once the signal is aborted. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

const SYSTEM: LogEnvironment = { fileSystem: nodeFileSystem, now: Date.now, randomBytes, wait: waitUnref };

/** How often a log is listed again when a file is gone that was there. */
const MAX_ATTEMPTS = 5;

/** How many logs are begun one after the other that are removed before they have taken anything. */
const MAX_EMPTY_LOGS = 5;

/**
 * Opens the logs of a directory and hands every frame in them to the indexer.
 *
 * @param directory - created if it is not there, unless the log is opened to only read
 * @throws {@link TracewellError} `TW_LOG_DAMAGED` or `TW_LOG_SEGMENT_MISSING` with the place, unless
 * `recovery` is `'salvage'`; `TW_LOG_FORMAT` for a newer format; `TW_LOG_LOCK_FAILED`; `TW_LOG_APPLY_FAILED`
 * @throws TypeError, RangeError for an option that is none or outside its range
 */
export async function openLog<Prepared = undefined>(
  directory: string,
  indexer: LogIndexer<Prepared>,
  options: LogOptions = {},
  environment: LogEnvironment = SYSTEM,
): Promise<Log<Prepared>> {
  const log = new DirectoryLog(resolve(directory), indexer, settingsOf(options), environment);
  try {
    await log.open();
  } catch (error) {
    await log.close();
    throw error;
  }
  return log;
}

class DirectoryLog<Prepared> implements Log<Prepared> {
  readonly #fs: FileSystem;
  readonly #now: () => number;
  readonly #randomBytes: (count: number) => Uint8Array;
  readonly #directory: string;
  readonly #logDirectory: string;
  readonly #indexer: LogIndexer<Prepared>;
  readonly #settings: LogSettings;
  readonly #files: ReadFiles;
  readonly #scrubber: Scrubber;
  readonly #readers = new Map<string, LogReader<Prepared>>();
  readonly #background = new Set<Promise<void>>();
  #own: LogReader<Prepared> | undefined;
  #writer: LogWriter<Prepared> | undefined;
  #lock: FileLock | undefined;
  #closed: Promise<void> | undefined;
  #tornBytes = 0;
  readonly #removedLogs = new Set<string>();
  #emptyLogs = 0;
  /** Of writers before the present one, and what could not be given to any. */
  #refusedAppends = 0;
  readonly #writerNames: DirectoryNames;
  /** Why a log is not followed: damage, or what the system refused the last time. */
  readonly #stopped = new Map<LogReader<Prepared>, Error>();
  #readError: Error | undefined;
  #refreshing: Promise<void> | undefined;
  #refreshNext: Promise<void> | undefined;

  constructor(
    directory: string,
    indexer: LogIndexer<Prepared>,
    settings: LogSettings,
    { fileSystem, now, randomBytes, wait }: LogEnvironment,
  ) {
    this.#fs = fileSystem;
    this.#now = now;
    this.#randomBytes = randomBytes;
    this.#directory = directory;
    this.#logDirectory = logDirectory(directory);
    this.#writerNames = new DirectoryNames(fileSystem, this.#logDirectory, now);
    this.#indexer = indexer;
    this.#settings = settings;
    this.#files = new ReadFiles(fileSystem);
    this.#scrubber = new Scrubber({
      fs: fileSystem,
      bytesPerSecond: settings.scrubBytesPerSecond,
      segments: () => this.#ownToScrub(),
      now,
      wait,
    });
  }

  get writer(): string | undefined {
    return this.#own?.writer;
  }

  async open(): Promise<void> {
    if (!this.#settings.readOnly) {
      makeDirectories(this.#fs, dirname(this.#directory));
      makeStoreDirectory(this.#fs, this.#directory);
      makeDirectories(this.#fs, this.#logDirectory);
      this.#claim();
    } else {
      // A file in its place would look like an empty directory further down.
      this.#fs.listSync(this.#directory);
    }
    this.#listWriters();
    let appendable = false;
    for (const reader of this.#readers.values()) {
      const tail = await this.#readAll(reader);
      if (reader === this.#own) {
        const recovered = recoverLog(this.#fs, reader, tail, this.#randomBytes);
        this.#tornBytes += recovered.tornBytes;
        appendable = recovered.appendable;
      } else {
        this.#repairOther(reader);
      }
    }
    if (this.#own === undefined) return;
    this.#writer = this.#newWriter(this.#own, appendable);
    for (const reader of this.#readers.values()) this.#inBackground(this.#saveIndexes(reader));
    if (this.#settings.scrubBytesPerSecond > 0) this.#scrubber.start();
  }

  /**
   * Our own segments. The one of the living writers whose name comes first also takes those of the dead, so
   * that every segment is looked after by one process.
   */
  #ownToScrub(): LogSegment[] {
    const own = this.#own;
    if (own === undefined) return [];
    const others = [...this.#readers.values()].filter((reader) => reader !== own);
    const dead = others.filter((reader) => !this.#fs.isLocked(lockPath(reader.directory)));
    const isFirst = others.every((reader) => dead.includes(reader) || reader.writer > own.writer);
    return [own, ...(isFirst ? dead : [])].flatMap((reader) => reader.segments);
  }

  *segments(): Iterable<Segment> {
    for (const reader of this.#readers.values()) yield* reader.segments;
  }

  async append(kind: FrameKind, payload: Uint8Array, prepared?: Prepared): Promise<void> {
    await this.#appendable().append(kind, payload, prepared);
  }

  appendSync(kind: FrameKind, payload: Uint8Array, prepared?: Prepared): void {
    this.#appendable().appendSync(kind, payload, prepared);
  }

  refresh(): Promise<void> {
    if (this.#refreshing === undefined) {
      this.#refreshing = this.#refresh().finally(() => {
        this.#refreshing = undefined;
      });
      return this.#refreshing;
    }
    // The run under way may already have passed what the caller asks for.
    this.#refreshNext ??= this.#refreshing.then(() => {
      this.#refreshNext = undefined;
      return this.refresh();
    });
    return this.#refreshNext;
  }

  async flush(): Promise<void> {
    for (;;) {
      const writer = this.#writer;
      try {
        return await writer?.flush();
      } catch (error) {
        // What a removed log did not take went on to another.
        if (writer === this.#writer) throw error;
      }
    }
  }

  async seal(olderThanMs?: number): Promise<void> {
    if (olderThanMs !== undefined) {
      const begunMs = this.#own?.current?.metMs ?? Number.POSITIVE_INFINITY;
      if (this.#now() - begunMs >= olderThanMs) await this.#writer?.seal();
      return;
    }
    await this.#writer?.seal();
    await this.refresh();
    for (const reader of this.#readers.values()) if (reader !== this.#own) await this.#sealDead(reader);
  }

  /** Ends the last segment of a log whose writer has died, under its lock. */
  async #sealDead(reader: LogReader<Prepared>): Promise<void> {
    const { current } = reader;
    if (this.#settings.readOnly || this.#stopped.has(reader) || current === undefined) return;
    if (!current.hasFrames && !current.sealed) return;
    const lock = this.#fs.tryLock(lockPath(reader.directory));
    if (lock === undefined) return;
    try {
      const tail = await this.#readAll(reader);
      const { tornBytes, appendable } = recoverLog(this.#fs, reader, tail, this.#randomBytes);
      this.#tornBytes += tornBytes;
      const writer = this.#newWriter(reader, appendable);
      try {
        await writer.seal();
      } finally {
        await writer.close();
      }
    } finally {
      // From here on somebody else may append.
      reader.limitTo(undefined);
      lock.release();
    }
  }

  health(): LogHealth {
    const readers = [...this.#readers.values()];
    const writers = readers.map((reader) => this.#writerHealth(reader));
    const { writeError, pendingBytes = 0, refusedAppends = 0 } = this.#writer ?? {};
    const applyError = readers.find((reader) => reader.applyError)?.applyError;
    return {
      status: this.#status(),
      segments: writers.reduce((sum, writer) => sum + writer.segments, 0),
      bytes: writers.reduce((sum, writer) => sum + writer.bytes, 0),
      pendingBytes,
      refusedAppends: this.#refusedAppends + refusedAppends,
      tornBytes: this.#tornBytes,
      damagedBytes: readers.reduce((sum, { damagedBytes }) => sum + damagedBytes, 0),
      setAside: readers.flatMap((reader) => this.#setAside(reader)),
      removedLogs: this.#removedLogs.size,
      scrub: this.#scrubber.health(),
      writers,
      ...(applyError && { applyError }),
      ...(writeError && { writeError }),
      ...(this.#readError && { readError: this.#readError }),
    };
  }

  #setAside(reader: LogReader<Prepared>): string[] {
    let names: string[];
    try {
      names = this.#fs.listSync(reader.directory);
    } catch {
      // The next refresh meets it too, and tells.
      return [];
    }
    return names.filter(isSetAside).map((name) => join('log', reader.writer, name));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    try {
      await this.#scrubber.stop();
      await this.#writer?.close();
      await this.#refreshing;
      await Promise.all(this.#background);
    } finally {
      this.#files.closeAll();
      this.#lock?.release();
    }
  }

  #status(): LogHealth['status'] {
    if (this.#closed !== undefined) return 'closed';
    if (this.#settings.readOnly) return 'read-only';
    return this.#writer?.writeError === undefined ? 'open' : 'refusing-writes';
  }

  #writerHealth(reader: LogReader<Prepared>): WriterHealth {
    const error = this.#stopped.get(reader);
    const locked = reader !== this.#own && this.#fs.isLocked(lockPath(reader.directory));
    return {
      writer: reader.writer,
      state: reader === this.#own ? 'own' : locked ? 'live' : 'dead',
      segments: reader.segments.length,
      bytes: reader.segments.reduce((sum, segment) => sum + segment.bytes, 0),
      lastSequence: reader.nextSequence - 1,
      ...(error && { error }),
    };
  }

  #appendable(): LogWriter<Prepared> {
    if (this.#writer?.removed) this.#beginAnew();
    if (this.#writer !== undefined) return this.#writer;
    throw new TracewellError(
      'TW_LOG_READ_ONLY',
      `${this.#directory} was opened to only read; open it without readOnly to append`,
    );
  }

  /** Takes over the log of a writer that has died, or makes a new one. */
  #claim(): void {
    for (const name of this.#fs.listSync(this.#logDirectory)) {
      try {
        if (isWriterName(name) && this.#tryClaim(name)) return;
      } catch (error) {
        // It belongs to another user, perhaps; then it is for that one to take it over.
        if ((error as { code?: string }).code !== 'TW_LOG_LOCK_FAILED') throw error;
      }
    }
    this.#claimNew();
  }

  #claimNew(): void {
    for (;;) {
      const name = this.#randomName(8);
      this.#fs.makeDirectorySync(join(this.#logDirectory, name));
      this.#fs.syncDirectorySync(this.#logDirectory);
      // Another process that looks for a log to take over may be quicker. Then it is that one's.
      if (this.#tryClaim(name)) return;
    }
  }

  #newWriter(own: LogReader<Prepared>, appendable: boolean): LogWriter<Prepared> {
    return new LogWriter(this.#fs, own, appendable, {
      ...this.#settings,
      randomBytes: this.#randomBytes,
      onSealed: () => this.#saveIndexes(own),
      onRemoved: (frames, sync) => this.#goOnWith(frames as readonly PendingFrame<Prepared>[], sync),
    });
  }

  /** Appends to a new log what the removed one did not take. */
  #goOnWith(frames: readonly PendingFrame<Prepared>[], sync: boolean): void {
    try {
      if (this.#writer?.removed) this.#beginAnew();
    } catch (error) {
      this.#refusedAppends += frames.length;
      for (const frame of frames) frame.reject(error as Error);
      return;
    }
    this.#writer!.adopt(frames, sync);
  }

  /** Begins a log in place of our own, which was removed, in the directory made again. Makes none above it. */
  #beginAnew(): void {
    const [writer, own, lock] = [this.#writer!, this.#own!, this.#lock!];
    try {
      if (this.#closed !== undefined) throw new Error('the store is being closed');
      this.#emptyLogs = own.nextSequence > 1 ? 0 : this.#emptyLogs + 1;
      if (this.#emptyLogs > MAX_EMPTY_LOGS) throw new Error('it is removed again and again');
      this.#makeAnew();
      this.#writer = this.#newWriter(this.#own!, false);
    } catch (error) {
      writer.writeError = removedError(this.#directory, error);
      throw writer.writeError;
    }
    this.#forget(own);
    lock.release();
    this.#refusedAppends += writer.refusedAppends;
    this.#inBackground(writer.close().catch(() => {}));
  }

  #makeAnew(): void {
    for (let attempt = 1; ; attempt++) {
      try {
        makeStoreDirectory(this.#fs, this.#directory);
        this.#fs.makeDirectorySync(this.#logDirectory);
        this.#fs.syncDirectorySync(this.#directory);
        this.#claimNew();
        return;
      } catch (error) {
        // Whoever removes the directory may not be through with it.
        const { code } = error as { code?: string };
        const vanished = code === 'ENOENT' || code === 'TW_LOG_LOCK_FAILED';
        if (!vanished || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** Forgets a log that is gone. */
  #forget(reader: LogReader<Prepared>): void {
    if (reader.nextSequence > 1) this.#removedLogs.add(reader.writer);
    reader.forget();
    this.#readers.delete(reader.writer);
    this.#stopped.delete(reader);
  }

  #forgetIfRemoved(reader: LogReader<Prepared>): void {
    if (reader.segments.length > 0 && !this.#stopped.has(reader)) return;
    if (this.#fs.statSync(reader.directory) === undefined) this.#forget(reader);
  }

  #tryClaim(name: string): boolean {
    const directory = join(this.#logDirectory, name);
    const lock = this.#fs.tryLock(lockPath(directory));
    if (lock === undefined) return false;
    this.#lock = lock;
    this.#own = this.#reader(name);
    for (const file of this.#fs.listSync(directory)) {
      if (isTemporary(file)) this.#fs.unlinkSync(join(directory, file));
    }
    return true;
  }

  #reader(name: string): LogReader<Prepared> {
    const { recovery, verify } = this.#settings;
    const context = {
      fs: this.#fs,
      files: this.#files,
      indexer: this.#indexer,
      now: this.#now,
      salvage: recovery === 'salvage',
      trustIndexes: !verify,
    };
    const reader = new LogReader(context, this.#logDirectory, name);
    this.#readers.set(name, reader);
    return reader;
  }

  /** Meets writers that are new since the last time. */
  #listWriters(): void {
    for (const name of this.#writerNames.changed() ?? []) {
      if (isWriterName(name) && !this.#readers.has(name)) this.#reader(name);
    }
  }

  /** Reads a log to its end while opening; returns what stands behind its last whole group. */
  async #readAll(reader: LogReader<Prepared>): Promise<Behind> {
    for (;;) {
      await this.#advance(reader);
      const tail = reader.inspectTail();
      if (tail !== undefined) return tail;
    }
  }

  /**
   * Reads everything that is there. A file that its writer removes between the listing and the reading is no
   * fault: it had not begun, or has been compacted.
   */
  async #advance(reader: LogReader<Prepared>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        for (const _ of reader.advance()) {
          await setImmediate();
          if (this.#closed !== undefined) return;
        }
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === MAX_ATTEMPTS) throw error;
        reader.relist();
      }
    }
  }

  /** Makes whole what was left out of another writer's log, if that writer has died. */
  #repairOther(reader: LogReader<Prepared>): void {
    if (this.#settings.readOnly || reader.foundGaps.length === 0) return;
    const lock = this.#fs.tryLock(lockPath(reader.directory));
    if (lock === undefined) return;
    try {
      repairGaps(this.#fs, reader, this.#randomBytes);
    } finally {
      lock.release();
    }
  }

  async #refresh(): Promise<void> {
    if (this.#closed !== undefined) return;
    try {
      this.#listWriters();
      this.#readError = undefined;
    } catch (error) {
      this.#writerNames.forget();
      this.#readError = error as Error;
    }
    for (const reader of this.#readers.values()) {
      try {
        if (reader !== this.#own) this.#forgetIfRemoved(reader);
        // Damage does not go away; what the operating system refuses may.
        if (this.#stopped.get(reader) instanceof TracewellError) continue;
        this.#stopped.delete(reader);
        if (reader === this.#own) {
          this.#forgetOwnRemoved(reader);
          if (reader.applyError !== undefined) this.#writer?.applyAgain();
          continue;
        }
        await this.#advance(reader);
        if (this.#closed !== undefined) return;
        reader.inspectIfStuck();
        // Its own writer saves the index files.
        reader.takeUnsaved();
        this.#forgetIfRemoved(reader);
      } catch (error) {
        // What the indexer did not take is offered again. Of anything else health tells.
        if (reader.applyError === undefined) this.#stopped.set(reader, error as Error);
      }
    }
  }

  #forgetOwnRemoved(own: LogReader<Prepared>): void {
    const last = own.current;
    if (!own.forgetRemoved()) return;
    this.#removedLogs.add(own.writer);
    if (own.current !== last) this.#writer?.abandon();
  }

  /** Writes index files for segments that were sealed, or read frame by frame for want of one. Never rejects. */
  async #saveIndexes(reader: LogReader<Prepared>): Promise<void> {
    for (const segment of reader.takeUnsaved()) {
      try {
        await this.#saveIndex(reader, segment);
      } catch {
        // Derived data: the next opening reads the frames instead.
      }
    }
  }

  async #saveIndex(reader: LogReader<Prepared>, segment: LogSegment): Promise<void> {
    const saved = this.#indexer.save(segment);
    if (saved === undefined) return;
    const pieces = saved instanceof Uint8Array ? [saved] : saved;
    const path = indexPath(reader.directory, segment.number);
    const temporary = `${path}.${this.#randomName(6)}.tmp`;
    const { idHalves: id, bytes, lastSequence } = segment;
    await writeIndexFile(this.#fs, path, temporary, { id, bytes, lastSequence }, pieces);
  }

  #randomName(bytes: number): string {
    return Buffer.from(this.#randomBytes(bytes)).toString('hex');
  }

  #inBackground(work: Promise<void>): void {
    const tracked = work.finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }
}
