/**
 * The index files of several signals as one: the bytes of a segment's `.idx` file, around which the log puts a
 * checksum and the segment's identity. Little-endian; everything starts at a multiple of 8.
 *
 * ```
 * Uint32 x 4   magic "TWHT", version, number of sections, 0
 * for each     Uint32 x 4: frame kind, 0, length in bytes (low half), (high half)
 * sections     one after the other, each padded to a multiple of 8
 * ```
 */
const MAGIC = 0x54485754;
const VERSION = 1;
const HEADER_WORDS = 4;
const ENTRY_WORDS = 4;

/** A signal's part of the file. */
export interface Section<Bytes> {
  /** The kind of the frames that it indexes. */
  readonly kind: number;
  readonly bytes: Bytes;
}

/** The pieces of the file. */
export function saveSections(sections: readonly Section<readonly Uint8Array[]>[]): Uint8Array[] {
  const head = new Uint32Array(HEADER_WORDS + sections.length * ENTRY_WORDS);
  head.set([MAGIC, VERSION, sections.length]);
  const pieces: Uint8Array[] = [new Uint8Array(head.buffer)];
  for (const [index, { kind, bytes }] of sections.entries()) {
    const length = bytes.reduce((sum, piece) => sum + piece.length, 0);
    head.set([kind, 0, length >>> 0, Math.floor(length / 2 ** 32)], HEADER_WORDS + index * ENTRY_WORDS);
    pieces.push(...bytes);
    if (length % 8 !== 0) pieces.push(new Uint8Array(8 - (length % 8)));
  }
  return pieces;
}

/**
 * The sections of a file, as views.
 *
 * @param bytes - aligned to 8
 * @returns `undefined` if another version wrote it, or its lengths do not fit
 */
export function loadSections(bytes: Uint8Array): Section<Uint8Array>[] | undefined {
  if (bytes.byteOffset % 8 !== 0 || bytes.length < HEADER_WORDS * 4) return undefined;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  const [magic, version, count] = words;
  if (magic !== MAGIC || version !== VERSION) return undefined;
  let at = (HEADER_WORDS + count! * ENTRY_WORDS) * 4;
  if (at > bytes.length) return undefined;
  const sections: Section<Uint8Array>[] = [];
  for (let index = 0; index < count!; index++) {
    const entry = HEADER_WORDS + index * ENTRY_WORDS;
    const length = words[entry + 2]! + words[entry + 3]! * 2 ** 32;
    if (length > bytes.length - at) return undefined;
    sections.push({ kind: words[entry]!, bytes: bytes.subarray(at, at + length) });
    at += Math.ceil(length / 8) * 8;
  }
  return sections;
}
