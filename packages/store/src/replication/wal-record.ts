/**
 * What a leader ships: a stretch of one of its segments, whole groups of frames, byte for byte as they stand in the
 * file. Little-endian.
 *
 * ```
 * byte  0  u32  magic: the bytes F5 54 57 52
 *       4  u32  format version: 1
 *       8  u64  epoch of the leader
 *      16  u64  id of the writer, as in the directory's name
 *      24  u64  id of the segment
 *      32  u64  number of the segment
 *      40  u64  where the bytes stand in the file; 0 if they begin with the segment's header
 *      48  u64  sequence number of the first frame
 *      56  u32  length of the bytes
 *      60  u32  CRC-32 (the one of zlib) of bytes 0 to 59; the frames have checksums of their own
 *      64       the bytes
 * ```
 */
import { crc32 } from 'node:zlib';
import { MAX_GROUP_BYTES, readU32, readU53, type SegmentId, writeU32, writeU53 } from '../log/frame.ts';
import { SEGMENT_HEADER_BYTES } from '../log/segment-header.ts';
import { ReplicationError } from './replication-error.ts';

/** Bytes before the bytes of the segment. */
export const RECORD_HEADER_BYTES = 64;
/** What a leader ships at a time, unless a single group is larger. */
export const RECORD_BYTES = 1024 * 1024;
/** The largest record. */
export const MAX_RECORD_BYTES = RECORD_HEADER_BYTES + SEGMENT_HEADER_BYTES + MAX_GROUP_BYTES + RECORD_BYTES;

const MAGIC = 0x525754f5;
const VERSION = 1;
const AT_VERSION = 4;
const AT_EPOCH = 8;
const AT_WRITER = 16;
const AT_SEGMENT_ID = 24;
const AT_NUMBER = 32;
const AT_OFFSET = 40;
const AT_SEQUENCE = 48;
const AT_LENGTH = 56;
const AT_CRC = 60;

/** A record, taken apart. */
export interface WalRecord {
  readonly epoch: number;
  /** 16 hex digits. */
  readonly writer: string;
  readonly segmentId: SegmentId;
  readonly segment: number;
  readonly offset: number;
  /** Of the first frame. */
  readonly sequence: number;
  /** As they stand in the segment from `offset` on. */
  readonly bytes: Uint8Array;
}

/** Writes the header of a record whose bytes already stand behind it. */
export function writeRecordHeader(target: Uint8Array, record: Omit<WalRecord, 'bytes'>): void {
  writeU32(target, 0, MAGIC);
  writeU32(target, AT_VERSION, VERSION);
  writeU53(target, AT_EPOCH, record.epoch);
  target.set(Buffer.from(record.writer, 'hex'), AT_WRITER);
  writeU32(target, AT_SEGMENT_ID, record.segmentId.low);
  writeU32(target, AT_SEGMENT_ID + 4, record.segmentId.high);
  writeU53(target, AT_NUMBER, record.segment);
  writeU53(target, AT_OFFSET, record.offset);
  writeU53(target, AT_SEQUENCE, record.sequence);
  writeU32(target, AT_LENGTH, target.length - RECORD_HEADER_BYTES);
  writeU32(target, AT_CRC, crc32(target.subarray(0, AT_CRC)));
}

/**
 * Takes a record apart. Its frames are not looked at.
 *
 * @returns `bytes` is a view
 * @throws `ReplicationError` (`TW_REPLICATION_DAMAGED`) if it is none, or of another version
 */
export function parseWalRecord(record: Uint8Array): WalRecord {
  if (!(record instanceof Uint8Array)) throw new TypeError('applyFramedWal: record must be a Uint8Array');
  if (
    record.length < RECORD_HEADER_BYTES ||
    record.length > MAX_RECORD_BYTES ||
    readU32(record, 0) !== MAGIC ||
    readU32(record, AT_CRC) !== crc32(record.subarray(0, AT_CRC)) ||
    readU32(record, AT_LENGTH) !== record.length - RECORD_HEADER_BYTES
  ) {
    throw new ReplicationError('TW_REPLICATION_DAMAGED', 'the record is not whole; send it again');
  }
  if (readU32(record, AT_VERSION) !== VERSION) {
    throw new ReplicationError(
      'TW_REPLICATION_DAMAGED',
      `the record has version ${readU32(record, AT_VERSION)}; bring leader and standby to the same version of Tracewell`,
    );
  }
  return {
    epoch: readU53(record, AT_EPOCH),
    writer: Buffer.from(record.subarray(AT_WRITER, AT_WRITER + 8)).toString('hex'),
    segmentId: { low: readU32(record, AT_SEGMENT_ID), high: readU32(record, AT_SEGMENT_ID + 4) },
    segment: readU53(record, AT_NUMBER),
    offset: readU53(record, AT_OFFSET),
    sequence: readU53(record, AT_SEQUENCE),
    bytes: record.subarray(RECORD_HEADER_BYTES),
  };
}
