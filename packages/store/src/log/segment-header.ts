/**
 * The first bytes of a segment file. Little-endian.
 *
 * ```
 * byte  0  u32  magic: the bytes F5 54 57 53
 *       4  u32  format version: 1
 *       8  u64  id of the segment: random
 *      16  u64  number of the segment within the writer's log, as in the file's name
 *      24  u64  sequence number of the first frame
 *      32  u64  id of the writer, as in the directory's name
 *      40       zeros
 *      60  u32  CRC-32 (the one of zlib) of bytes 0 to 59
 * ```
 *
 * The header is written together with the first group of frames, into a file that was made and named durably
 * before. So a file that is empty, or has zeros here, is a segment that has not begun.
 */
import { crc32 } from 'node:zlib';
import { FORMAT_VERSION, readU32, readU53, type SegmentId, writeU32, writeU53 } from './frame.ts';

/** Bytes before the first frame. */
export const SEGMENT_HEADER_BYTES = 64;

const MAGIC = 0x535754f5;
const AT_VERSION = 4;
const AT_ID = 8;
const AT_NUMBER = 16;
const AT_FIRST_SEQUENCE = 24;
const AT_WRITER = 32;
const AT_CRC = 60;

/** What a segment's header says. */
export interface SegmentHeader {
  readonly id: SegmentId;
  readonly number: number;
  readonly firstSequence: number;
  /** 16 hex digits. */
  readonly writer: string;
}

/**
 * What the first bytes of a file are: a header, `empty` (nothing or zeros), `newer` (a version that this code
 * does not know), `invalid`.
 */
export type ParsedSegmentHeader = SegmentHeader | 'empty' | 'newer' | 'invalid';

/** The bytes of a header. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  writeU32(bytes, 0, MAGIC);
  writeU32(bytes, AT_VERSION, FORMAT_VERSION);
  writeU32(bytes, AT_ID, header.id.low);
  writeU32(bytes, AT_ID + 4, header.id.high);
  writeU53(bytes, AT_NUMBER, header.number);
  writeU53(bytes, AT_FIRST_SEQUENCE, header.firstSequence);
  bytes.set(Buffer.from(header.writer, 'hex'), AT_WRITER);
  writeU32(bytes, AT_CRC, crc32(bytes.subarray(0, AT_CRC)));
  return bytes;
}

/**
 * Parses the first {@link SEGMENT_HEADER_BYTES} bytes of a file, or as many as it has.
 *
 * A newer version is recognised before the checksum is: where that stands is the newer version's business.
 */
export function parseSegmentHeader(bytes: Uint8Array): ParsedSegmentHeader {
  if (bytes.every((byte) => byte === 0)) return 'empty';
  if (bytes.length < SEGMENT_HEADER_BYTES || readU32(bytes, 0) !== MAGIC) return 'invalid';
  if (readU32(bytes, AT_CRC) !== crc32(bytes.subarray(0, AT_CRC))) {
    return readU32(bytes, AT_VERSION) > FORMAT_VERSION ? 'newer' : 'invalid';
  }
  if (readU32(bytes, AT_VERSION) !== FORMAT_VERSION) return 'newer';
  return {
    id: { low: readU32(bytes, AT_ID), high: readU32(bytes, AT_ID + 4) },
    number: readU53(bytes, AT_NUMBER),
    firstSequence: readU53(bytes, AT_FIRST_SEQUENCE),
    writer: Buffer.from(bytes.subarray(AT_WRITER, AT_WRITER + 8)).toString('hex'),
  };
}

/** A new segment's id: never all zero. */
export function randomSegmentId(randomBytes: (count: number) => Uint8Array): SegmentId {
  const bytes = randomBytes(8);
  return { low: (readU32(bytes, 0) | 1) >>> 0, high: readU32(bytes, 4) };
}

/** An id as 16 hex digits. */
export function segmentIdHex(id: SegmentId): string {
  return id.high.toString(16).padStart(8, '0') + id.low.toString(16).padStart(8, '0');
}
