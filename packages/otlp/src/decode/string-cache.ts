import { readUtf8 } from '../wire/read.ts';

const SLOTS = 4096;
const MAX_LENGTH = 64;

const strings: string[] = new Array<string>(SLOTS).fill('');

/**
 * The string of UTF-8 bytes that has probably been seen before: an attribute's key, a span's name.
 *
 * Telemetry repeats itself. A slot remembers the last string whose bytes hashed to it, and comparing bytes
 * with it is half the cost of making a new string; all who ask share one string, which V8 has hashed and
 * interned already when it becomes a property key. A decoded span costs 1.6 times as much without
 * (`bench/otlp-decode`). The cache has a fixed size, and nobody can make it do more than miss.
 */
export function readRepeated(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > MAX_LENGTH || length === 0) return readUtf8(bytes, start, end);
  // Length, both ends and two bytes between tell keys of a kind apart; the comparison decides.
  const slot =
    (length * 0x9e3779b1 +
      bytes[start]! * 0x85ebca6b +
      bytes[end - 1]! * 0xc2b2ae35 +
      bytes[start + (length >> 1)]! * 0x27d4eb2f +
      bytes[start + ((length * 3) >> 2)]! * 0x165667b1) &
    (SLOTS - 1);
  const known = strings[slot]!;
  if (known.length === length && equals(known, bytes, start)) return known;
  const text = readUtf8(bytes, start, end);
  // Only ASCII has as many units as bytes, and only ASCII can be compared unit by byte.
  if (text.length === length) strings[slot] = text;
  return text;
}

function equals(text: string, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
