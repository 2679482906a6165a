import { hash, xxhash64 } from './xxhash.ts';

// Parquet's split-block Bloom filter: blocks of 256 bits in eight words. A value's hash picks a block by its
// upper half and a bit in each of its words by its lower half.
// https://github.com/apache/parquet-format/blob/master/BloomFilter.md

const BLOCK_BYTES = 32;
/** About one in 200 values that are not there seems to be. */
const BITS_PER_VALUE = 13;
const SALTS = Int32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b,
  0xa2b7289d,
  0x705495c7,
  0x2df1424b,
  0x9efc4947,
  0x5c6bfb31,
);

/** Values of which one can say that they are surely not there. */
export class BloomFilter {
  readonly bytes: Uint8Array;
  readonly #words: Uint32Array;

  /** @param bytes - as `bytes` of another one, aligned to 4 */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }

  /** An empty one for about so many values. */
  static for(count: number): BloomFilter {
    const blocks = Math.max(1, Math.ceil((count * BITS_PER_VALUE) / (8 * BLOCK_BYTES)));
    return new BloomFilter(new Uint8Array(blocks * BLOCK_BYTES));
  }

  /** Adds the value `start` to `end`. */
  add(bytes: Uint8Array, start: number, end: number): void {
    xxhash64(bytes, start, end);
    const words = this.#words;
    const at = blockOf(hash.high, words.length / 8) * 8;
    for (let word = 0; word < 8; word++) {
      words[at + word] = words[at + word]! | (1 << (Math.imul(hash.low, SALTS[word]!) >>> 27));
    }
  }

  /** Whether the value `start` to `end` may have been added. */
  mayHave(bytes: Uint8Array, start = 0, end: number = bytes.length): boolean {
    xxhash64(bytes, start, end);
    const words = this.#words;
    const at = blockOf(hash.high, words.length / 8) * 8;
    for (let word = 0; word < 8; word++) {
      if ((words[at + word]! & (1 << (Math.imul(hash.low, SALTS[word]!) >>> 27))) === 0) return false;
    }
    return true;
  }
}

// The upper half of the product of two 32-bit numbers; there are fewer than 2^21 blocks.
function blockOf(high: number, blocks: number): number {
  return Math.floor((high * blocks) / 0x1_0000_0000);
}
