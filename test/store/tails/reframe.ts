// The frames of one segment as another segment would hold them.
import { crc32 } from 'node:zlib';
import {
  emptyFrame,
  FRAME_HEADER_BYTES,
  frameBytes,
  Parsed,
  parseFrame,
  type SegmentId,
  writeFrameHeader,
} from '../../../packages/store/src/log/frame.ts';
import { parseSegmentHeader, SEGMENT_HEADER_BYTES } from '../../../packages/store/src/log/segment-header.ts';

/** The frames of `from` behind the header of `to`, with its id. */
export function reframe(from: Uint8Array, to: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(from);
  bytes.set(to.subarray(0, SEGMENT_HEADER_BYTES));
  const { id } = parseSegmentHeader(to.subarray(0, SEGMENT_HEADER_BYTES)) as { id: SegmentId };
  const frame = emptyFrame();
  for (let at = SEGMENT_HEADER_BYTES; at < bytes.length; at += frameBytes(frame.payloadLength)) {
    if (parseFrame(bytes, at, bytes.length, undefined, frame) !== Parsed.WHOLE) break;
    const payloadAt = at + FRAME_HEADER_BYTES;
    writeFrameHeader(bytes, at, id, frame, crc32(bytes.subarray(payloadAt, payloadAt + frame.payloadLength)));
  }
  return bytes;
}
