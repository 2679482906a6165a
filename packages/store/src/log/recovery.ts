/**
 * What a writer does to a log that it takes over, after a {@link LogReader} has read it and before anything is
 * appended. Only the holder of the writer's lock may.
 *
 * 1. What `salvage` left out is copied aside and replaced by frames that say so, so that the log is whole again
 *    and the next opening does not stop.
 * 2. What stands behind the last whole group is copied aside and cut off. It was never acknowledged.
 * 3. Files that were made for the next segments are removed, or renamed if something is in them.
 * 4. Frames that nothing proves durable are written again, the same bytes at the same place, and synced. They
 *    may be in the page cache only; and after a failed sync the operating system may call pages clean that
 *    never reached the disk, which a mere second sync would believe.
 *
 * Each step can be interrupted and done again: copies are durable before what they copy is changed.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type FileSystem, isNoSpace, type OpenFile, writeAllSync } from '../fs/file-system.ts';
import { FRAME_HEADER_BYTES, MAX_PAYLOAD_BYTES, type SegmentId, writeFrameHeader } from './frame.ts';
import { indexPath, segmentPath, setAsideName } from './names.ts';
import type { FoundGap, LogReader } from './reader.ts';
import type { Behind } from './scan.ts';
import type { LogSegment } from './segment.ts';
import { encodeSegmentHeader, randomSegmentId, SEGMENT_HEADER_BYTES } from './segment-header.ts';
import { FrameKind } from './types.ts';

const CHUNK_BYTES = 1024 * 1024;

/** What {@link recoverLog} did. */
export interface Recovered {
  /** How many bytes of an unfinished group were found and made ineffective. */
  readonly tornBytes: number;
  /**
   * Whether the last segment may be appended to. Not if an index of it was saved. And if there is no room for a
   * copy of what is behind its last group, that stays where it is, and the log goes on in the next segment.
   */
  readonly appendable: boolean;
}

/**
 * Makes a log that has been read to its end ready to be appended to.
 *
 * @param tail - what the reader found behind the last whole group
 */
export function recoverLog<Prepared>(
  fs: FileSystem,
  reader: LogReader<Prepared>,
  tail: Behind,
  randomBytes: (count: number) => Uint8Array,
): Recovered {
  repairGaps(fs, reader, randomBytes);
  let tornBytes = 0;
  let appendable = false;
  const segment = reader.current;
  if (segment !== undefined && !segment.sealed) {
    const file = fs.openSync(segment.path, 'write');
    try {
      const end = Math.min(tail.nonZeroEnd, file.sizeSync());
      tornBytes += Math.max(0, end - segment.bytes);
      appendable = cutTail(fs, file, reader.directory, segment, end);
      // Its writer sealed it. The index, if somebody can use it after all, must not lack a frame.
      if (fs.statSync(indexPath(reader.directory, segment.number)) !== undefined) appendable = false;
      writeAgain(file, reader.uncertainFrom, segment.bytes);
      file.syncSync();
    } finally {
      file.closeSync();
    }
  }
  for (const number of reader.notBegun()) tornBytes += removeNotBegun(fs, reader.directory, number);
  fs.syncDirectorySync(reader.directory);
  return { tornBytes, appendable };
}

/** Cuts a segment back to its last whole group; `false` if there is no room for a copy of what is cut. */
function cutTail(
  fs: FileSystem,
  file: OpenFile,
  directory: string,
  segment: LogSegment,
  end: number,
): boolean {
  if (file.sizeSync() === segment.bytes) return true;
  try {
    setAside(fs, file, directory, segment.number, segment.bytes, end, 'torn');
  } catch (error) {
    if (isNoSpace(error)) return false;
    throw error;
  }
  file.truncateSync(segment.bytes);
  return true;
}

/** Removes the file of a segment that has not begun, or renames it if something is in it. */
function removeNotBegun(fs: FileSystem, directory: string, number: number): number {
  const path = segmentPath(directory, number);
  const file = fs.openSync(path, 'read');
  let size: number;
  let end: number;
  try {
    size = file.sizeSync();
    end = nonZeroEnd(file);
  } finally {
    file.closeSync();
  }
  if (end === 0) fs.unlinkSync(path);
  else fs.renameSync(path, freeSetAsidePath(fs, directory, number, 0, 'torn'));
  return end === 0 ? 0 : size;
}

/** Replaces what the reader left out by frames that stand for it. */
export function repairGaps<Prepared>(
  fs: FileSystem,
  reader: LogReader<Prepared>,
  randomBytes: (count: number) => Uint8Array,
): void {
  if (reader.foundGaps.length === 0) return;
  for (const found of reader.foundGaps) {
    const index = indexPath(reader.directory, found.segmentNumber);
    if (fs.statSync(index) !== undefined) fs.unlinkSync(index);
    if (found.segment === undefined) repairMissing(fs, reader, found, randomSegmentId(randomBytes));
    else repairGap(fs, found, found.segment, reader.directory);
  }
  reader.gapsRepaired();
  fs.syncDirectorySync(reader.directory);
}

function repairGap(fs: FileSystem, found: FoundGap, segment: LogSegment, directory: string): void {
  const { offset, gap } = found;
  const file = fs.openSync(segment.path, 'write');
  try {
    const size = file.sizeSync();
    const end = offset + gap.length;
    // Frames that are not damaged but gone leave no room for a frame that says so. Then the damage stays, and
    // each opening that is to pass over it must say so.
    if (gap.length < FRAME_HEADER_BYTES && end < size) return;
    setAside(fs, file, directory, segment.number, offset, Math.min(end, size), 'damaged');
    if (offset === 0) {
      const { idHalves: id, number, firstSequence, writer } = segment;
      writeAllSync(file, [encodeSegmentHeader({ id, number, firstSequence, writer })], 0);
    } else {
      writeVoid(file, found, segment.idHalves);
    }
    file.syncSync();
  } finally {
    file.closeSync();
  }
}

/** Puts a segment in the place of one that is missing: it says which frames were there. */
function repairMissing<Prepared>(
  fs: FileSystem,
  reader: LogReader<Prepared>,
  found: FoundGap,
  id: SegmentId,
): void {
  const file = fs.openSync(segmentPath(reader.directory, found.segmentNumber), 'create');
  try {
    const { firstSequence, segmentNumber: number } = found;
    writeAllSync(file, [encodeSegmentHeader({ id, number, firstSequence, writer: reader.writer })], 0);
    writeVoid(file, found, id);
    file.syncSync();
  } finally {
    file.closeSync();
  }
}

/**
 * Fills a gap with frames of kind VOID. The durable mark of each is the last sequence number that it stands
 * for: the first one stands for all that was in the gap, the others, if the gap is longer than one frame may
 * be, for nothing.
 */
function writeVoid(file: OpenFile, found: FoundGap, id: SegmentId): void {
  const { lastSequence } = found.gap;
  // At the end of a segment that was cut short, the gap may be shorter than a frame: the file then grows.
  let left = Math.max(found.gap.length, FRAME_HEADER_BYTES);
  let sequence = found.firstSequence;
  for (let offset = found.offset; left > 0; ) {
    let payloadLength = Math.min(left - FRAME_HEADER_BYTES, MAX_PAYLOAD_BYTES);
    const rest = left - FRAME_HEADER_BYTES - payloadLength;
    if (rest > 0 && rest < FRAME_HEADER_BYTES) payloadLength -= FRAME_HEADER_BYTES;
    const bytes = new Uint8Array(FRAME_HEADER_BYTES + payloadLength);
    const payloadCrc = crc32(bytes.subarray(FRAME_HEADER_BYTES));
    const frame = {
      kind: FrameKind.VOID,
      endsGroup: true,
      sequence,
      durableMark: lastSequence,
      payloadLength,
    };
    writeFrameHeader(bytes, 0, id, frame, payloadCrc);
    writeAllSync(file, [bytes], offset);
    offset += bytes.length;
    left -= bytes.length;
    sequence = lastSequence + 1;
  }
}

/** Copies a stretch of a file to a file of its own, durably; returns its length. */
function setAside(
  fs: FileSystem,
  file: OpenFile,
  directory: string,
  segmentNumber: number,
  from: number,
  to: number,
  why: 'torn' | 'damaged',
): number {
  if (to <= from) return 0;
  const path = freeSetAsidePath(fs, directory, segmentNumber, from, why);
  const target = fs.openSync(path, 'create');
  try {
    copyStretch(file, from, to, target, 0);
    target.syncSync();
  } catch (error) {
    target.closeSync();
    fs.unlinkSync(path);
    throw error;
  }
  target.closeSync();
  fs.syncDirectorySync(directory);
  return to - from;
}

function freeSetAsidePath(
  fs: FileSystem,
  directory: string,
  segmentNumber: number,
  offset: number,
  why: 'torn' | 'damaged',
): string {
  for (let copy = 0; ; copy++) {
    const path = join(directory, setAsideName(segmentNumber, offset, why, copy));
    if (fs.statSync(path) === undefined) return path;
  }
}

function writeAgain(file: OpenFile, from: number, to: number): void {
  copyStretch(file, from, to, file, from);
  // The header belongs to the first group.
  if (from <= SEGMENT_HEADER_BYTES) copyStretch(file, 0, Math.min(SEGMENT_HEADER_BYTES, to), file, 0);
}

function copyStretch(source: OpenFile, from: number, to: number, target: OpenFile, at: number): void {
  const bytes = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(0, to - from)));
  for (let done = 0; from + done < to; ) {
    const count = source.readSync(bytes.subarray(0, Math.min(bytes.length, to - from - done)), from + done);
    if (count === 0) return;
    writeAllSync(target, [bytes.subarray(0, count)], at + done);
    done += count;
  }
}

function nonZeroEnd(file: OpenFile): number {
  const bytes = new Uint8Array(CHUNK_BYTES);
  let end = 0;
  for (let base = 0; ; base += CHUNK_BYTES) {
    const count = file.readSync(bytes, base);
    for (let i = count - 1; i >= 0; i--) {
      if (bytes[i] !== 0) {
        end = base + i + 1;
        break;
      }
    }
    if (count < bytes.length) return end;
  }
}
