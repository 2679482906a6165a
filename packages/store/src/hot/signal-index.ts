import type { Segment } from '../log/types.ts';

/**
 * The index of what the frames of one kind hold: what {@link HotTier} drives, one for each kind. Everything in
 * it is derived and can be built again from the frames.
 *
 * `Rows` is what an index works out of a payload before that is written, so that our own frames are walked only
 * once.
 */
export interface SignalIndex<Rows> {
  /**
   * Works out the rows of a payload. It changes nothing that a query could see.
   *
   * @throws `TracewellError` (`TW_DECODE_…`) if the payload is not what frames of this kind hold
   */
  prepare(payload: Uint8Array): Rows;

  /**
   * Enters the rows of a frame that is durable. If it throws (memory has run out), the same frame comes again
   * later, before any other of its writer, and must then count once.
   *
   * @param payloadOffset - where the payload starts in the segment
   * @param payload - valid only during the call
   */
  addFrame(segment: Segment, payloadOffset: number, payload: Uint8Array, rows: Rows): void;

  /**
   * Takes what `save` returned instead of the frames.
   *
   * @param bytes - the index's to keep, aligned to 8 bytes
   * @returns `false`, having kept nothing, if it cannot use them
   */
  load(segment: Segment, bytes: Uint8Array): boolean;

  /**
   * The index of a segment that is complete, as pieces to be written one after the other.
   *
   * @returns `undefined` if the segment has no frame of this kind
   */
  save(segment: Segment): readonly Uint8Array[] | undefined;

  /** Forgets a segment. It may be one that was never added. */
  remove(segment: Segment): void;
}
