/** What {@link RequestTable.claim} returns for a request that had no owner. */
export const NO_OWNER = 0xffff_ffff;

const SHARDS = 64;
const WORDS = 3;
const HIGH = 0;
const LOW = 1;
const OWNER = 2;

/**
 * Which segment's index has a request first: what tells a request that comes again, in that segment or in another.
 *
 * Open addressing in shards by the first bits of the id, which is a hash already. A table that doubles copies a
 * sixty-fourth of the entries at a time: 1M requests in one piece stopped inserts for 60 ms.
 */
export class RequestTable {
  readonly #shards: Shard[] = Array.from({ length: SHARDS }, () => new Shard());

  /**
   * Makes `owner` the owner of a request, unless it has one.
   *
   * @returns the owner that it had, or {@link NO_OWNER}
   */
  claim(high: number, low: number, owner: number): number {
    return this.#shards[high >>> 26]!.claim(high, low, owner);
  }

  /** Forgets everything. */
  clear(): void {
    for (let shard = 0; shard < SHARDS; shard++) this.#shards[shard] = new Shard();
  }

  /** Bytes of memory. */
  get byteLength(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.byteLength, 0);
  }
}

class Shard {
  #slots = new Uint32Array(8 * WORDS).fill(NO_OWNER);
  #used = 0;

  claim(high: number, low: number, owner: number): number {
    const at = this.#find(high, low);
    const slots = this.#slots;
    if (slots[at + OWNER] !== NO_OWNER) return slots[at + OWNER]!;
    slots[at + HIGH] = high;
    slots[at + LOW] = low;
    slots[at + OWNER] = owner;
    // At most two thirds in use.
    if (++this.#used * WORDS * 3 > slots.length * 2) this.#grow();
    return NO_OWNER;
  }

  get byteLength(): number {
    return this.#slots.byteLength;
  }

  /** Where the request is, or the free slot where it belongs. */
  #find(high: number, low: number): number {
    const slots = this.#slots;
    const mask = slots.length / WORDS - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const at = slot * WORDS;
      if (slots[at + OWNER] === NO_OWNER || (slots[at + LOW] === low && slots[at + HIGH] === high)) return at;
    }
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(before.length * 2).fill(NO_OWNER);
    for (let at = 0; at < before.length; at += WORDS) {
      if (before[at + OWNER] === NO_OWNER) continue;
      this.#slots.set(before.subarray(at, at + WORDS), this.#find(before[at + HIGH]!, before[at + LOW]!));
    }
  }
}
