import { varintSize, writeVarint } from '../wire/write.ts';

const INITIAL_BYTES = 64 * 1024;
/** A larger buffer is given back to the garbage collector instead of being kept for the next message. */
const KEPT_BYTES = 4 * 1024 * 1024;

let spare: Uint8Array | undefined;

/**
 * A growing buffer and the position in it. Whoever writes asks for {@link room} first and stores with the
 * functions of wire/write.ts; nested messages are written once, with a guess at the size of their length,
 * and moved by a byte or two where the guess was wrong.
 *
 * The buffer is one that an earlier writer left, so that encoding allocates the result and little else.
 */
export class Writer {
  bytes: Uint8Array;
  at = 0;

  constructor() {
    // Taken, not shared: reading an attribute may run a getter of the caller that encodes something itself.
    this.bytes = spare ?? new Uint8Array(INITIAL_BYTES);
    spare = undefined;
  }

  /** Makes sure that so many bytes can be stored at {@link at}. */
  room(count: number): void {
    if (this.bytes.length - this.at < count) this.#grow(count);
  }

  #grow(count: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + count));
    larger.set(this.bytes.subarray(0, this.at));
    this.bytes = larger;
  }

  /**
   * Begins a message behind its key; the caller has made room for 8 bytes.
   *
   * @param lengthSize - how many bytes the message's length will probably take
   * @returns what {@link close} wants to know
   */
  open(key: number, lengthSize: number): number {
    this.bytes[this.at] = key;
    this.at += 1 + lengthSize;
    return this.at;
  }

  /** Ends the message that {@link open} began, with the same guess. */
  close(start: number, lengthSize: number): void {
    const size = this.at - start;
    if (lengthSize === 1 && size < 0x80) {
      this.bytes[start - 1] = size;
      return;
    }
    const actual = varintSize(size);
    if (actual !== lengthSize) {
      this.room(4);
      this.bytes.copyWithin(start - lengthSize + actual, start, this.at);
      this.at += actual - lengthSize;
    }
    writeVarint(this.bytes, start - lengthSize, size);
  }

  /** Appends bytes as they are. */
  append(source: Uint8Array, start: number, end: number): void {
    this.room(end - start);
    this.bytes.set(source.subarray(start, end), this.at);
    this.at += end - start;
  }

  /** A copy of what was written, which is then forgotten. */
  take(): Uint8Array {
    const copy = this.bytes.slice(0, this.at);
    this.at = 0;
    return copy;
  }

  /** Leaves the buffer to the next writer; this one must not be used again. */
  release(): void {
    if (this.bytes.length <= KEPT_BYTES) spare = this.bytes;
  }
}
