import { SEGMENT_HEADER_BYTES } from './segment-header.ts';

/** Where a group of frames starts. */
interface Place {
  readonly offset: number;
  readonly sequence: number;
}

/**
 * Follows the durable marks of the frames of a log, to know which of its last segment prove to be durable. A
 * few numbers do: frames come in order, and marks only grow.
 */
export class DurableTrack {
  #mark = 0;
  #uncertainFrom = SEGMENT_HEADER_BYTES;
  // A group at or behind `uncertainFrom`, which moves there when a later mark proves everything before it.
  #candidate: Place = { offset: SEGMENT_HEADER_BYTES, sequence: 1 };

  /** In the last segment, an offset at or before the first frame that may not be durable. */
  get uncertainFrom(): number {
    return this.#uncertainFrom;
  }

  /** Another segment begins. */
  beginSegment(firstSequence: number): void {
    this.#uncertainFrom = SEGMENT_HEADER_BYTES;
    this.#candidate = { offset: SEGMENT_HEADER_BYTES, sequence: firstSequence };
  }

  /** Everything up to a frame is durable, for a reason of its own. */
  trust(sequence: number): void {
    this.#mark = Math.max(this.#mark, sequence);
  }

  /**
   * A whole group was read.
   *
   * @param mark - what its last frame says
   */
  note(mark: number, { offset, sequence }: Place): void {
    this.trust(mark);
    if (this.#mark >= this.#candidate.sequence - 1) this.#uncertainFrom = this.#candidate.offset;
    if (this.#mark >= sequence - 1) this.#uncertainFrom = offset;
    if (this.#uncertainFrom >= this.#candidate.offset) this.#candidate = { offset, sequence };
  }
}
