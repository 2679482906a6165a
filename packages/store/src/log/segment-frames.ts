import { TracewellError } from '@tracewell/plugin';
import type { FileSystem } from '../fs/file-system.ts';
import { emptyFrame, FRAME_HEADER_BYTES, frameBytes, Parsed, parseFrame } from './frame.ts';
import { parseSegmentHeader, SEGMENT_HEADER_BYTES, segmentIdHex } from './segment-header.ts';
import { FrameKind } from './types.ts';

/** A frame of a sealed segment. */
export interface SealedFrame {
  readonly kind: FrameKind;
  /** A view of the file as it was read. */
  readonly payload: Uint8Array;
}

/**
 * All frames of a sealed segment, each checked; those that the log keeps to itself are left out.
 *
 * @param bytes - how much of the file belongs to the segment
 * @throws `TracewellError` (`TW_LOG_READ_FAILED`, `TW_LOG_DAMAGED`) if they are not all there, whole
 */
export function readSealedSegment(fs: FileSystem, path: string, id: string, bytes: number): SealedFrame[] {
  const contents = readWhole(fs, path, bytes);
  const header = parseSegmentHeader(contents.subarray(0, SEGMENT_HEADER_BYTES));
  if (typeof header !== 'object' || segmentIdHex(header.id) !== id) throw damaged(path, 0);
  const frames: SealedFrame[] = [];
  const frame = emptyFrame();
  for (let at = SEGMENT_HEADER_BYTES; at < contents.length; ) {
    if (parseFrame(contents, at, contents.length, header.id, frame) !== Parsed.WHOLE) throw damaged(path, at);
    const start = at + FRAME_HEADER_BYTES;
    const kind = frame.kind as FrameKind;
    if (kind !== FrameKind.MARK && kind !== FrameKind.VOID) {
      frames.push({ kind, payload: contents.subarray(start, start + frame.payloadLength) });
    }
    at += frameBytes(frame.payloadLength);
  }
  return frames;
}

function readWhole(fs: FileSystem, path: string, bytes: number): Uint8Array {
  // Not zeroed, since it is read full.
  const contents = Buffer.allocUnsafeSlow(bytes);
  try {
    const file = fs.openSync(path, 'read');
    try {
      if (file.readSync(contents, 0) < bytes) throw new Error('it ends too early');
    } finally {
      file.closeSync();
    }
  } catch (cause) {
    throw new TracewellError(
      'TW_LOG_READ_FAILED',
      `cannot read ${path}: ${(cause as Error).message}; check the disk`,
      {
        cause,
      },
    );
  }
  return contents;
}

function damaged(path: string, at: number): TracewellError {
  return new TracewellError(
    'TW_LOG_DAMAGED',
    `${path} is damaged at byte ${at}, which was acknowledged; restore the file from a copy, or open the store with recovery: 'salvage'`,
  );
}
