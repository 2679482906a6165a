// The lowest level of reading bytes that are known to be whole, such as those that wire/write.ts wrote. What
// comes from outside goes through a Reader, which checks.

/** The unsigned 32-bit number in 4 bytes, little-endian. */
export function readFixed32(bytes: Uint8Array, at: number): number {
  // Four loads and shifts; Buffer.readUInt32LE does the same and checks its arguments on every call.
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/**
 * The varint at an offset, if it is below 2^53; what there is of it, if the bytes end before it does.
 * {@link skipVarint} gives the offset behind it.
 */
export function readVarint(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return first;
  let value = first & 0x7f;
  let unit = 0x80;
  for (let next = at + 1; ; next++, unit *= 0x80) {
    const byte = bytes[next]!;
    value += (byte & 0x7f) * unit;
    // Behind the bytes there is `undefined`, which is not below 0x80 either: that would go on for ever.
    if (!(byte >= 0x80)) return value;
  }
}

/** The offset behind the varint at an offset. */
export function skipVarint(bytes: Uint8Array, at: number): number {
  let next = at;
  while (bytes[next]! >= 0x80) next++;
  return next + 1;
}

// The natives behind Buffer.toString: they take any Uint8Array as their receiver, where Buffer.toString costs
// 120 ns for a short key and TextDecoder on a subarray 84 ns, these cost 45 ns. Node.js documents them nowhere
// but has had them since version 3.
type Slice = (this: Uint8Array, start: number, end: number) => string;
const { utf8Slice, hexSlice } = Buffer.prototype as unknown as { utf8Slice: Slice; hexSlice: Slice };

/** The string of UTF-8 bytes, `start` to `end`. What is not valid UTF-8 becomes U+FFFD. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  return utf8Slice.call(bytes, start, end);
}

/** The lower-case hex digits of some bytes, `start` to `end`. */
export function readHex(bytes: Uint8Array, start: number, end: number): string {
  return end - start === 8 ? spanIdHex(bytes, start) : hexSlice.call(bytes, start, end);
}

const HIGH_DIGITS = Uint8Array.from({ length: 256 }, (_, byte) => (byte >> 4).toString(16).charCodeAt(0));
const LOW_DIGITS = Uint8Array.from({ length: 256 }, (_, byte) => (byte & 15).toString(16).charCodeAt(0));

// A span id takes 25 ns so and 55 ns through `hexSlice`, most of which is the way into native code.
function spanIdHex(bytes: Uint8Array, at: number): string {
  const a = bytes[at]!;
  const b = bytes[at + 1]!;
  const c = bytes[at + 2]!;
  const d = bytes[at + 3]!;
  const e = bytes[at + 4]!;
  const f = bytes[at + 5]!;
  const g = bytes[at + 6]!;
  const h = bytes[at + 7]!;
  return String.fromCharCode(
    HIGH_DIGITS[a]!,
    LOW_DIGITS[a]!,
    HIGH_DIGITS[b]!,
    LOW_DIGITS[b]!,
    HIGH_DIGITS[c]!,
    LOW_DIGITS[c]!,
    HIGH_DIGITS[d]!,
    LOW_DIGITS[d]!,
    HIGH_DIGITS[e]!,
    LOW_DIGITS[e]!,
    HIGH_DIGITS[f]!,
    LOW_DIGITS[f]!,
    HIGH_DIGITS[g]!,
    LOW_DIGITS[g]!,
    HIGH_DIGITS[h]!,
    LOW_DIGITS[h]!,
  );
}
