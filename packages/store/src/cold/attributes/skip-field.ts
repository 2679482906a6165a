import {
  readVarint,
  skipVarint,
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_GROUP_END,
  WIRE_GROUP_START,
} from '@tracewell/otlp/wire';

/** The offset behind the value of a field, of bytes that a scanner or validator let through. */
export function skipField(bytes: Uint8Array, at: number, key: number): number {
  switch (key & 7) {
    case WIRE_BYTES:
      return skipVarint(bytes, at) + readVarint(bytes, at);
    case WIRE_FIXED64:
      return at + 8;
    case WIRE_FIXED32:
      return at + 4;
    case WIRE_GROUP_START:
      return skipGroup(bytes, at);
    default:
      return skipVarint(bytes, at);
  }
}

// OTLP never had groups, but unknown fields may be some.
function skipGroup(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length) {
    const key = readVarint(bytes, at);
    at = skipVarint(bytes, at);
    if ((key & 7) === WIRE_GROUP_END) return at;
    at = skipField(bytes, at, key);
  }
  return at;
}
