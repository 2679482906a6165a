import type { Log, Segment } from '../log/types.ts';

/** How far a tail has come in the log of one writer: behind the last frame that it is done with. */
export interface Position {
  readonly writer: string;
  /** The segment's number in the writer's log. */
  readonly segment: number;
  /** The segment's id: another file of the same number is another segment. */
  readonly segmentId: string;
  /** Where the next frame starts, in bytes from the start of the file. */
  readonly offset: number;
  /** The sequence number of the last frame; the one before the first of the segment if there is none yet. */
  readonly sequence: number;
  /**
   * What proves that the frame before `offset` is the one that the tail had; `undefined` at the start of a
   * segment. A power cut may take back what a log without `durability: 'commit'` had acknowledged, and other
   * frames are then written in the same place.
   */
  readonly last: LastFrame | undefined;
}

/** The frame before a position. */
export interface LastFrame {
  readonly offset: number;
  /** The CRC-32 in its header. */
  readonly checksum: number;
}

/** Whether one position of a log is behind or at another. */
export function isPast(position: Position, other: Pick<Position, 'segment' | 'offset'>): boolean {
  return (
    position.segment > other.segment ||
    (position.segment === other.segment && position.offset >= other.offset)
  );
}

/** The segments of one writer, oldest first. */
export function segmentsOf(segments: Iterable<Segment>, writer: string | undefined): Segment[] {
  const found: Segment[] = [];
  for (const segment of segments) if (segment.writer === writer) found.push(segment);
  return found.sort((a, b) => a.number - b.number);
}

/** The segments of each writer, oldest first. */
export function byWriter(segments: Iterable<Segment>): Map<string, Segment[]> {
  const writers = new Map<string, Segment[]>();
  for (const segment of segments) {
    const known = writers.get(segment.writer);
    if (known === undefined) writers.set(segment.writer, [segment]);
    else known.push(segment);
  }
  for (const known of writers.values()) known.sort((a, b) => a.number - b.number);
  return writers;
}

/**
 * The position in a writer's log, if it still means something. A log that was compacted away as a whole and is
 * then taken over counts its segments from 1 again: a position behind all there are is of an earlier life.
 *
 * @param segments - of the writer, oldest first; at least one
 */
export function positionIn(
  segments: readonly Segment[],
  position: Position | undefined,
): Position | undefined {
  if (position === undefined || position.segment > segments.at(-1)!.number) return undefined;
  const same = segments.find(({ number }) => number === position.segment);
  return same === undefined || same.id === position.segmentId ? position : undefined;
}

/** Where the logs of all writers end, as far as they are known. */
export function endsOf(log: Pick<Log, 'segments' | 'health'>): Position[] {
  const sequences = new Map(log.health().writers.map(({ writer, lastSequence }) => [writer, lastSequence]));
  return [...byWriter(log.segments())].map(([writer, segments]) => {
    const { number: segment, id: segmentId, bytes: offset } = segments.at(-1)!;
    return { writer, segment, segmentId, offset, sequence: sequences.get(writer) ?? 0, last: undefined };
  });
}

/** The bytes of each segment that somebody at these positions has not had. */
export function unreadBytes(
  segments: Iterable<Segment>,
  positions: ReadonlyMap<string, Position>,
): Map<Segment, number> {
  const unread = new Map<Segment, number>();
  for (const [writer, ofWriter] of byWriter(segments)) {
    const position = positionIn(ofWriter, positions.get(writer));
    for (const segment of ofWriter) unread.set(segment, unreadOf(segment, position));
  }
  return unread;
}

function unreadOf(segment: Segment, position: Position | undefined): number {
  if (position === undefined || position.segment < segment.number) return segment.bytes;
  return position.segment > segment.number ? 0 : Math.max(0, segment.bytes - position.offset);
}
