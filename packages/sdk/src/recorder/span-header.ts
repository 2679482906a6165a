import {
  SPAN_FLAGS,
  SPAN_KIND,
  SPAN_PARENT_SPAN_ID,
  SPAN_SPAN_ID,
  SPAN_START_TIME,
  SPAN_TRACE_ID,
  writeHex,
} from '@tracewell/otlp/wire';

/*
 * The block of a live span begins with a header of fixed offsets, so that its children and `spanContext` find
 * its identity there. It is already what goes on the wire:
 *
 *    0  0a 10  trace id, 16 bytes
 *   18  12 08  span id, 8 bytes
 *   28  39     start time, 8 bytes
 *   37  85 01  flags, 4 bytes
 *   43  30     kind, 1 byte
 *   45         records follow, each a tag and a length: first the parent's span id and the trace state, if any
 */
export const TRACE_ID_AT = 2;
export const SPAN_ID_AT = 20;
export const START_TIME_AT = 29;
export const FLAGS_AT = 39;
export const KIND_AT = 44;
/** Where the records begin. */
export const HEADER_BYTES = 45;
/** Bytes of the record with the parent's span id. */
export const PARENT_BYTES = 10;

/** The W3C trace flag "sampled". */
export const SAMPLED = 1;

/** OTLP's flags of a span: whether the parent is remote is known, and it is. */
export const PARENT_IS_LOCAL = 0x100;
export const PARENT_IS_REMOTE = 0x300;

/** Writes the tags and lengths of a header, once for each block: what changes stands between them. */
export function writeHeaderTags(bytes: Uint8Array, base: number): void {
  bytes[base] = SPAN_TRACE_ID;
  bytes[base + 1] = 16;
  bytes[base + 18] = SPAN_SPAN_ID;
  bytes[base + 19] = 8;
  bytes[base + 28] = SPAN_START_TIME;
  bytes[base + 37] = SPAN_FLAGS;
  bytes[base + 38] = 1;
  bytes[base + 43] = SPAN_KIND;
}

/** Writes the tag and length of the record with the parent's span id; returns where the id goes. */
export function writeParentTag(bytes: Uint8Array, base: number): number {
  bytes[base + HEADER_BYTES] = SPAN_PARENT_SPAN_ID;
  bytes[base + HEADER_BYTES + 1] = 8;
  return base + HEADER_BYTES + 2;
}

/** Writes an id of so many bytes given in hex digits; false if it is none, or all zero. */
export function writeId(bytes: Uint8Array, at: number, hex: unknown, length: number): boolean {
  if (typeof hex !== 'string' || hex.length !== 2 * length || writeHex(bytes, at, hex) < 0) return false;
  let any = 0;
  for (let index = 0; index < length; index++) any |= bytes[at + index]!;
  return any !== 0;
}

/** The 8 bits of given trace flags; "sampled" if none are given. */
export function traceFlagsOf(given: unknown): number {
  return typeof given === 'number' ? given & 0xff : SAMPLED;
}
