/**
 * One record of the log, as it stands in a file and as it is shipped to a standby. Little-endian.
 *
 * ```
 * byte  0  u32  magic: the bytes F5 54 57 46
 *       4  u8   format version: 1
 *       5  u8   kind, see FrameKind
 *       6  u16  flags: bit 0 ends a group, see below; the others are 0
 *       8  u64  id of the segment: random, the same in every frame of a file
 *      16  u64  sequence number: counts up by one over all segments of a writer
 *      24  u64  durable mark: the highest sequence number known durable when this frame was written
 *      32  u32  payload length, at most 16 MiB
 *      36  u32  CRC-32 (the one of zlib) of the payload followed by bytes 0 to 35
 *      40       payload, then zeros up to a multiple of 8
 * ```
 *
 * - **Zeros never parse**, because of the magic; **nor do bytes of another file** (a recycled block, a copy of
 *   a frame inside somebody's payload), because of the segment id.
 * - The first byte of the magic never occurs in UTF-8, so that text rarely looks like a frame to the scan for
 *   the next one after damage. That scan goes in steps of 8 bytes, since every frame starts at such a step.
 * - **The end of a group.** Frames that are written and synced together are a group, and only its last one
 *   carries the flag. A group without its end was never acknowledged: readers don't look at it, recovery cuts
 *   all of it off. That is also what lets a failed write be overwritten by the next: nobody has seen it.
 * - **The durable mark** tells a torn tail from damage. A frame that is not whole, at or below the durable
 *   mark of a later one, has been whole once: that is damage. One above every later mark was never finished.
 * - The checksum takes the payload first, so that it can be worked out before the header is known, while the
 *   group before this one is still being written.
 */
import { crc32 } from 'node:zlib';
import { FrameKind } from './types.ts';

/** Bytes before the payload. */
export const FRAME_HEADER_BYTES = 40;
/** Frames start at multiples of this. */
export const FRAME_ALIGNMENT = 8;
/** The largest payload: larger requests are split before they come here. 16 MiB. */
export const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;
/**
 * A writer ends a group before it grows beyond this, unless a single frame does. 4 MiB: more makes a sync no
 * cheaper a byte, and every insert of a group waits for all of it.
 */
export const GROUP_BYTES = 4 * 1024 * 1024;
/** So this is the most that a reader must hold at once. */
export const MAX_GROUP_BYTES = FRAME_HEADER_BYTES + MAX_PAYLOAD_BYTES;
/** The version that this code writes, and the only one that it reads. */
export const FORMAT_VERSION = 1;

const MAGIC = 0x465754f5;
const FLAG_END_OF_GROUP = 1;

const AT_VERSION = 4;
const AT_KIND = 5;
const AT_FLAGS = 6;
const AT_SEGMENT_ID = 8;
const AT_SEQUENCE = 16;
const AT_DURABLE_MARK = 24;
const AT_LENGTH = 32;
const AT_CRC = 36;

assertLayout();

/** Bytes that a frame takes with its padding. */
export function frameBytes(payloadLength: number): number {
  return (FRAME_HEADER_BYTES + payloadLength + (FRAME_ALIGNMENT - 1)) & -FRAME_ALIGNMENT;
}

/** A random segment id, as its two unsigned halves; no BigInt on the way of a frame. */
export interface SegmentId {
  readonly low: number;
  readonly high: number;
}

/** A frame as {@link parseFrame} found it, or as {@link writeFrameHeader} is to write it. */
export interface Frame {
  kind: number;
  /** Whether the frame is the last of its group. */
  endsGroup: boolean;
  sequence: number;
  durableMark: number;
  payloadLength: number;
}

/** A frame to parse into, again and again. */
export function emptyFrame(): Frame {
  return { kind: 0, endsGroup: false, sequence: 0, durableMark: 0, payloadLength: 0 };
}

/** What {@link parseFrame} found. */
export const Parsed = {
  /** A whole frame. */
  WHOLE: 0,
  /** The start of what may be a frame; `payloadLength` tells how much of it must be there. */
  PARTIAL: 1,
  /** Nothing that this segment's writer finished. */
  INVALID: 2,
  /** A whole frame of a newer version or an unknown kind. */
  NEWER: 3,
} as const;
/** One of the numbers of {@link Parsed}. */
export type Parsed = (typeof Parsed)[keyof typeof Parsed];

/**
 * Writes a frame's header.
 *
 * @param payloadCrc - the CRC-32 of the payload
 */
export function writeFrameHeader(
  target: Uint8Array,
  at: number,
  segment: SegmentId,
  frame: Readonly<Frame>,
  payloadCrc: number,
): void {
  writeU32(target, at, MAGIC);
  target[at + AT_VERSION] = FORMAT_VERSION;
  target[at + AT_KIND] = frame.kind;
  target[at + AT_FLAGS] = frame.endsGroup ? FLAG_END_OF_GROUP : 0;
  target[at + AT_FLAGS + 1] = 0;
  writeU32(target, at + AT_SEGMENT_ID, segment.low);
  writeU32(target, at + AT_SEGMENT_ID + 4, segment.high);
  writeU53(target, at + AT_SEQUENCE, frame.sequence);
  writeU53(target, at + AT_DURABLE_MARK, frame.durableMark);
  writeU32(target, at + AT_LENGTH, frame.payloadLength);
  writeU32(target, at + AT_CRC, crc32(target.subarray(at, at + AT_CRC), payloadCrc));
}

/**
 * Looks for a frame at `at`, and allocates nothing.
 *
 * @param end - where the bytes that are there end
 * @param segment - the id that the frame must have; `undefined` takes any
 * @param frame - filled in unless the result is `INVALID`
 */
export function parseFrame(
  bytes: Uint8Array,
  at: number,
  end: number,
  segment: SegmentId | undefined,
  frame: Frame,
): Parsed {
  if (end - at < FRAME_HEADER_BYTES) {
    frame.payloadLength = 0;
    return Parsed.PARTIAL;
  }
  if (readU32(bytes, at) !== MAGIC) return Parsed.INVALID;
  if (
    segment !== undefined &&
    (readU32(bytes, at + AT_SEGMENT_ID) !== segment.low ||
      readU32(bytes, at + AT_SEGMENT_ID + 4) !== segment.high)
  ) {
    return Parsed.INVALID;
  }
  const length = readU32(bytes, at + AT_LENGTH);
  if (length > MAX_PAYLOAD_BYTES) return Parsed.INVALID;
  readFrameHeader(bytes, at, frame);
  if (frameBytes(length) > end - at) return Parsed.PARTIAL;

  const payloadAt = at + FRAME_HEADER_BYTES;
  const payloadCrc = crc32(bytes.subarray(payloadAt, payloadAt + length));
  if (crc32(bytes.subarray(at, at + AT_CRC), payloadCrc) !== readU32(bytes, at + AT_CRC))
    return Parsed.INVALID;
  for (let i = payloadAt + length; i < at + frameBytes(length); i++) {
    if (bytes[i] !== 0) return Parsed.INVALID;
  }
  const flags = bytes[at + AT_FLAGS]! | (bytes[at + AT_FLAGS + 1]! << 8);
  if (bytes[at + AT_VERSION] !== FORMAT_VERSION || !isKnownKind(frame.kind) || flags > FLAG_END_OF_GROUP) {
    return Parsed.NEWER;
  }
  return Parsed.WHOLE;
}

/** Reads the header of a frame that is known to be whole. */
export function readFrameHeader(bytes: Uint8Array, at: number, frame: Frame): void {
  frame.kind = bytes[at + AT_KIND]!;
  frame.endsGroup = (bytes[at + AT_FLAGS]! & FLAG_END_OF_GROUP) !== 0;
  frame.sequence = readU53(bytes, at + AT_SEQUENCE);
  frame.durableMark = readU53(bytes, at + AT_DURABLE_MARK);
  frame.payloadLength = readU32(bytes, at + AT_LENGTH);
}

/** Whether a frame can start here at all: its first bytes are the magic. */
export function startsFrame(bytes: Uint8Array, at: number): boolean {
  return readU32(bytes, at) === MAGIC;
}

/** The id of the segment that a frame says it belongs to. */
export function frameSegmentId(bytes: Uint8Array, at: number): SegmentId {
  return { low: readU32(bytes, at + AT_SEGMENT_ID), high: readU32(bytes, at + AT_SEGMENT_ID + 4) };
}

/** The checksum in the header of a frame. */
export function frameChecksum(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + AT_CRC);
}

/** Whether a number is a {@link FrameKind} of this version. */
export function isKnownKind(kind: number): kind is FrameKind {
  return KNOWN_KINDS.has(kind);
}

const KNOWN_KINDS: ReadonlySet<number> = new Set(Object.values(FrameKind));

// Plain shifts: Buffer's readUInt32LE made the scanner of the prototypes a tenth slower.

/** Reads an unsigned 32-bit number. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** Writes an unsigned 32-bit number. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Reads an unsigned 64-bit number as a JavaScript number; one beyond 2^53 comes back inexact, and so unequal. */
export function readU53(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + 4) * 0x1_0000_0000 + readU32(bytes, at);
}

/** Writes a safe integer as an unsigned 64-bit number. */
export function writeU53(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, value % 0x1_0000_0000);
  writeU32(bytes, at + 4, Math.floor(value / 0x1_0000_0000));
}

/** Holds the table above against the constants, once, when the module is loaded. */
function assertLayout(): void {
  const fields = [
    [0, 4],
    [AT_VERSION, 1],
    [AT_KIND, 1],
    [AT_FLAGS, 2],
    [AT_SEGMENT_ID, 8],
    [AT_SEQUENCE, 8],
    [AT_DURABLE_MARK, 8],
    [AT_LENGTH, 4],
    [AT_CRC, 4],
  ] as const;
  let at = 0;
  for (const [offset, size] of fields) {
    if (offset !== at) throw new Error(`frame layout: a field at byte ${offset} should be at ${at}`);
    at += size;
  }
  if (at !== FRAME_HEADER_BYTES || at % FRAME_ALIGNMENT !== 0) {
    throw new Error(`frame layout: the header has ${at} bytes`);
  }
}
