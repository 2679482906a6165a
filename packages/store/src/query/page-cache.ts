import type { SegmentIndex } from '../hot/spans/segment-index.ts';

const PAGE_BYTES = 4096;
const PAGES = 4096;
const NO_PAGE = new Uint8Array(0);

/**
 * Keeps pages of segments that were read lately, at most 16 MiB: a system call costs more than decoding half a
 * span, and who looks at the newest spans looks at them again. Segments only grow, so a page that is whole
 * never changes.
 *
 * Every page has one slot where it can be, so that a hit is two comparisons; pages that follow each other have
 * slots that do.
 */
export class PageCache {
  /** What the last {@link PageCache.locate} found; not to be changed, and not to be kept for long. */
  bytes: Uint8Array = NO_PAGE;
  readonly #pages: Uint8Array[] = new Array<Uint8Array>(PAGES).fill(NO_PAGE);
  // Which page of which segment a slot holds.
  readonly #serials = new Float64Array(PAGES).fill(-1);
  readonly #numbers = new Uint32Array(PAGES);

  /**
   * Reads a part of a segment, which then lies in `bytes` from the returned offset on.
   *
   * @throws `TracewellError` (`TW_LOG_READ_FAILED`) if the file cannot be read
   */
  locate(index: SegmentIndex, offset: number, length: number): number {
    const first = Math.floor(offset / PAGE_BYTES);
    const last = Math.floor((offset + length - 1) / PAGE_BYTES);
    // Large parts go past the cache, and so do the last bytes of a segment, whose page is not whole yet.
    if (last > first + 1 || (last + 1) * PAGE_BYTES > index.segment.bytes) {
      this.bytes = index.segment.read(offset, length);
      return 0;
    }
    const at = offset - first * PAGE_BYTES;
    const page = this.#page(index, first);
    if (last === first) {
      this.bytes = page;
      return at;
    }
    const bytes = new Uint8Array(length);
    bytes.set(page.subarray(at));
    bytes.set(this.#page(index, last).subarray(0, at + length - PAGE_BYTES), PAGE_BYTES - at);
    this.bytes = bytes;
    return 0;
  }

  #page({ serial, segment }: SegmentIndex, number: number): Uint8Array {
    const slot = (Math.imul(serial, 0x9e3779b1) + number) & (PAGES - 1);
    if (this.#serials[slot] === serial && this.#numbers[slot] === number) return this.#pages[slot]!;
    const page = segment.read(number * PAGE_BYTES, PAGE_BYTES);
    this.#pages[slot] = page;
    this.#serials[slot] = serial;
    this.#numbers[slot] = number;
    return page;
  }
}
