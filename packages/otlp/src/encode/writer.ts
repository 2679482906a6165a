import { varintSize, writeVarint } from '../wire/write.ts';
import { IdMemo } from './id-memo.ts';

const INITIAL_BYTES = 64 * 1024;
/** A larger buffer is given back to the garbage collector instead of being kept for the next message. */
const KEPT_BYTES = 4 * 1024 * 1024;

let spare: Uint8Array | undefined;

/**
 * A growing buffer. Everything that writes takes the writer and an offset and returns the offset behind what
 * it wrote; it asks for {@link room} first and then stores with the functions of wire/write.ts.
 *
 * A nested message is written once: key, some bytes kept free for its length, content. {@link close} fills in
 * the length, and moves the content by a byte or two where the guess at the length's size was wrong.
 *
 * The buffer is one that an earlier writer left, so that encoding allocates the result and little else.
 */
export class Writer {
  bytes: Uint8Array;
  readonly traceIds = new IdMemo(16);
  readonly spanIds = new IdMemo(8);

  constructor() {
    // Taken, not shared: reading an attribute may run a getter of the caller that encodes something itself.
    this.bytes = spare ?? new Uint8Array(INITIAL_BYTES);
    spare = undefined;
  }

  /** The bytes, of which so many can be stored at `at`. Another call may move them. */
  room(at: number, count: number): Uint8Array {
    if (this.bytes.length - at < count) this.#grow(at, count);
    return this.bytes;
  }

  #grow(at: number, count: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, at + count));
    larger.set(this.bytes.subarray(0, at));
    this.bytes = larger;
  }

  /**
   * Ends the message whose content is `start` to `end`, and before whose content `lengthSize` bytes are free.
   *
   * @returns the offset behind the message
   */
  close(start: number, end: number, lengthSize: number): number {
    const size = end - start;
    if (lengthSize === 1 && size < 0x80) {
      this.bytes[start - 1] = size;
      return end;
    }
    const moved = varintSize(size) - lengthSize;
    if (moved !== 0) this.room(end, 4).copyWithin(start + moved, start, end);
    writeVarint(this.bytes, start - lengthSize, size);
    return end + moved;
  }

  /** Appends bytes as they are. */
  append(at: number, source: Uint8Array): number {
    this.room(at, source.length).set(source, at);
    return at + source.length;
  }

  /** A copy of what was written before `end`. */
  copy(end: number): Uint8Array {
    return this.bytes.slice(0, end);
  }

  /** Leaves the buffer to the next writer; this one must not be used again. */
  release(): void {
    if (this.bytes.length <= KEPT_BYTES) spare = this.bytes;
  }
}
