/** Whether an id, of so many bytes, is nothing but zeros: OTLP says of such a one that there is none. */
export function isZeroId(bytes: Uint8Array, at: number, length: number): boolean {
  for (let index = at; index < at + length; index++) if (bytes[index] !== 0) return false;
  return true;
}
