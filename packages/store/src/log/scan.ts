/**
 * The look ahead from a place where no whole frame stands: is there a later frame that proves that one stood
 * here once (damage), or not (a tail that was never finished)?
 */
import {
  emptyFrame,
  FRAME_ALIGNMENT,
  FRAME_HEADER_BYTES,
  type Frame,
  frameBytes,
  frameSegmentId,
  Parsed,
  parseFrame,
  readU32,
  type SegmentId,
  startsFrame,
} from './frame.ts';

/** Reads from a segment's file at an offset until the target is full or the file ends. */
export type ReadAt = (target: Uint8Array, offset: number) => number;

/** What stands behind a place where no whole frame stands. */
export interface Behind {
  /** The next whole frame of the same log, if there is one. */
  readonly next:
    | { readonly offset: number; readonly sequence: number; readonly segment: SegmentId }
    | undefined;
  /** Whether a whole frame behind it says that the frame in question was durable. */
  readonly damaged: boolean;
  /** Where the last 8 bytes that are not all zero end; the offset of the place itself if there are none. */
  readonly nonZeroEnd: number;
}

const WINDOW_BYTES = 1024 * 1024;

/**
 * Scans a file from `offset` to its end.
 *
 * @param offset - where a frame should start; a multiple of 8
 * @param sequence - the sequence number that this frame should have
 * @param segment - the id that frames must have; `undefined` if the segment's header is lost
 */
export function lookBehind(
  read: ReadAt,
  offset: number,
  sequence: number,
  segment: SegmentId | undefined,
): Behind {
  const frame = emptyFrame();
  const window = new Uint8Array(WINDOW_BYTES + FRAME_HEADER_BYTES);
  let next: Behind['next'];
  let damaged = false;
  let nonZeroEnd = offset;
  for (let base = offset, skipTo = offset; ; base += WINDOW_BYTES) {
    const end = read(window, base);
    if (end === 0) break;
    window.fill(0, end);
    for (let at = 0; at < Math.min(end, WINDOW_BYTES); at += FRAME_ALIGNMENT) {
      if ((readU32(window, at) | readU32(window, at + 4)) === 0) continue;
      nonZeroEnd = base + Math.min(at + FRAME_ALIGNMENT, end);
      if (base + at < skipTo || end - at < FRAME_HEADER_BYTES || !startsFrame(window, at)) continue;
      const id = frameSegmentId(window, at);
      if (!isWholeAt(read, window, at, end, base + at, segment, frame)) continue;
      if (frame.sequence < sequence) continue;
      next ??= { offset: base + at, sequence: frame.sequence, segment: id };
      damaged ||= frame.durableMark >= sequence;
      skipTo = base + at + frameBytes(frame.payloadLength);
    }
    if (end < window.length) break;
  }
  return { next, damaged, nonZeroEnd };
}

function isWholeAt(
  read: ReadAt,
  window: Uint8Array,
  at: number,
  end: number,
  offset: number,
  segment: SegmentId | undefined,
  frame: Frame,
): boolean {
  const parsed = parseFrame(window, at, end, segment, frame);
  if (parsed !== Parsed.PARTIAL) return parsed === Parsed.WHOLE;
  const bytes = new Uint8Array(frameBytes(frame.payloadLength));
  const count = read(bytes, offset);
  return parseFrame(bytes, 0, count, segment, frame) === Parsed.WHOLE;
}
