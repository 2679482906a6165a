import type { Segment } from '../log/types.ts';

const PAGE_BYTES = 4096;
const PAGES = 4096;
const NO_SEGMENT = -1;
const NOTHING = new Uint8Array(0);

/** What is read through a {@link PageCache}. */
export interface PagedSegment {
  /** Another number for each of this process. */
  readonly serial: number;
  readonly segment: Segment;
}

/**
 * Keeps pages of segments that were read lately, at most 16 MiB: a system call costs more than decoding half a
 * span, and who looks at the newest spans looks at them again. Segments only grow, so a page that is whole
 * never changes.
 *
 * Every page has one slot where it can be, so that a hit is two comparisons. Slots lie side by side in one
 * memory, and pages that follow each other have slots that do: what crosses from one page into the next is
 * found in one piece. The memory is taken from the system page by page, as it is used.
 */
export class PageCache {
  /** What the last {@link PageCache.locate} found; not to be changed, and valid only until the next one. */
  bytes: Uint8Array = NOTHING;
  #memory: Uint8Array = NOTHING;
  // Which page of which segment a slot holds.
  readonly #serials = new Float64Array(PAGES).fill(NO_SEGMENT);
  readonly #numbers = new Uint32Array(PAGES);

  /**
   * Reads a part of a segment, which then lies in `bytes` from the returned offset on.
   *
   * @throws `TracewellError` (`TW_LOG_READ_FAILED`) if the file cannot be read
   */
  locate(paged: PagedSegment, offset: number, length: number): number {
    const first = Math.floor(offset / PAGE_BYTES);
    const last = Math.floor((offset + length - 1) / PAGE_BYTES);
    const slot = (Math.imul(paged.serial, 0x9e3779b1) + first) & (PAGES - 1);
    // Large parts go past the cache, and so do the last bytes of a segment, whose page is not whole yet, and
    // what crosses from the last slot to the first.
    if (
      last > first + 1 ||
      slot + (last - first) === PAGES ||
      (last + 1) * PAGE_BYTES > paged.segment.bytes
    ) {
      this.bytes = paged.segment.read(offset, length);
      return 0;
    }
    if (this.#memory.length === 0) this.#memory = new Uint8Array(PAGES * PAGE_BYTES);
    this.#fetch(paged, first, slot);
    if (last !== first) this.#fetch(paged, last, slot + 1);
    this.bytes = this.#memory;
    return slot * PAGE_BYTES + offset - first * PAGE_BYTES;
  }

  #fetch({ serial, segment }: PagedSegment, number: number, slot: number): void {
    if (this.#serials[slot] === serial && this.#numbers[slot] === number) return;
    // Not the old page any more, and not yet the new one if reading fails.
    this.#serials[slot] = NO_SEGMENT;
    const start = slot * PAGE_BYTES;
    segment.fill(this.#memory.subarray(start, start + PAGE_BYTES), number * PAGE_BYTES);
    this.#serials[slot] = serial;
    this.#numbers[slot] = number;
  }
}
