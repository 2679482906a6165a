import { KEY_VALUE_KEY, stringRoom, writeString } from '@tracewell/otlp/wire';
import { COPY_SLACK, Memory } from './memory.ts';
import { unsliced } from './text.ts';
import { TEXT_SITE_BYTES, TextSite } from './text-site.ts';

/** An attribute key, encoded. As a site of texts, its values. */
export class EncodedKey extends TextSite {
  readonly key: string;
  /** Where in the memory its bytes are: the field `key` of a `KeyValue`, tag and length included. */
  readonly keyAt: number;
  readonly length: number;
  /** One bit of 64 that the key's bytes determine: in which of two words of a span's filter, and the bit. */
  readonly filterWord: number;
  readonly filterBit: number;
  /** The key that followed this one when it was used last. */
  next: EncodedKey | undefined = undefined;

  /**
   * @param key - the key itself
   * @param memory - holds its encoding, and behind that {@link TEXT_SITE_BYTES} of room
   * @param keyAt - where the encoding begins
   * @param length - how long it is
   */
  constructor(key: string, memory: Memory, keyAt: number, length: number) {
    super(memory, keyAt + length + COPY_SLACK);
    this.key = key;
    this.keyAt = keyAt;
    this.length = length;
    const bits = hash(memory.bytes, keyAt, length);
    this.filterWord = (bits >>> 5) & 1;
    this.filterBit = 1 << (bits & 31);
  }
}

const MAX_KEYS = 1024;
/** The longest field `key`, tag and length included, that is cached. */
export const MAX_KEY_BYTES = 64;
const ENTRY_BYTES = MAX_KEY_BYTES + COPY_SLACK + TEXT_SITE_BYTES;

/**
 * The encoded attribute keys of the process, which are few, the same all the time and mostly in the same
 * order. So the key that followed the last one before is tried first (2 ns), then the map (7 ns); encoding
 * anew costs 2 ns for every character. When the cache is full of keys that nobody uses again, it starts anew.
 */
export class KeyCache {
  readonly #keys = new Map<string, EncodedKey>();
  #memory = new Memory(MAX_KEYS * ENTRY_BYTES);
  #last: EncodedKey | undefined = undefined;

  get(key: string): EncodedKey {
    const last = this.#last;
    const expected = last?.next;
    if (expected !== undefined && expected.key === key) {
      this.#last = expected;
      return expected;
    }
    const encoded = this.#keys.get(key) ?? this.#encode(key);
    if (last !== undefined) last.next = encoded;
    this.#last = encoded;
    return encoded;
  }

  #encode(key: string): EncodedKey {
    if (stringRoom(key.length) < ENTRY_BYTES) {
      if (this.#keys.size === MAX_KEYS) this.#startAnew();
      const at = this.#keys.size * ENTRY_BYTES;
      const length = write(this.#memory.bytes, at, key);
      if (length <= MAX_KEY_BYTES) {
        const encoded = new EncodedKey(unsliced(key), this.#memory, at, length);
        this.#keys.set(encoded.key, encoded);
        return encoded;
      }
    }
    // Too long to keep, so it gets a memory of its own.
    const memory = new Memory(1 + stringRoom(key.length) + COPY_SLACK + TEXT_SITE_BYTES);
    return new EncodedKey(key, memory, 0, write(memory.bytes, 0, key));
  }

  #startAnew(): void {
    // Entries that a caller or another entry still refers to keep the memory that they had.
    this.#memory = new Memory(MAX_KEYS * ENTRY_BYTES);
    this.#keys.clear();
    this.#last = undefined;
  }
}

function write(bytes: Uint8Array, at: number, key: string): number {
  bytes[at] = KEY_VALUE_KEY;
  return writeString(bytes, at + 1, key) - at;
}

/** FNV-1a, folded so that the low bits depend on all of it. */
function hash(bytes: Uint8Array, at: number, length: number): number {
  let value = 0x811c9dc5;
  for (let index = at; index < at + length; index++) value = Math.imul(value ^ bytes[index]!, 0x01000193);
  return value ^ (value >>> 15);
}
