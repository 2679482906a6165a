/** Whether an id, of so many bytes, is nothing but zeros, which OTLP calls invalid. */
export function isZeroId(bytes: Uint8Array, at: number, length: number): boolean {
  // Decided by the first byte for all but one in 256 random ids.
  for (let index = at; index < at + length; index++) if (bytes[index] !== 0) return false;
  return true;
}
