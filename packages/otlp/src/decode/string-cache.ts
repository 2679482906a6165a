import { readUtf8 } from '../wire/read.ts';

const SLOTS = 2048;
const MAX_LENGTH = 64;

// A slot is the bytes of a string, how many they are, and the string. Two neighbouring slots make a pair.
const seen = new Uint8Array(SLOTS * MAX_LENGTH);
const lengths = new Uint8Array(SLOTS);
const strings: string[] = new Array<string>(SLOTS).fill('');
let misses = 0;

/**
 * The string of UTF-8 bytes that have probably been seen before: an attribute's key, a span's name.
 *
 * Telemetry repeats itself. A slot remembers the last bytes that hashed to it, and comparing with them is
 * cheaper than making a string; all who ask share one, which V8 has hashed and interned already when it
 * becomes a property key. The cache has a fixed size, 128 KiB and the strings, and nobody can make it do more
 * than miss.
 *
 * A string has two slots where it can be. With one, two keys that fall on the same slot and take turns, as the
 * keys of every span do, both miss every time: `http.route` and `user.id` did, 7 % of decoding a span.
 */
export function readRepeated(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > MAX_LENGTH || length === 0) return readUtf8(bytes, start, end);
  // Length, both ends and two bytes between tell keys of a kind apart; the comparison decides.
  let hash = length * 31 + bytes[start]!;
  hash = hash * 31 + bytes[end - 1]!;
  hash = hash * 31 + bytes[start + (length >> 1)]!;
  hash = hash * 31 + bytes[start + ((length * 3) >> 2)]!;
  const slot = hash & (SLOTS - 1);
  if (holds(slot, bytes, start, length)) return strings[slot]!;
  if (holds(slot ^ 1, bytes, start, length)) return strings[slot ^ 1]!;
  // In turns, so that two strings that keep missing come to lie side by side.
  const victim = slot ^ (misses++ & 1);
  const text = readUtf8(bytes, start, end);
  const at = victim * MAX_LENGTH;
  for (let index = 0; index < length; index++) seen[at + index] = bytes[start + index]!;
  lengths[victim] = length;
  strings[victim] = text;
  return text;
}

function holds(slot: number, bytes: Uint8Array, start: number, length: number): boolean {
  if (lengths[slot] !== length) return false;
  const at = slot * MAX_LENGTH;
  for (let index = 0; index < length; index++) if (seen[at + index] !== bytes[start + index]) return false;
  return true;
}
