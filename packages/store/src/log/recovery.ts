/**
 * What a writer does to a log that it takes over, after a {@link LogReader} has read it and before anything is
 * appended. Only the holder of the writer's lock may.
 *
 * 1. What `salvage` left out is copied aside and replaced by frames that say so, so that the log is whole again
 *    and the next opening does not stop.
 * 2. What stands behind the last whole group is copied aside and cut off. It was never acknowledged.
 * 3. Files that were made for the next segments are removed; none of them has begun.
 * 4. Frames that nothing proves durable are written again, the same bytes at the same place, and synced. They
 *    may be in the page cache only; and after a failed sync the operating system may call pages clean that
 *    never reached the disk, which a mere second sync would believe.
 *
 * Each step can be interrupted and done again: copies are durable before what they copy is changed.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type FileSystem, type OpenFile, writeAllSync } from '../fs/file-system.ts';
import { FRAME_HEADER_BYTES, MAX_PAYLOAD_BYTES, type SegmentId, writeFrameHeader } from './frame.ts';
import { indexPath, segmentPath, setAsideName } from './names.ts';
import type { FoundGap, LogReader } from './reader.ts';
import type { Behind } from './scan.ts';
import { encodeSegmentHeader, randomSegmentId, SEGMENT_HEADER_BYTES } from './segment-header.ts';
import { FrameKind } from './types.ts';

const CHUNK_BYTES = 1024 * 1024;

/**
 * Makes a log that has been read to its end ready to be appended to.
 *
 * @param tail - what the reader found behind the last whole group
 * @returns how many bytes of an unfinished group were cut off
 */
export function recoverLog<Prepared>(
  fs: FileSystem,
  reader: LogReader<Prepared>,
  tail: Behind,
  randomBytes: (count: number) => Uint8Array,
): number {
  repairGaps(fs, reader, randomBytes);
  let tornBytes = 0;
  const segment = reader.current;
  if (segment !== undefined && !segment.sealed) {
    const file = fs.openSync(segment.path, 'write');
    try {
      if (file.sizeSync() > segment.bytes) {
        const end = Math.min(tail.nonZeroEnd, file.sizeSync());
        tornBytes += setAside(fs, file, reader.directory, segment.number, segment.bytes, end, 'torn');
        file.truncateSync(segment.bytes);
      }
      writeAgain(file, reader.uncertainFrom, segment.bytes);
      file.syncSync();
    } finally {
      file.closeSync();
    }
  }
  for (const number of reader.notBegun()) {
    const path = segmentPath(reader.directory, number);
    const file = fs.openSync(path, 'read');
    try {
      tornBytes += setAside(fs, file, reader.directory, number, 0, nonZeroEnd(file), 'torn');
    } finally {
      file.closeSync();
    }
    fs.unlinkSync(path);
  }
  fs.syncDirectorySync(reader.directory);
  return tornBytes;
}

/** Replaces what the reader left out by frames that stand for it. */
export function repairGaps<Prepared>(
  fs: FileSystem,
  reader: LogReader<Prepared>,
  randomBytes: (count: number) => Uint8Array,
): void {
  for (const found of reader.foundGaps) {
    const path = segmentPath(reader.directory, found.segmentNumber);
    const index = indexPath(reader.directory, found.segmentNumber);
    if (fs.statSync(index) !== undefined) fs.unlinkSync(index);
    if (found.segment === undefined) repairMissing(fs, reader, found, randomSegmentId(randomBytes));
    else {
      const file = fs.openSync(path, 'write');
      try {
        const { length } = found.gap;
        const end = Math.min(found.offset + length, file.sizeSync());
        setAside(fs, file, reader.directory, found.segmentNumber, found.offset, end, 'damaged');
        if (found.offset === 0) {
          const { idHalves: id, number, firstSequence, writer } = found.segment;
          writeAllSync(file, [encodeSegmentHeader({ id, number, firstSequence, writer })], 0);
        } else {
          writeVoid(file, found, found.segment.idHalves);
        }
        file.syncSync();
      } finally {
        file.closeSync();
      }
    }
  }
  reader.foundGaps.length = 0;
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
  let copy = 0;
  let path = join(directory, setAsideName(segmentNumber, from, why, copy));
  while (fs.statSync(path) !== undefined) {
    path = join(directory, setAsideName(segmentNumber, from, why, ++copy));
  }
  const target = fs.openSync(path, 'create');
  try {
    copyStretch(file, from, to, target, 0);
    target.syncSync();
  } finally {
    target.closeSync();
  }
  fs.syncDirectorySync(directory);
  return to - from;
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
