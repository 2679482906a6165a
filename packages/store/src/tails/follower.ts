/**
 * Reads what the logs of all writers hold behind given positions, in log order for each writer.
 *
 * A tail reads the files again rather than to be handed every frame as it comes in: it may be behind by hours,
 * and what it reads is normally in the page cache. A segment says how far its frames are whole and final
 * (`Segment.bytes`), so nothing here can meet a frame that is still being written.
 */
import {
  emptyFrame,
  FRAME_HEADER_BYTES,
  type Frame,
  frameBytes,
  frameChecksum,
  Parsed,
  parseFrame,
  type SegmentId,
} from '../log/frame.ts';
import { lookBehind } from '../log/scan.ts';
import { parseSegmentHeader, SEGMENT_HEADER_BYTES } from '../log/segment-header.ts';
import { FrameKind, type Segment } from '../log/types.ts';
import { byWriter, type Position, positionIn } from './position.ts';

/** What a follower reads. */
export interface FollowedLog {
  /** The segments of all writers, as far as they are known. */
  segments(): Iterable<Segment>;
}

/** What a frame holds. */
export type FrameContent = 'traces' | 'logs' | 'metrics' | 'comment';

/** A frame of the log as a tail gets it. */
export interface LogFrame {
  /** The log that it stands in: 16 hex digits. */
  readonly writer: string;
  /** What the payload is: an OTLP request in protobuf for the three signals, a comment as the store keeps it. */
  readonly content: FrameContent;
  /** Counts up within the writer's log; not every number comes. */
  readonly sequence: number;
  /** The payload as it stands in the log: a view of memory that is the receiver's to keep, not to change. */
  readonly payload: Uint8Array;
}

/** What one step of reading brought. */
export interface Step {
  readonly frames: readonly LogFrame[];
  /** Where the logs that were read stand now: what to save once the frames are dealt with. */
  readonly positions: readonly Position[];
}

/** Frames of other kinds the log keeps to itself. */
const CONTENTS: ReadonlyMap<number, FrameContent> = new Map<number, FrameContent>([
  [FrameKind.TRACES, 'traces'],
  [FrameKind.LOGS, 'logs'],
  [FrameKind.METRICS, 'metrics'],
  [FrameKind.COMMENT, 'comment'],
]);

/** What is read of a file at a time at most, unless a frame is larger. 1 MiB. */
const CHUNK_BYTES = 1024 * 1024;

/** Follows the logs of all writers from given positions on. */
export class Follower {
  /** Frames that were gone before they could be read; those that a log keeps to itself count too. */
  missedFrames = 0;
  /** Bytes that hold no whole frame and were passed over: damage that the opening has told of. */
  damagedBytes = 0;
  readonly #log: FollowedLog;
  readonly #positions = new Map<string, Position>();
  readonly #verified = new Set<string>();
  readonly #frame: Frame = emptyFrame();
  /** The writer that was read last: the next step begins with the one after it. */
  #lastWriter = '';

  constructor(log: FollowedLog, positions: Iterable<Position>) {
    this.#log = log;
    for (const position of positions) this.#positions.set(position.writer, position);
  }

  /** Where reading goes on, for each log that has been begun. */
  get positions(): ReadonlyMap<string, Position> {
    return this.#positions;
  }

  /**
   * Reads on, one log after the other, until there are about so many bytes or nothing is left.
   *
   * @throws `TracewellError` (`TW_LOG_READ_FAILED`) if a file cannot be read; nothing is passed over then
   */
  read(maxBytes: number): Step {
    const frames: LogFrame[] = [];
    const positions: Position[] = [];
    let bytes = 0;
    for (const [writer, segments] of this.#writersInTurn()) {
      const before = this.#positions.get(writer);
      bytes += this.#readWriter(writer, segments, frames, maxBytes - bytes);
      const after = this.#positions.get(writer);
      if (after !== undefined && after !== before) positions.push(after);
      this.#lastWriter = writer;
      if (bytes >= maxBytes) break;
    }
    return { frames, positions };
  }

  /** The segments of each writer, oldest first, the writers beginning with the one whose turn it is. */
  #writersInTurn(): [writer: string, segments: Segment[]][] {
    const writers = [...byWriter(this.#log.segments())].sort(([a], [b]) => (a < b ? -1 : 1));
    const next = writers.findIndex(([writer]) => writer > this.#lastWriter);
    return next <= 0 ? writers : [...writers.slice(next), ...writers.slice(0, next)];
  }

  #readWriter(writer: string, segments: readonly Segment[], frames: LogFrame[], maxBytes: number): number {
    let bytes = 0;
    for (const segment of segments) {
      const known = positionIn(segments, this.#positions.get(writer));
      if (known !== undefined && known.segment > segment.number) continue;
      let position = this.#placeIn(segment, known);
      while (position.offset < segment.bytes) {
        if (bytes >= maxBytes) return bytes;
        const from = position.offset;
        position = this.#readChunk(segment, position, frames, maxBytes - bytes);
        this.#positions.set(writer, position);
        bytes += position.offset - from;
      }
      if (!segment.sealed) break;
    }
    return bytes;
  }

  /** Where reading goes on in a segment: at the position if that belongs to it, otherwise at its start. */
  #placeIn(segment: Segment, known: Position | undefined): Position {
    if (known?.segment === segment.number && known.segmentId === segment.id) {
      if (this.#verified.has(segment.writer) || isStillThere(segment, known)) {
        this.#verified.add(segment.writer);
        return known;
      }
    }
    const header = parseSegmentHeader(segment.read(0, SEGMENT_HEADER_BYTES));
    const firstSequence = typeof header === 'object' ? header.firstSequence : (known?.sequence ?? 0) + 1;
    if (known !== undefined && known.segment < segment.number) {
      this.missedFrames += Math.max(0, firstSequence - known.sequence - 1);
    }
    this.#verified.add(segment.writer);
    const start: Position = {
      writer: segment.writer,
      segment: segment.number,
      segmentId: segment.id,
      offset: SEGMENT_HEADER_BYTES,
      sequence: firstSequence - 1,
      last: undefined,
    };
    this.#positions.set(segment.writer, start);
    return start;
  }

  #readChunk(segment: Segment, position: Position, frames: LogFrame[], maxBytes: number): Position {
    const from = position.offset;
    const rest = segment.bytes - from;
    let bytes = segment.read(from, Math.min(rest, CHUNK_BYTES, maxBytes));
    const id = idHalves(segment.id);
    const frame = this.#frame;
    let { sequence, last } = position;
    let at = 0;
    while (at < bytes.length) {
      const parsed = parseFrame(bytes, at, bytes.length, id, frame);
      if (parsed === Parsed.PARTIAL) {
        const needed = frameBytes(frame.payloadLength);
        // The rest of it comes with the next chunk, unless it is the first and larger than a chunk.
        if (at > 0) break;
        if (needed > bytes.length && needed <= rest) {
          bytes = segment.read(from, needed);
          continue;
        }
      }
      if (parsed !== Parsed.WHOLE) {
        const end = this.#passOver(segment, from + at);
        return { ...position, offset: end, sequence, last: undefined };
      }
      const { kind, payloadLength } = frame;
      const payloadAt = at + FRAME_HEADER_BYTES;
      sequence = kind === FrameKind.VOID ? frame.durableMark : frame.sequence;
      last = { offset: from + at, checksum: frameChecksum(bytes, at) };
      const content = CONTENTS.get(kind);
      if (content !== undefined) {
        frames.push({
          writer: segment.writer,
          content,
          sequence,
          payload: bytes.subarray(payloadAt, payloadAt + payloadLength),
        });
      }
      at += frameBytes(payloadLength);
    }
    return { ...position, offset: from + at, sequence, last };
  }

  /** Passes over what is no frame, as `recovery: 'salvage'` does; returns where the next one starts. */
  #passOver(segment: Segment, offset: number): number {
    const read = (target: Uint8Array, at: number): number => {
      const length = Math.max(0, Math.min(target.length, segment.bytes - at));
      target.set(segment.read(at, length));
      return length;
    };
    const { next } = lookBehind(read, offset, 0, idHalves(segment.id));
    const end = Math.min(next?.offset ?? segment.bytes, segment.bytes);
    this.damagedBytes += end - offset;
    return end;
  }
}

/** Whether the frame before a saved position is still the one that was there. */
function isStillThere(segment: Segment, { offset, last, sequence }: Position): boolean {
  if (offset > segment.bytes) return false;
  if (last === undefined) return true;
  const bytes = segment.read(last.offset, offset - last.offset);
  const frame = emptyFrame();
  if (parseFrame(bytes, 0, bytes.length, idHalves(segment.id), frame) !== Parsed.WHOLE) return false;
  const end = frame.kind === FrameKind.VOID ? frame.durableMark : frame.sequence;
  return end === sequence && frameChecksum(bytes, 0) === last.checksum;
}

function idHalves(id: string): SegmentId {
  return { high: Number.parseInt(id.slice(0, 8), 16), low: Number.parseInt(id.slice(8), 16) };
}
