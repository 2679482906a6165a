import { type Comment, compareComments, decodeComment } from '../../comments/comment.ts';
import type { Segment } from '../../log/types.ts';
import type { SignalIndex } from '../signal-index.ts';

/** Where a comment's payload lies. */
interface Place {
  readonly offset: number;
  readonly length: number;
}

// A saved place, in 32-bit words: the trace id, offset, length.
const WORDS = 6;
const ID_WORDS = 4;

/**
 * The index of comments: for each trace, where its comments lie. They are few, so it is a map; they are read
 * when somebody asks, so a long text costs no memory.
 */
export class CommentIndex implements SignalIndex<Comment> {
  readonly #segments = new Map<Segment, Map<string, Place[]>>();

  prepare(payload: Uint8Array): Comment {
    return decodeComment(payload);
  }

  addFrame(segment: Segment, payloadOffset: number, payload: Uint8Array, { traceId }: Comment): void {
    this.#add(segment, traceId, { offset: payloadOffset, length: payload.length });
  }

  load(segment: Segment, bytes: Uint8Array): boolean {
    if (bytes.length === 0 || bytes.length % (WORDS * 4) !== 0) return false;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < buffer.length; at += WORDS * 4) {
      const traceId = buffer.toString('hex', at, at + ID_WORDS * 4);
      const offset = buffer.readUInt32LE(at + 16);
      this.#add(segment, traceId, { offset, length: buffer.readUInt32LE(at + 20) });
    }
    return true;
  }

  save(segment: Segment): readonly Uint8Array[] | undefined {
    const traces = this.#segments.get(segment);
    if (traces === undefined) return undefined;
    const pieces: Uint8Array[] = [];
    for (const [traceId, places] of traces) {
      for (const { offset, length } of places) {
        const piece = Buffer.alloc(WORDS * 4);
        piece.write(traceId, 'hex');
        piece.writeUInt32LE(offset, 16);
        piece.writeUInt32LE(length, 20);
        pieces.push(piece);
      }
    }
    return [Buffer.concat(pieces)];
  }

  remove(segment: Segment): void {
    this.#segments.delete(segment);
  }

  /**
   * The comments of a trace, each once, in the order of their times.
   *
   * @throws `TracewellError` (`TW_LOG_READ_FAILED`) if a file cannot be read
   */
  ofTrace(traceId: string): Comment[] {
    const found = new Map<string, Comment>();
    for (const [segment, traces] of this.#segments) {
      for (const place of traces.get(traceId) ?? []) keep(found, read(segment, place));
    }
    return [...found.values()].sort(compareComments);
  }

  /** All comments of a segment, as often as they were added. */
  *ofSegment(segment: Segment): Generator<Comment> {
    for (const places of this.#segments.get(segment)?.values() ?? []) {
      for (const place of places) yield read(segment, place);
    }
  }

  /** How many comments there are. One that was added again counts again. */
  get count(): number {
    let count = 0;
    for (const traces of this.#segments.values()) {
      for (const places of traces.values()) count += places.length;
    }
    return count;
  }

  #add(segment: Segment, traceId: string, place: Place): void {
    let traces = this.#segments.get(segment);
    if (traces === undefined) {
      traces = new Map();
      this.#segments.set(segment, traces);
    }
    const places = traces.get(traceId);
    if (places === undefined) traces.set(traceId, [place]);
    // A frame whose indexing failed further on comes again.
    else if (places.at(-1)!.offset !== place.offset) places.push(place);
  }
}

function read(segment: Segment, { offset, length }: Place): Comment {
  return decodeComment(segment.read(offset, length));
}

/** Of comments with the same id the earlier one counts, so that the answer does not depend on who reads. */
function keep(found: Map<string, Comment>, comment: Comment): void {
  const other = found.get(comment.id);
  if (other === undefined || compareComments(comment, other) < 0) found.set(comment.id, comment);
}
