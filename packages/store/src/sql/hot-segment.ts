import { dirname } from 'node:path';
import { nodeFileSystem } from '../fs/node-file-system.ts';
import { LogSegment, ReadFiles } from '../log/segment.ts';
import { parseSegmentHeader, SEGMENT_HEADER_BYTES, segmentIdHex } from '../log/segment-header.ts';
import { Follower, type FrameContent } from '../tails/follower.ts';

/** A segment of the log whose rows are hot: in no file of the cold tier yet. */
export interface HotSegment {
  readonly id: string;
  readonly writer: string;
  readonly number: number;
  /** The file. */
  readonly path: string;
  /** Up to where its frames are whole and acknowledged. */
  readonly bytes: number;
}

/** A file of a snapshot is not there any more: its rows are in another one now, or were dropped. */
export class FileGone extends Error {
  override readonly name: string = 'FileGone';
}

/** What is read at a time. */
const STEP_BYTES = 4 * 1024 * 1024;

/**
 * The payloads of one kind in a part of a segment.
 *
 * @param from - where a frame starts; 0 stands for the first one
 * @throws {@link FileGone}; `TracewellError` (`TW_LOG_READ_FAILED`)
 */
export function* payloadsOf(
  segment: HotSegment,
  content: FrameContent,
  from: number,
  to: number,
): Generator<Uint8Array, void, undefined> {
  const files = new ReadFiles(nodeFileSystem);
  try {
    const file = open(segment, files);
    file.bytes = to;
    file.sealed = true;
    const { writer, number, id: segmentId } = file;
    const offset = Math.max(from, SEGMENT_HEADER_BYTES);
    const position = { writer, segment: number, segmentId, offset, sequence: 0, last: undefined };
    const follower = new Follower({ segments: () => [file] }, [position]);
    for (;;) {
      const { frames, positions } = follower.read(STEP_BYTES);
      for (const frame of frames) if (frame.content === content) yield frame.payload;
      if (positions.length === 0) return;
    }
  } finally {
    files.closeAll();
  }
}

function open({ id, path }: HotSegment, files: ReadFiles): LogSegment {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  try {
    files.get(path).readSync(bytes, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new FileGone();
    throw error;
  }
  const header = parseSegmentHeader(bytes);
  // Another one of the same name: a log that is taken over counts from 1 again.
  if (typeof header !== 'object' || segmentIdHex(header.id) !== id) throw new FileGone();
  return new LogSegment(files, dirname(path), header);
}
