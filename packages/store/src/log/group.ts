import { crc32 } from 'node:zlib';
import { MAX_PIECES } from '../fs/file-system.ts';
import { FRAME_HEADER_BYTES, frameBytes, GROUP_BYTES, type SegmentId, writeFrameHeader } from './frame.ts';
import type { OwnFrame } from './reader.ts';
import type { SegmentHeader } from './segment-header.ts';
import type { FrameKind } from './types.ts';

/** One append that waits to be written. */
export class PendingFrame<Prepared> implements OwnFrame<Prepared> {
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
  readonly prepared: Prepared | undefined;
  /** Worked out when the append comes in: often while the group before it is being written. */
  readonly payloadCrc: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;

  constructor(
    kind: FrameKind,
    payload: Uint8Array,
    prepared: Prepared | undefined,
    resolve: () => void,
    reject: (error: Error) => void,
  ) {
    this.kind = kind;
    this.payload = payload;
    this.prepared = prepared;
    this.payloadCrc = crc32(payload);
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** Frames that are written and synced together, and become visible together. */
export interface Group<Prepared> {
  readonly frames: readonly PendingFrame<Prepared>[];
  /** Bytes in the file, without a segment header. */
  readonly bytes: number;
  /** Whether its bytes are in the file and counted, perhaps not yet synced. */
  written: boolean;
  /** Whether it has been settled, which `appendSync` may do while a thread still writes it. */
  settled: boolean;
  /** Where and what to write, once that is fixed. */
  placed: Placement | undefined;
}

/** Where a group goes. */
export interface Placement {
  readonly segment: SegmentHeader;
  /** Where its bytes go; 0 if the segment's header goes with it. */
  readonly position: number;
  readonly firstSequence: number;
  readonly pieces: readonly Uint8Array[];
}

/** A payload up to this is copied behind its header: cheaper than a piece of its own in the write. */
const COPY_BYTES = 4096;

/** Takes the next group from the front of a queue. */
export function takeGroup<Prepared>(queue: PendingFrame<Prepared>[]): Group<Prepared> {
  let count = 0;
  let bytes = 0;
  while (count < queue.length) {
    const more = frameBytes(queue[count]!.payload.length);
    // A frame takes at most two pieces, and the segment's header may come before the first.
    if (count > 0 && (bytes + more > GROUP_BYTES || 2 * count + 4 > MAX_PIECES)) break;
    bytes += more;
    count++;
  }
  return { frames: queue.splice(0, count), bytes, written: false, settled: false, placed: undefined };
}

/**
 * The bytes of a group: headers, padding and small payloads in memory of our own, large payloads where they
 * are, so that nothing large is copied.
 *
 * @param segmentHeader - written before the first frame of a segment
 */
export function encodeGroup<Prepared>(
  frames: readonly PendingFrame<Prepared>[],
  segment: SegmentId,
  firstSequence: number,
  durableMark: number,
  segmentHeader: Uint8Array | undefined,
): Uint8Array[] {
  let ownBytes = segmentHeader?.length ?? 0;
  for (const { payload } of frames) {
    ownBytes += frameBytes(payload.length) - (payload.length > COPY_BYTES ? payload.length : 0);
  }
  // Zeroed, which makes the padding.
  const own = new Uint8Array(ownBytes);
  const pieces: Uint8Array[] = [];
  let from = 0;
  let at = 0;
  if (segmentHeader !== undefined) {
    own.set(segmentHeader);
    at = segmentHeader.length;
  }
  for (let i = 0; i < frames.length; i++) {
    const { kind, payload, payloadCrc } = frames[i]!;
    const { length } = payload;
    const endsGroup = i === frames.length - 1;
    const frame = { kind, endsGroup, sequence: firstSequence + i, durableMark, payloadLength: length };
    writeFrameHeader(own, at, segment, frame, payloadCrc);
    at += FRAME_HEADER_BYTES;
    const padding = frameBytes(length) - FRAME_HEADER_BYTES - length;
    if (length > COPY_BYTES) {
      pieces.push(own.subarray(from, at), payload);
      from = at;
    } else {
      own.set(payload, at);
      at += length;
    }
    at += padding;
  }
  if (at > from) pieces.push(own.subarray(from, at));
  return pieces;
}
