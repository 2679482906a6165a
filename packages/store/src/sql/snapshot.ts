import { join, resolve } from 'node:path';
import { logDirectory, segmentPath } from '../log/names.ts';
import type { Segment } from '../log/types.ts';
import type { HotSegment } from './hot-segment.ts';

/** The segments of a log as the process for SQL finds them. */
export function hotSegments(directory: string, segments: Iterable<Segment>): HotSegment[] {
  const log = logDirectory(resolve(directory));
  return Array.from(segments, ({ id, writer, number, bytes }) => ({
    id,
    writer,
    number,
    bytes,
    path: segmentPath(join(log, writer), number),
  }));
}
