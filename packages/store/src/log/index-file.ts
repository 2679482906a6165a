/**
 * The file beside a sealed segment that holds the indexer's bytes. Little-endian.
 *
 * ```
 * byte  0  u32  magic: the bytes F5 54 57 49
 *       4  u32  format version: 1
 *       8  u64  id of the segment
 *      16  u64  length of the segment, without zeros behind its last frame
 *      24  u64  sequence number of the segment's last frame
 *      32  u64  length of the indexer's bytes
 *      40       zeros
 *      56  u32  CRC-32 (the one of zlib) of the indexer's bytes
 *      60  u32  CRC-32 of bytes 0 to 59
 *      64       the indexer's bytes
 * ```
 *
 * It is derived data: one that is missing, damaged or of another segment is built again from the frames.
 */
import { crc32 } from 'node:zlib';
import { type FileSystem, MAX_PIECES, type OpenFile, writeAll } from '../fs/file-system.ts';
import { readU32, readU53, type SegmentId, writeU32, writeU53 } from './frame.ts';

const HEADER_BYTES = 64;
const MAGIC = 0x495754f5;
const VERSION = 1;
const AT_VERSION = 4;
const AT_SEGMENT_ID = 8;
const AT_SEGMENT_BYTES = 16;
const AT_LAST_SEQUENCE = 24;
const AT_LENGTH = 32;
const AT_CRC = 56;
const AT_HEADER_CRC = 60;

/** The state of a sealed segment, which ties its index file to it. */
export interface SealedState {
  readonly id: SegmentId;
  readonly bytes: number;
  readonly lastSequence: number;
}

/** A valid index file. */
export interface IndexFile {
  readonly segmentBytes: number;
  readonly lastSequence: number;
  /** The indexer's bytes, aligned to 8. */
  readonly bytes: Uint8Array;
}

/**
 * Reads and checks an index file.
 *
 * @param fileBytes - how long the segment's file is
 * @returns `undefined` if there is none, or none that can be read, is whole and belongs to the segment
 */
export function readIndexFile(
  fs: FileSystem,
  path: string,
  id: SegmentId,
  fileBytes: number,
): IndexFile | undefined {
  let file: OpenFile | undefined;
  try {
    file = fs.openSync(path, 'read');
    const size = file.sizeSync();
    // The header first, so that a damaged length or a foreign file costs no large allocation.
    const header = new Uint8Array(HEADER_BYTES);
    if (file.readSync(header, 0) < HEADER_BYTES) return undefined;
    if (
      readU32(header, 0) !== MAGIC ||
      readU32(header, AT_VERSION) !== VERSION ||
      readU32(header, AT_HEADER_CRC) !== crc32(header.subarray(0, AT_HEADER_CRC)) ||
      readU32(header, AT_SEGMENT_ID) !== id.low ||
      readU32(header, AT_SEGMENT_ID + 4) !== id.high ||
      readU53(header, AT_SEGMENT_BYTES) > fileBytes ||
      readU53(header, AT_LENGTH) !== size - HEADER_BYTES
    ) {
      return undefined;
    }
    // Not zeroed, since it is read full; and not of the shared pool, since the indexer keeps it.
    const bytes = Buffer.allocUnsafeSlow(size - HEADER_BYTES);
    if (file.readSync(bytes, HEADER_BYTES) < bytes.length) return undefined;
    if (crc32(bytes) !== readU32(header, AT_CRC)) return undefined;
    return {
      segmentBytes: readU53(header, AT_SEGMENT_BYTES),
      lastSequence: readU53(header, AT_LAST_SEQUENCE),
      bytes,
    };
  } catch {
    return undefined;
  } finally {
    file?.closeSync();
  }
}

/**
 * Writes an index file so that it is there whole or not at all: under another name, synced, renamed.
 *
 * @param temporaryPath - in the same directory; must not exist
 */
export async function writeIndexFile(
  fs: FileSystem,
  path: string,
  temporaryPath: string,
  segment: SealedState,
  pieces: readonly Uint8Array[],
): Promise<void> {
  let length = 0;
  let crc = 0;
  for (const piece of pieces) {
    length += piece.length;
    crc = crc32(piece, crc);
  }
  const header = new Uint8Array(HEADER_BYTES);
  writeU32(header, 0, MAGIC);
  writeU32(header, AT_VERSION, VERSION);
  writeU32(header, AT_SEGMENT_ID, segment.id.low);
  writeU32(header, AT_SEGMENT_ID + 4, segment.id.high);
  writeU53(header, AT_SEGMENT_BYTES, segment.bytes);
  writeU53(header, AT_LAST_SEQUENCE, segment.lastSequence);
  writeU53(header, AT_LENGTH, length);
  writeU32(header, AT_CRC, crc);
  writeU32(header, AT_HEADER_CRC, crc32(header.subarray(0, AT_HEADER_CRC)));

  const file = fs.openSync(temporaryPath, 'create');
  try {
    let position = 0;
    const all = [header, ...pieces];
    for (let i = 0; i < all.length; i += MAX_PIECES) {
      const some = all.slice(i, i + MAX_PIECES);
      await writeAll(file, some, position);
      position += some.reduce((sum, piece) => sum + piece.length, 0);
    }
    await file.sync();
  } catch (error) {
    file.closeSync();
    fs.unlinkSync(temporaryPath);
    throw error;
  }
  file.closeSync();
  fs.renameSync(temporaryPath, path);
}
