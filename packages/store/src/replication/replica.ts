/**
 * A standby's copy of the log of one writer of the leader: the same files with the same bytes, so that whatever reads
 * and recovers a log does the same with the copy.
 *
 * Only what continues the copy is written: whole groups of whole frames with the next sequence numbers. What is there
 * already is compared and ignored; what leaves a gap is refused. So frames can come twice, late and damaged, and the
 * copy is always a beginning of the leader's log.
 */
import { join } from 'node:path';
import { type FileLock, type FileSystem, type OpenFile, writeAll } from '../fs/file-system.ts';
import {
  emptyFrame,
  type Frame,
  frameBytes,
  frameChecksum,
  Parsed,
  parseFrame,
  type SegmentId,
} from '../log/frame.ts';
import { lockPath, segmentNumber, segmentPath } from '../log/names.ts';
import {
  parseSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentIdHex,
} from '../log/segment-header.ts';
import { FrameKind } from '../log/types.ts';
import { ReplicationError, type WalPosition } from './replication-error.ts';
import type { WalRecord } from './wal-record.ts';

/** The segment at the end of the copy. */
interface LastSegment {
  readonly number: number;
  readonly id: SegmentId;
  readonly file: OpenFile;
  end: number;
  last: WalPosition['last'];
}

/** How much of a file is read at a time while the end of the copy is looked for. */
const WINDOW_BYTES = 1024 * 1024;

/** The copy of one log. Calls come one at a time. */
export class Replica {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #writer: string;
  readonly #lock: FileLock;
  #last: LastSegment | undefined;
  #sequence = 0;
  /** Whether a write or a sync has failed: what the disk has is unknown until the copy is opened again. */
  #failed = false;
  /** Whether something was written since the last sync. */
  #unsynced = false;

  /**
   * Opens the copy, which may not be there yet, and cuts off what was not finished.
   *
   * @throws `ReplicationError` (`TW_REPLICATION_BUSY`) if another process receives this log or appends to it
   */
  constructor(fs: FileSystem, logDirectory: string, writer: string) {
    this.#fs = fs;
    this.#writer = writer;
    this.#directory = join(logDirectory, writer);
    if (fs.statSync(this.#directory) === undefined) {
      fs.makeDirectorySync(this.#directory);
      fs.syncDirectorySync(logDirectory);
    }
    const lock = fs.tryLock(lockPath(this.#directory));
    if (lock === undefined) {
      throw new ReplicationError(
        'TW_REPLICATION_BUSY',
        `another process of the standby writes ${this.#directory}`,
      );
    }
    this.#lock = lock;
    try {
      this.#open();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Whether it must be opened again before it takes anything. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Where the copy ends; `undefined` while there is nothing. */
  position(): WalPosition | undefined {
    if (this.#last === undefined) return undefined;
    const { number, id, end, last } = this.#last;
    return { segment: number, segmentId: segmentIdHex(id), offset: end, sequence: this.#sequence, last };
  }

  /**
   * Takes a record. It is durable after {@link Replica.sync}, so that several that came together share one sync.
   *
   * @throws `ReplicationError`, as a rejection: `TW_REPLICATION_GAP`, `TW_REPLICATION_DAMAGED`, both with the
   * position that is wanted, `TW_REPLICATION_DIVERGED`
   */
  async write(record: WalRecord): Promise<WalPosition> {
    const place = this.#placeOf(record);
    if (place === 'known') return this.position()!;
    const { header, groups } = this.#check(record);
    this.#failed = true;
    const segment = header === undefined ? this.#last! : await this.#begin(header);
    await writeAll(segment.file, [record.bytes], record.offset);
    this.#failed = false;
    this.#unsynced = true;
    segment.end = record.offset + record.bytes.length;
    segment.last = {
      offset: record.offset + groups.last,
      checksum: frameChecksum(record.bytes, groups.last),
    };
    this.#sequence = groups.sequence - 1;
    return this.position()!;
  }

  /** Makes durable what was written. After a failure the copy has to be opened again. */
  async sync(): Promise<void> {
    if (!this.#unsynced) return;
    this.#failed = true;
    await this.#last!.file.sync();
    this.#failed = false;
    this.#unsynced = false;
  }

  /** Lets go of the log. */
  close(): void {
    this.#last?.file.closeSync();
    this.#last = undefined;
    this.#lock.release();
  }

  /** Whether a record comes next, or is there already. */
  #placeOf(record: WalRecord): 'next' | 'known' {
    const { segment, segmentId, offset, sequence, bytes } = record;
    const last = this.#last;
    if (last === undefined) {
      // The oldest segments of the leader may have been compacted away; then the copy begins later.
      if (offset === 0) return 'next';
      throw this.#gap(record);
    }
    if (segment < last.number) {
      this.#compare(record, undefined);
      return 'known';
    }
    if (segment > last.number) {
      if (offset === 0 && sequence === this.#sequence + 1) return 'next';
      throw this.#gap(record);
    }
    if (segmentId.low !== last.id.low || segmentId.high !== last.id.high) throw this.#diverged(record);
    if (offset === last.end) return 'next';
    if (offset + bytes.length <= last.end) {
      this.#compare(record, last.file);
      return 'known';
    }
    throw this.#gap(record);
  }

  /** That what is there is what comes again. A segment that compaction has taken was compared when it came. */
  #compare(record: WalRecord, open: OpenFile | undefined): void {
    const path = segmentPath(this.#directory, record.segment);
    if (open === undefined && this.#fs.statSync(path) === undefined) return;
    const file = open ?? this.#fs.openSync(path, 'read');
    try {
      const own = Buffer.alloc(record.bytes.length);
      const count = file.readSync(own, record.offset);
      if (count < own.length || Buffer.compare(own, record.bytes) !== 0) throw this.#diverged(record);
    } finally {
      if (open === undefined) file.closeSync();
    }
  }

  /** That the bytes are whole groups, and follow what is there. */
  #check(record: WalRecord): { header: SegmentHeader | undefined; groups: WholeGroups } {
    const { bytes, offset, segment, segmentId, sequence } = record;
    let at = 0;
    let header: SegmentHeader | undefined;
    if (offset === 0) {
      const parsed = parseSegmentHeader(bytes.subarray(0, SEGMENT_HEADER_BYTES));
      if (
        typeof parsed !== 'object' ||
        parsed.number !== segment ||
        parsed.writer !== this.#writer ||
        parsed.firstSequence !== sequence ||
        segmentIdHex(parsed.id) !== segmentIdHex(segmentId)
      ) {
        throw this.#damaged(record, 'the header of the segment');
      }
      header = parsed;
      at = SEGMENT_HEADER_BYTES;
    }
    const expected = this.#last === undefined ? sequence : this.#sequence + 1;
    if (sequence !== expected) throw this.#gap(record);
    const groups = wholeGroups(bytes, at, bytes.length, segmentId, sequence);
    if (groups.end !== bytes.length || groups.end === at) {
      throw this.#damaged(record, `the frame at byte ${groups.end}`);
    }
    return { header, groups };
  }

  async #begin(header: SegmentHeader): Promise<LastSegment> {
    if (this.#unsynced) await this.#last!.file.sync();
    const path = segmentPath(this.#directory, header.number);
    // What is there under this name has never been acknowledged, or the copy would end in it.
    const mode = this.#fs.statSync(path) === undefined ? 'create' : 'write';
    const file = this.#fs.openSync(path, mode);
    file.truncateSync(0);
    await this.#fs.syncDirectory(this.#directory);
    this.#last?.file.closeSync();
    this.#last = { number: header.number, id: header.id, file, end: 0, last: { offset: 0, checksum: 0 } };
    return this.#last;
  }

  /** Finds where the copy ends. */
  #open(): void {
    const numbers = this.#fs
      .listSync(this.#directory)
      .map(segmentNumber)
      .filter((number) => number !== undefined);
    for (const number of numbers.sort((a, b) => b - a)) {
      const file = this.#fs.openSync(segmentPath(this.#directory, number), 'write');
      const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
      const header = parseSegmentHeader(bytes.subarray(0, file.readSync(bytes, 0)));
      if (typeof header === 'object') {
        const { end, sequence, last } = endOf(file, header);
        if (last === undefined) {
          file.closeSync();
          continue;
        }
        // Something may have been begun behind it, and never been synced.
        if (file.sizeSync() > end) file.truncateSync(end);
        file.syncSync();
        this.#last = { number, id: header.id, file, end, last };
        this.#sequence = sequence - 1;
        return;
      }
      file.closeSync();
    }
  }

  #gap(record: WalRecord): ReplicationError {
    const position = this.position();
    const has = position === undefined ? 'nothing' : `byte ${position.offset} of segment ${position.segment}`;
    return new ReplicationError(
      'TW_REPLICATION_GAP',
      `log ${this.#writer}: byte ${record.offset} of segment ${record.segment} does not follow ${has}; send what comes there`,
      { position },
    );
  }

  #damaged(record: WalRecord, what: string): ReplicationError {
    return new ReplicationError(
      'TW_REPLICATION_DAMAGED',
      `log ${this.#writer}: ${what} of what was sent for byte ${record.offset} of segment ${record.segment} is damaged; send it again`,
      { position: this.position() },
    );
  }

  #diverged(record: WalRecord): ReplicationError {
    return new ReplicationError(
      'TW_REPLICATION_DIVERGED',
      `log ${this.#writer}: byte ${record.offset} of segment ${record.segment} is another one here than at the leader; ` +
        'make the standby anew from a copy of the leader',
    );
  }
}

/** Whole groups in a stretch of a segment. */
interface WholeGroups {
  /** Where the last of them ends. */
  readonly end: number;
  /** The sequence number after it. */
  readonly sequence: number;
  /** Where its last frame starts; -1 if there is no whole group. */
  readonly last: number;
}

/** The whole groups that follow one another from `at` on. */
function wholeGroups(
  bytes: Uint8Array,
  at: number,
  end: number,
  segment: SegmentId,
  sequence: number,
): WholeGroups {
  const frame: Frame = emptyFrame();
  let whole: WholeGroups = { end: at, sequence, last: -1 };
  let next = sequence;
  for (let from = at; from < end; from += frameBytes(frame.payloadLength)) {
    if (parseFrame(bytes, from, end, segment, frame) !== Parsed.WHOLE || frame.sequence !== next) break;
    next = frame.kind === FrameKind.VOID ? frame.durableMark + 1 : next + 1;
    if (frame.endsGroup) whole = { end: from + frameBytes(frame.payloadLength), sequence: next, last: from };
  }
  return whole;
}

/** Where the last whole group of a file ends, and its last frame; that is absent if there is none. */
function endOf(
  file: OpenFile,
  { id, firstSequence }: SegmentHeader,
): { end: number; sequence: number; last: WalPosition['last'] | undefined } {
  let end = SEGMENT_HEADER_BYTES;
  let sequence = firstSequence;
  let last: WalPosition['last'] | undefined;
  for (let want = WINDOW_BYTES; ; ) {
    const window = new Uint8Array(want);
    const count = file.readSync(window, end);
    const whole = wholeGroups(window, 0, count, id, sequence);
    if (whole.last >= 0) last = { offset: end + whole.last, checksum: frameChecksum(window, whole.last) };
    end += whole.end;
    sequence = whole.sequence;
    if (count < want) return { end, sequence, last };
    want = whole.end > 0 ? WINDOW_BYTES : 2 * want;
  }
}
