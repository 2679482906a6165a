import { KEY_VALUE_KEY, stringRoom, writeString } from '@tracewell/otlp/wire';
import * as arena from './arena.ts';
import { distrustFilters } from './live-spans.ts';
import { COPY_SLACK, Memory } from './memory.ts';
import { unsliced } from './text.ts';
import { TextSite } from './text-site.ts';

const { ARENA, ARENA_KEYS, KEY_ENTRY_BYTES, KEYS_AT } = arena;

/** The longest field `key`, tag and length included, that is cached; the value's text follows it in the entry. */
export const MAX_KEY_BYTES = 64;

/** An attribute key, encoded. As a site of texts, its values. */
export class EncodedKey extends TextSite {
  readonly key: string;
  /** Holds its bytes: the arena, unless they are more than {@link MAX_KEY_BYTES}. */
  readonly memory: Memory;
  /** Where in the memory its bytes are: the field `key` of a `KeyValue`, tag and length included. */
  readonly keyAt: number;
  readonly length: number;
  /** One bit of 64, the same as long as the key is cached: in which of two words of a span's filter, and the bit. */
  readonly filterWord: number;
  readonly filterBit: number;
  /** The key that followed this one when it was used last. */
  next: EncodedKey | undefined = undefined;

  /**
   * @param key - the key itself
   * @param memory - holds its encoding, and if it is the arena, room for a text behind it
   * @param keyAt - where the encoding begins
   * @param length - how long it is
   * @param bit - its bit in filters; the lower 6 bits count
   */
  constructor(key: string, memory: Memory, keyAt: number, length: number, bit: number) {
    super(keyAt + MAX_KEY_BYTES + COPY_SLACK);
    this.key = key;
    this.memory = memory;
    this.keyAt = keyAt;
    this.length = length;
    this.filterWord = (bit >>> 5) & 1;
    this.filterBit = 1 << (bit & 31);
  }
}

const keys = new Map<string, EncodedKey>();
let last = encode('');

/**
 * The encoded form of an attribute key. Keys are few, the same all the time and mostly in the same order. So the
 * key that followed the last one before is tried first (2 ns), then the map (7 ns); encoding anew costs 2 ns for
 * every character. When the cache is full of keys that nobody uses again, it starts anew: what this returns
 * holds until application code runs.
 */
export function encodedKey(key: string): EncodedKey {
  const expected = last.next;
  if (expected !== undefined && expected.key === key) {
    last = expected;
    return expected;
  }
  const encoded = keys.get(key) ?? encode(key);
  last.next = encoded;
  last = encoded;
  return encoded;
}

function encode(key: string): EncodedKey {
  if (stringRoom(key.length) < KEY_ENTRY_BYTES) {
    if (keys.size === ARENA_KEYS) startAnew();
    const at = KEYS_AT + keys.size * KEY_ENTRY_BYTES;
    const length = write(ARENA.bytes, at, key);
    if (length <= MAX_KEY_BYTES) {
      // In turn, so that the keys of one kind of span, which come one after the other, have a bit each.
      const encoded = new EncodedKey(unsliced(key), ARENA, at, length, keys.size);
      keys.set(encoded.key, encoded);
      return encoded;
    }
  }
  // Too long to keep, so it gets a memory of its own.
  const memory = new Memory(1 + stringRoom(key.length) + COPY_SLACK);
  const length = write(memory.bytes, 0, key);
  return new EncodedKey(key, memory, 0, length, hash(memory.bytes, 0, length));
}

/** Forgets all keys; nothing that is still to be used refers to one of them. */
function startAnew(): void {
  keys.clear();
  // The keys that live spans have get other bits.
  distrustFilters();
  last = encode('');
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
