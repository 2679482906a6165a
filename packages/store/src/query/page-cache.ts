import type { SegmentIndex } from '../hot/segment-index.ts';
import type { Segment } from '../log/types.ts';

const PAGE_BYTES = 4096;
const MAX_PAGES = 4096;

/** Bytes of a segment, somewhere in a larger array. */
export interface Located {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/**
 * Keeps pages of segments that were read lately, at most 16 MiB: a system call costs more than decoding half a
 * span, and who looks at the newest spans looks at them again. Segments only grow, so a page that is whole
 * never changes.
 *
 * Pages are kept in two generations. A page that is used moves to the young one; when that is full, it
 * becomes the old one and what was there goes. That is nearly as good as the exact order of use, and a hit
 * costs one lookup.
 */
export class PageCache {
  #young = new Map<number, Uint8Array>();
  #old = new Map<number, Uint8Array>();

  /**
   * Bytes of a segment; not to be changed, and not to be kept for long.
   *
   * @throws `TracewellError` (`TW_LOG_READ_FAILED`) if the file cannot be read
   */
  read({ segment, serial }: SegmentIndex, offset: number, length: number): Located {
    const first = Math.floor(offset / PAGE_BYTES);
    const last = Math.floor((offset + length - 1) / PAGE_BYTES);
    // Large parts go past the cache, and so do the last bytes of a segment, whose page is not whole yet.
    if (last > first + 1 || (last + 1) * PAGE_BYTES > segment.bytes) {
      return { bytes: segment.read(offset, length), at: 0 };
    }
    const at = offset - first * PAGE_BYTES;
    const page = this.#page(segment, serial, first);
    if (last === first) return { bytes: page, at };
    const bytes = new Uint8Array(length);
    bytes.set(page.subarray(at));
    bytes.set(this.#page(segment, serial, last).subarray(0, at + length - PAGE_BYTES), PAGE_BYTES - at);
    return { bytes, at: 0 };
  }

  #page(segment: Segment, serial: number, page: number): Uint8Array {
    // A segment of 4 GiB, the most that the index can address, has 2^20 pages.
    const key = serial * 0x10_0000 + page;
    let bytes = this.#young.get(key);
    if (bytes !== undefined) return bytes;
    bytes = this.#old.get(key) ?? segment.read(page * PAGE_BYTES, PAGE_BYTES);
    if (this.#young.size >= MAX_PAGES / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, bytes);
    return bytes;
  }
}
