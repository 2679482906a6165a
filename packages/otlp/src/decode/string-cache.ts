import { readUtf8 } from '../wire/read.ts';

const SLOTS = 2048;
const MAX_LENGTH = 64;

// A slot is the bytes of a string, how many they are, and the string.
const seen = new Uint8Array(SLOTS * MAX_LENGTH);
const lengths = new Uint8Array(SLOTS);
const strings: string[] = new Array<string>(SLOTS).fill('');

/**
 * The string of UTF-8 bytes that have probably been seen before: an attribute's key, a span's name.
 *
 * Telemetry repeats itself. A slot remembers the last bytes that hashed to it, and comparing with them is
 * cheaper than making a string; all who ask share one, which V8 has hashed and interned already when it
 * becomes a property key. The cache has a fixed size, 128 KiB and the strings, and nobody can make it do more
 * than miss.
 */
export function readRepeated(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > MAX_LENGTH || length === 0) return readUtf8(bytes, start, end);
  // Length, both ends and two bytes between tell keys of a kind apart; the comparison decides.
  let hash = length * 31 + bytes[start]!;
  hash = hash * 31 + bytes[end - 1]!;
  hash = hash * 31 + bytes[start + (length >> 1)]!;
  hash = hash * 31 + bytes[start + ((length * 3) >> 2)]!;
  const slot = hash % SLOTS;
  const at = slot * MAX_LENGTH;
  if (lengths[slot] === length) {
    let index = 0;
    while (index < length && seen[at + index] === bytes[start + index]) index++;
    if (index === length) return strings[slot]!;
  }
  const text = readUtf8(bytes, start, end);
  for (let index = 0; index < length; index++) seen[at + index] = bytes[start + index]!;
  lengths[slot] = length;
  strings[slot] = text;
  return text;
}
