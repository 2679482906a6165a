/**
 * Follows the log of one writer, whoever that is, and hands its frames to the indexer.
 *
 * The same code opens a log, follows another process while it writes, and reads our own frames again that the
 * indexer did not take at first. What makes following a live writer sound without any lock:
 *
 * - Only whole groups are looked at (see frame.ts). A group that is being written, or whose writing failed and
 *   is overwritten by the next, has no valid end yet. So whatever has been handed over never changes again:
 *   a writer, and whoever takes its log over, only ever changes bytes behind the last whole group.
 * - A segment is over when the next one has begun, because a writer begins the next only after everything in
 *   the one before is durable. The header of the next says which frame that was, so that a segment that ends
 *   too early is noticed.
 * - Where no whole group stands there is normally nothing yet. Only when a later frame claims that the missing
 *   one was durable (scan.ts), and it is still missing on a second look, it is damage.
 */
import { join } from 'node:path';
import { TracewellError } from '@tracewell/plugin';
import type { FileSystem } from '../fs/file-system.ts';
import { DirectoryNames } from './directory-names.ts';
import { DurableTrack } from './durable-track.ts';
import {
  emptyFrame,
  FRAME_ALIGNMENT,
  FRAME_HEADER_BYTES,
  type Frame,
  frameBytes,
  GROUP_BYTES,
  MAX_GROUP_BYTES,
  Parsed,
  parseFrame,
  readFrameHeader,
  type SegmentId,
  startsFrame,
} from './frame.ts';
import { readIndexFile } from './index-file.ts';
import { indexPath, segmentNumber, segmentPath } from './names.ts';
import { type Behind, lookBehind } from './scan.ts';
import { type Gap, LogSegment, type ReadFiles } from './segment.ts';
import {
  type ParsedSegmentHeader,
  parseSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './segment-header.ts';
import { FrameKind, type LogIndexer } from './types.ts';

/** What the readers of a directory share. */
export interface ReaderContext<Prepared> {
  readonly fs: FileSystem;
  readonly files: ReadFiles;
  readonly indexer: LogIndexer<Prepared>;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Whether to pass over damaged frames rather than to stop. */
  readonly salvage: boolean;
  /** Whether a valid index file stands for its segment's frames, so that they need not be read. */
  readonly trustIndexes: boolean;
}

/** A gap that was made in a segment, or in place of a missing one. */
export interface FoundGap {
  readonly segmentNumber: number;
  /** The segment, unless all of it is missing. */
  readonly segment: LogSegment | undefined;
  readonly offset: number;
  readonly firstSequence: number;
  readonly gap: Gap;
}

/** Where reading ends: at so many bytes of a segment. */
export interface ReadLimit {
  readonly segment: number;
  readonly bytes: number;
}

/** A place where reading stopped, and the frame that should have been there. */
interface Place {
  readonly offset: number;
  readonly sequence: number;
}

/** A frame of our own that has just become durable, handed over without being read again. */
export interface OwnFrame<Prepared> {
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
  readonly prepared: Prepared | undefined;
}

/** What is read at a time at first. */
const MIN_CHUNK_BYTES = 1024 * 1024;
/** And at most, unless a single frame is larger: so a step takes some milliseconds of this thread at most. */
const MAX_CHUNK_BYTES = 2 * GROUP_BYTES;
/** How long something unreadable may stand at the end of a log before it is looked into. */
const STUCK_MS = 1000;

/** Follows one writer's log. */
export class LogReader<Prepared> {
  readonly writer: string;
  readonly directory: string;
  /** What has been read, oldest first; the last one is where reading goes on. */
  readonly segments: LogSegment[] = [];
  readonly #context: ReaderContext<Prepared>;
  readonly #names: DirectoryNames;
  readonly #durable = new DurableTrack();
  readonly #foundGaps: FoundGap[] = [];
  readonly #unsaved: LogSegment[] = [];
  readonly #frame: Frame = emptyFrame();
  readonly #probe = new Uint8Array(FRAME_ALIGNMENT);
  readonly #groupOffsets: number[] = [];
  #numbers: number[] = [];
  #indexed: ReadonlySet<number> = new Set();
  #nextSequence = 1;
  #damagedBytes = 0;
  #applyError: Error | undefined;
  #limit: ReadLimit | undefined;
  #stopped: Place = { offset: 0, sequence: 0 };
  /** Whether something other than zeros and the end of the file stands where reading stopped. */
  #unreadable = false;
  #stuck: { offset: number; sinceMs: number } | undefined;

  constructor(context: ReaderContext<Prepared>, logDirectory: string, writer: string) {
    this.#context = context;
    this.writer = writer;
    this.directory = join(logDirectory, writer);
    this.#names = new DirectoryNames(context.fs, this.directory, context.now);
  }

  /** The sequence number of the frame that is to be read next. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** Bytes that `salvage` left out. */
  get damagedBytes(): number {
    return this.#damagedBytes;
  }

  /** Why the indexer did not take the next frame, if it did not. */
  get applyError(): Error | undefined {
    return this.#applyError;
  }

  /** In the last segment, an offset at or before the first frame that may not be durable. */
  get uncertainFrom(): number {
    return this.#durable.uncertainFrom;
  }

  /** Gaps made by `salvage`, for whoever may repair the files. */
  get foundGaps(): readonly FoundGap[] {
    return this.#foundGaps;
  }

  /** Says that the gaps that were found are repaired. */
  gapsRepaired(): void {
    this.#foundGaps.length = 0;
  }

  /** Whether {@link LogReader.takeUnsaved} has any. */
  get hasUnsaved(): boolean {
    return this.#unsaved.length > 0;
  }

  /**
   * Hands out, once, the segments that are sealed and have been read frame by frame: an index file could save
   * that next time.
   */
  takeUnsaved(): LogSegment[] {
    return this.#unsaved.splice(0);
  }

  /** Says how far reading may go: in our own log, only as far as it is committed; in others, to the end. */
  limitTo(limit: ReadLimit | undefined): void {
    this.#limit = limit;
  }

  /** The segment that is being read. */
  get current(): LogSegment | undefined {
    return this.segments.at(-1);
  }

  /**
   * Reads everything that is there. Yields now and then, so that whoever drives it can let others run.
   *
   * @throws {@link TracewellError} `TW_LOG_DAMAGED`, `TW_LOG_SEGMENT_MISSING`, `TW_LOG_FORMAT`,
   * `TW_LOG_APPLY_FAILED`
   */
  *advance(): Generator<void, void> {
    this.#list();
    for (;;) {
      const segment = this.current;
      if (segment === undefined) {
        const first = this.#numbers[0];
        if (first === undefined || !this.#begin(first)) return;
        continue;
      }
      while (!segment.sealed && this.#readGroups(segment)) yield;
      const next = this.#nextHeader(segment);
      if (next === undefined) return;
      // Between that last look and the beginning of the next segment, more may have been appended.
      while (this.#nextSequence < next.firstSequence && this.#readGroups(segment)) yield;
      if (this.#nextSequence !== next.firstSequence) {
        this.#leaveOut(segment, lookBehindIn(segment, this.#stopped), next.firstSequence);
        continue;
      }
      this.#seal(segment);
      this.#enter(next);
    }
  }

  /**
   * Looks into what stands behind the last whole group, once everything before has been read. In a log that
   * somebody writes at the same time nothing is damaged unless it still is on a second look.
   *
   * @returns what stands there, if it is no damage; `undefined` if reading should go on
   * @throws {@link TracewellError} `TW_LOG_DAMAGED` unless damage is to be passed over
   */
  inspectTail(): Behind | undefined {
    const segment = this.current;
    if (segment === undefined || segment.sealed) return NOTHING_BEHIND;
    const behind = lookBehindIn(segment, this.#stopped);
    if (!behind.damaged) return behind;
    if (this.#readGroups(segment)) return undefined;
    this.#leaveOut(segment, behind, undefined);
    return undefined;
  }

  /**
   * Looks into something unreadable that has stood at the end of another writer's log for a while: garbage
   * that will be cut off, or damage?
   */
  inspectIfStuck(): void {
    const segment = this.current;
    if (segment === undefined || segment.sealed || !this.#unreadable) {
      this.#stuck = undefined;
      return;
    }
    const now = this.#context.now();
    if (this.#stuck?.offset !== segment.bytes) this.#stuck = { offset: segment.bytes, sinceMs: now };
    else if (now - this.#stuck.sinceMs >= STUCK_MS) {
      this.#stuck = { offset: segment.bytes, sinceMs: Number.POSITIVE_INFINITY };
      this.inspectTail();
    }
  }

  /** Numbers of files behind the current segment, none of which has begun. */
  notBegun(): number[] {
    const current = this.current?.number ?? 0;
    return this.#numbers.filter((number) => number > current);
  }

  /** Whether reading has come exactly so far, so that a frame of our own may be handed over next. */
  isAt(segmentNumber: number, offset: number): boolean {
    return this.current?.number === segmentNumber && this.current.bytes === offset;
  }

  /** Hands over frames of our own that follow in a row what has been read. */
  takeOwn(frames: readonly OwnFrame<Prepared>[]): void {
    const segment = this.current!;
    for (const { kind, payload, prepared } of frames) {
      this.#handOver(segment, kind, payload, prepared);
      segment.bytes += frameBytes(payload.length);
      this.#nextSequence++;
    }
  }

  /** Goes on to a segment of our own that has just begun, if everything before it has been handed over. */
  beginOwn(header: SegmentHeader): void {
    if (this.#nextSequence !== header.firstSequence) return;
    if (this.current !== undefined) this.#seal(this.current);
    this.#enter(header);
  }

  /** Says that nothing will be appended to our own last segment any more. */
  sealOwn(): void {
    if (this.current !== undefined) this.#seal(this.current);
  }

  /** Forgets the segments whose files are gone; returns whether any went that was not let go on purpose. */
  forgetRemoved(): boolean {
    const before = [...this.segments];
    this.#list();
    const { indexer } = this.#context;
    return (
      this.segments.length < before.length &&
      before.some((segment) => !this.segments.includes(segment) && indexer.isRetired?.(segment) !== true)
    );
  }

  /** Forgets every segment: this log is not followed any further. */
  forget(): void {
    for (const segment of this.segments.splice(0)) this.#remove(segment);
  }

  /** Lists the directory, whatever its time says. */
  relist(): void {
    this.#names.forget();
    this.#list();
  }

  /** Lists the directory, if it has changed since the last time, and forgets segments that are gone. */
  #list(): void {
    const names = this.#names.changed();
    if (names === undefined) return;
    this.#numbers = names.map(segmentNumber).filter((number) => number !== undefined);
    this.#indexed = new Set(
      names
        .filter((name) => name.endsWith('.idx'))
        .map((name) => segmentNumber(name.replace(/idx$/, 'log')) ?? 0),
    );
    const there = new Set(this.#numbers);
    for (let i = this.segments.length - 1; i >= 0; i--) {
      const segment = this.segments[i]!;
      if (there.has(segment.number)) continue;
      this.segments.splice(i, 1);
      this.#remove(segment);
    }
  }

  #remove(segment: LogSegment): void {
    segment.release();
    this.#context.indexer.remove(segment);
  }

  #header(number: number): Exclude<ParsedSegmentHeader, 'newer'> {
    const { files } = this.#context;
    const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
    const path = segmentPath(this.directory, number);
    const count = files.get(path).readSync(bytes, 0);
    const header = parseSegmentHeader(bytes.subarray(0, count));
    if (header === 'newer') throw newer(path, 0);
    if (typeof header === 'object' && header.number === number && header.writer === this.writer)
      return header;
    // Whoever takes the log over removes a file that has not begun and makes another of the same name.
    files.close(path);
    return header === 'empty' ? 'empty' : 'invalid';
  }

  /** Goes on to the first segment; `false` if it has not begun. */
  #begin(number: number): boolean {
    const header = this.#header(number);
    if (typeof header === 'object') {
      this.#enter(header);
      return true;
    }
    const begun = this.#headerBehind(number, header);
    if (begun === undefined) return false;
    this.#enter(begun);
    return true;
  }

  /** The header of the segment after this one, or `undefined` if it has not begun. */
  #nextHeader(segment: LogSegment): SegmentHeader | undefined {
    if (this.#limit !== undefined && this.#limit.segment <= segment.number) return undefined;
    let number = this.#numbers.find((candidate) => candidate > segment.number);
    if (number === undefined) return undefined;
    if (number > segment.number + 1) {
      // A directory that changes while it is listed may show a newer file and not an older one.
      this.relist();
      if (this.current !== segment) return undefined;
      number = this.#numbers.find((candidate) => candidate > segment.number)!;
    }
    const header = this.#header(number);
    if (typeof header !== 'object') return this.#headerBehind(number, header);
    if (number > segment.number + 1) this.#missing(segment.number + 1, header);
    return header;
  }

  /**
   * What to do about a segment without a valid header: it has not begun, unless a later one has or it holds
   * frames that were durable. Then its header is damaged.
   */
  #headerBehind(number: number, header: 'empty' | 'invalid'): SegmentHeader | undefined {
    const path = segmentPath(this.directory, number);
    const later = this.#numbers.find((other) => other > number && typeof this.#header(other) === 'object');
    if (header === 'empty' && later === undefined) return undefined;
    const file = this.#context.files.get(path);
    const read = (target: Uint8Array, offset: number) => file.readSync(target, offset);
    const behind = lookBehind(read, SEGMENT_HEADER_BYTES, this.#nextSequence, undefined);
    this.#context.files.close(path);
    if (later === undefined && !behind.damaged) return undefined;
    // A writer may have begun it since.
    const again = this.#header(number);
    if (typeof again === 'object') return again;
    if (!this.#context.salvage) throw damaged(path, 0, 'the header of the segment');
    const id: SegmentId = behind.next?.segment ?? { low: 0, high: 0 };
    const rebuilt = { id, number, firstSequence: this.#nextSequence, writer: this.writer };
    const segment = new LogSegment(this.#context.files, this.directory, rebuilt);
    this.#found({
      segmentNumber: number,
      segment,
      offset: 0,
      firstSequence: this.#nextSequence,
      gap: { length: SEGMENT_HEADER_BYTES, lastSequence: this.#nextSequence - 1 },
    });
    return rebuilt;
  }

  #found(gap: FoundGap): void {
    this.#foundGaps.push(gap);
    this.#damagedBytes += gap.gap.length;
  }

  #missing(number: number, next: SegmentHeader): void {
    const path = segmentPath(this.directory, number);
    if (!this.#context.salvage) {
      throw new TracewellError(
        'TW_LOG_SEGMENT_MISSING',
        `segment ${path} is missing, with frames ${this.#nextSequence} to ${next.firstSequence - 1}; ` +
          `put it back, or open with recovery: 'salvage' to go on without it`,
      );
    }
    const lastSequence = next.firstSequence - 1;
    this.#found({
      segmentNumber: number,
      segment: undefined,
      offset: SEGMENT_HEADER_BYTES,
      firstSequence: this.#nextSequence,
      gap: { length: 0, lastSequence },
    });
    this.#nextSequence = next.firstSequence;
  }

  #enter(header: SegmentHeader): void {
    const { fs, files, indexer, trustIndexes } = this.#context;
    const segment = new LogSegment(files, this.directory, header);
    segment.metMs = fs.statSync(segment.path)?.modifiedMs ?? this.#context.now();
    // The oldest segments may have been compacted away, perhaps also those that were to be read next.
    if (this.segments.length === 0) this.#nextSequence = Math.max(this.#nextSequence, header.firstSequence);
    this.segments.push(segment);
    this.#stuck = undefined;
    this.#durable.beginSegment(header.firstSequence);
    if (!trustIndexes || !this.#indexed.has(segment.number)) return;
    const path = indexPath(this.directory, segment.number);
    const index = readIndexFile(fs, path, segment.idHalves, segment.fileBytes());
    if (index === undefined) return;
    segment.sealed = true;
    segment.bytes = index.segmentBytes;
    segment.lastSequence = index.lastSequence;
    if (indexer.load(segment, index.bytes)) {
      this.#nextSequence = index.lastSequence + 1;
      this.#durable.trust(index.lastSequence);
      segment.trusted = true;
      this.#stopped = this.#end(segment);
    } else {
      segment.sealed = false;
      segment.bytes = SEGMENT_HEADER_BYTES;
    }
  }

  #seal(segment: LogSegment): void {
    if (segment.sealed) return;
    segment.sealed = true;
    segment.lastSequence = this.#nextSequence - 1;
    this.#unsaved.push(segment);
  }

  #end(segment: LogSegment): Place {
    return { offset: segment.bytes, sequence: this.#nextSequence };
  }

  /** Reads and hands over the next whole groups; `false` if there are none. */
  #readGroups(segment: LogSegment): boolean {
    const from = segment.bytes;
    const sequence = this.#nextSequence;
    const limit = this.#limitOf(segment) - from;
    this.#stopped = this.#end(segment);
    this.#unreadable = false;
    if (limit <= 0) return false;
    if (segment.gaps.size === 0) {
      // Nearly always there is nothing new, and this is all that it costs to find out.
      const probe = this.#probe.fill(0);
      segment.readInto(probe, from);
      if (!startsFrame(probe, 0)) {
        this.#unreadable = probe.some((byte) => byte !== 0);
        return false;
      }
    }
    for (let want = Math.min(shared.length, MAX_CHUNK_BYTES); ; ) {
      const bytes = buffer(want);
      const count = segment.readInto(bytes, from);
      const end = Math.min(count, limit);
      const needed = this.#handOverGroups(segment, bytes, end);
      if (segment.bytes > from || this.#nextSequence > sequence) return true;
      this.#unreadable = true;
      if (needed <= end || needed > MAX_GROUP_BYTES || count < want) return false;
      // Doubled, or a group of many frames would be checked again for each of them.
      want = Math.min(Math.max(needed, 2 * want), MAX_GROUP_BYTES);
    }
  }

  #limitOf(segment: LogSegment): number {
    if (this.#limit === undefined || segment.number < this.#limit.segment) return Number.POSITIVE_INFINITY;
    return segment.number === this.#limit.segment ? this.#limit.bytes : 0;
  }

  /**
   * Hands over the whole groups that stand at the start of `bytes`, which was read at `segment.bytes`.
   *
   * @returns how many bytes it would take to see the end of the frame after them
   */
  #handOverGroups(segment: LogSegment, bytes: Uint8Array, end: number): number {
    const frame = this.#frame;
    const base = segment.bytes;
    const offsets = this.#groupOffsets;
    offsets.length = 0;
    let sequence = this.#nextSequence;
    for (let at = 0; ; ) {
      const gap = segment.gaps.get(base + at);
      if (gap !== undefined) {
        // What stands before a gap in its group was acknowledged, like what was in the gap.
        this.#handOverFrames(segment, bytes, base, offsets);
        offsets.length = 0;
        segment.gaps.delete(base + at);
        segment.bytes = base + at + gap.length;
        this.#nextSequence = gap.lastSequence + 1;
        return 0;
      }
      const parsed = parseFrame(bytes, at, end, segment.idHalves, frame);
      if (parsed === Parsed.NEWER) throw newer(segment.path, base + at);
      if (parsed !== Parsed.WHOLE || frame.sequence !== sequence) {
        this.#stopped = { offset: base + at, sequence };
        return parsed === Parsed.PARTIAL ? at + frameBytes(frame.payloadLength) : 0;
      }
      offsets.push(at);
      at += frameBytes(frame.payloadLength);
      sequence = frame.kind === FrameKind.VOID ? frame.durableMark + 1 : sequence + 1;
      if (!frame.endsGroup) continue;
      this.#durable.note(frame.durableMark, { offset: base + offsets[0]!, sequence: this.#nextSequence });
      this.#handOverFrames(segment, bytes, base, offsets);
      offsets.length = 0;
    }
  }

  #handOverFrames(segment: LogSegment, bytes: Uint8Array, base: number, offsets: readonly number[]): void {
    const frame = this.#frame;
    for (const at of offsets) {
      readFrameHeader(bytes, at, frame);
      const { kind, sequence, durableMark, payloadLength } = frame;
      const payloadAt = at + FRAME_HEADER_BYTES;
      this.#handOver(
        segment,
        kind as FrameKind,
        bytes.subarray(payloadAt, payloadAt + payloadLength),
        undefined,
      );
      segment.bytes = base + at + frameBytes(payloadLength);
      this.#nextSequence = kind === FrameKind.VOID ? durableMark + 1 : sequence + 1;
    }
  }

  #handOver(segment: LogSegment, kind: FrameKind, payload: Uint8Array, prepared: Prepared | undefined): void {
    if (kind === FrameKind.MARK || kind === FrameKind.VOID) return;
    try {
      const payloadOffset = segment.bytes + FRAME_HEADER_BYTES;
      this.#context.indexer.addFrame(segment, payloadOffset, payload, kind, this.#nextSequence, prepared);
    } catch (cause) {
      this.#applyError = new TracewellError(
        'TW_LOG_APPLY_FAILED',
        `the index did not take frame ${this.#nextSequence} of ${segment.path}: ${(cause as Error)?.message ?? cause}; ` +
          'the frame is safe in the log and is offered again with the next call',
        { cause },
      );
      throw this.#applyError;
    }
    segment.hasFrames = true;
    this.#applyError = undefined;
  }

  /**
   * Makes a gap of damaged frames, or stops because of them.
   *
   * @param until - the sequence number after the last frame that was in this segment, if it is known
   */
  #leaveOut(segment: LogSegment, behind: Behind, until: number | undefined): void {
    const { offset, sequence } = this.#stopped;
    if (!this.#context.salvage) throw damaged(segment.path, offset, `frame ${sequence}`);
    const next = behind.next;
    const end = next?.offset ?? segment.fileBytes();
    const gap: Gap = {
      length: Math.max(0, Math.ceil((end - offset) / FRAME_ALIGNMENT) * FRAME_ALIGNMENT),
      lastSequence: (next?.sequence ?? until ?? sequence) - 1,
    };
    segment.gaps.set(offset, gap);
    this.#found({
      segmentNumber: segment.number,
      segment,
      offset,
      firstSequence: sequence,
      gap,
    });
  }
}

const NOTHING_BEHIND: Behind = { next: undefined, damaged: false, nonZeroEnd: 0 };

function lookBehindIn(segment: LogSegment, place: Place): Behind {
  const read = (target: Uint8Array, offset: number) => segment.readInto(target, offset);
  return lookBehind(read, place.offset, place.sequence, segment.idHalves);
}

let shared = new Uint8Array(MIN_CHUNK_BYTES);

/**
 * Memory to read into, shared by all readers of this thread, because none of them keeps anything in it from
 * one call to the next. Grows to the largest group seen, at most {@link MAX_GROUP_BYTES}.
 */
function buffer(bytes: number): Uint8Array {
  if (shared.length < bytes) shared = new Uint8Array(bytes);
  return bytes === shared.length ? shared : shared.subarray(0, bytes);
}

function damaged(path: string, offset: number, what: string): TracewellError {
  return new TracewellError(
    'TW_LOG_DAMAGED',
    `${path} is damaged at byte ${offset}: ${what} was acknowledged and is not whole any more; restore the file ` +
      `from a copy, or open with recovery: 'salvage' to set the damaged frames aside and go on without them`,
  );
}

function newer(path: string, offset: number): TracewellError {
  return new TracewellError(
    'TW_LOG_FORMAT',
    `${path} holds a format at byte ${offset} that this version does not know; nothing was changed; ` +
      'open it with the version of Tracewell that wrote it, or a newer one',
  );
}
