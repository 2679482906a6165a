import { readUtf8 } from '@tracewell/otlp/wire';

/** The number that {@link ByteDictionary.add} returns when there is no room. */
export const DICTIONARY_FULL = -1;

const NO_KEY = -1;

/**
 * Numbers byte strings 0, 1, 2 … in the order in which they are first seen, each within a group (an
 * operation's name is numbered within its service).
 *
 * Looking one up compares bytes: no string is made for it. Making one for every span costs the scanner a
 * third of its speed.
 */
export class ByteDictionary {
  readonly #maxKeys: number;
  readonly #maxBytes: number;
  // Open addressing; a slot holds a number or NO_KEY. Never more than half full.
  #table = new Int32Array(64).fill(NO_KEY);
  #groups = new Uint32Array(32);
  #hashes = new Uint32Array(32);
  // The bytes of key n lie in #bytes from #ends[n - 1] (or 0) to #ends[n].
  #ends = new Uint32Array(32);
  #bytes = new Uint8Array(1024);
  readonly #texts: (string | undefined)[] = [];
  // Not known to who writes the names, so that nobody can choose names that all fall on one slot.
  readonly #seed = (Math.random() * 0x1_0000_0000) >>> 0;

  constructor(maxKeys: number, maxBytes: number) {
    this.#maxKeys = maxKeys;
    this.#maxBytes = maxBytes;
  }

  /** How many there are. */
  get size(): number {
    return this.#texts.length;
  }

  /**
   * The number of the bytes from `start` to `end` in their group, new or known.
   *
   * @param spare - how many numbers must stay free for others
   * @returns {@link DICTIONARY_FULL} if they are new and there is no room
   */
  add(group: number, bytes: Uint8Array, start: number, end: number, spare = 0): number {
    const hash = hashBytes((this.#seed ^ Math.imul(group + 1, 0x9e3779b1)) | 0, bytes, start, end);
    const table = this.#table;
    const mask = table.length - 1;
    let slot = hash & mask;
    for (;;) {
      const key = table[slot]!;
      if (key === NO_KEY) break;
      if (this.#hashes[key] === hash && this.#groups[key] === group && this.#holds(key, bytes, start, end)) {
        return key;
      }
      slot = (slot + 1) & mask;
    }
    if (this.size + spare >= this.#maxKeys) return DICTIONARY_FULL;
    return this.#append(slot, hash, group, bytes, start, end);
  }

  /** Whether the bytes from `start` to `end` in a group have this number. Cheaper than to look them up, for a guess. */
  is(key: number, group: number, bytes: Uint8Array, start: number, end: number): boolean {
    return key < this.size && this.#groups[key] === group && this.#holds(key, bytes, start, end);
  }

  /** The group of a number. */
  group(key: number): number {
    return this.#groups[key]!;
  }

  /** The bytes of a number; a view, for reading only. */
  bytes(key: number): Uint8Array {
    return this.#bytes.subarray(this.#start(key), this.#ends[key]);
  }

  /** The bytes of a number as text. */
  text(key: number): string {
    const known = this.#texts[key];
    if (known !== undefined) return known;
    const text = readUtf8(this.#bytes, this.#start(key), this.#ends[key]!);
    this.#texts[key] = text;
    return text;
  }

  /** Bytes of memory, but for texts that were asked for. */
  get byteLength(): number {
    return (
      this.#table.byteLength +
      this.#groups.byteLength +
      this.#hashes.byteLength +
      this.#ends.byteLength +
      this.#bytes.byteLength +
      this.#texts.length * 8
    );
  }

  #start(key: number): number {
    return key === 0 ? 0 : this.#ends[key - 1]!;
  }

  #holds(key: number, bytes: Uint8Array, start: number, end: number): boolean {
    let at = this.#start(key);
    if (this.#ends[key]! - at !== end - start) return false;
    const own = this.#bytes;
    for (let index = start; index < end; index++) if (own[at++] !== bytes[index]) return false;
    return true;
  }

  #append(slot: number, hash: number, group: number, bytes: Uint8Array, start: number, end: number): number {
    const key = this.size;
    const at = key === 0 ? 0 : this.#ends[key - 1]!;
    const until = at + (end - start);
    if (until > this.#maxBytes) return DICTIONARY_FULL;
    if (until > this.#bytes.length) this.#bytes = grown(this.#bytes, Math.max(until, this.#bytes.length * 2));
    if (key === this.#ends.length) {
      this.#groups = grown(this.#groups, key * 2);
      this.#hashes = grown(this.#hashes, key * 2);
      this.#ends = grown(this.#ends, key * 2);
    }
    this.#bytes.set(bytes.subarray(start, end), at);
    this.#ends[key] = until;
    this.#groups[key] = group;
    this.#hashes[key] = hash;
    this.#texts.push(undefined);
    if (this.size * 2 > this.#table.length) this.#rehash();
    else this.#table[slot] = key;
    return key;
  }

  #rehash(): void {
    const table = new Int32Array(this.#table.length * 2).fill(NO_KEY);
    const mask = table.length - 1;
    for (let key = 0; key < this.size; key++) {
      let slot = this.#hashes[key]! & mask;
      while (table[slot] !== NO_KEY) slot = (slot + 1) & mask;
      table[slot] = key;
    }
    this.#table = table;
  }
}

function hashBytes(seed: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = seed;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function grown<Column extends Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>(
  column: Column,
  length: number,
): Column {
  const larger = new (column.constructor as new (length: number) => Column)(length);
  larger.set(column);
  return larger;
}
