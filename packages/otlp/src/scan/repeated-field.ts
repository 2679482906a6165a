import { keyAt, lengthAt, skipUnknown, varintEnd } from '../wire/checked.ts';
import { WIRE_BYTES } from '../wire/fields.ts';

/**
 * Walks the fields of a message of which only a repeated sub-message is of interest: calls `element` with the
 * range of each of those, and `other` with the range of each other field, key and all.
 */
export function forEachElement(
  bytes: Uint8Array,
  start: number,
  end: number,
  key: number,
  element: (start: number, end: number) => void,
  other?: (start: number, end: number) => void,
): void {
  for (let at = start; at < end; ) {
    const fieldStart = at;
    const fieldKey = keyAt(bytes, at, end);
    at = varintEnd(bytes, at, end);
    if (fieldKey === key) {
      const body = varintEnd(bytes, at, end);
      at = body + lengthAt(bytes, at, end);
      element(body, at);
      continue;
    }
    // Every known field on the way to a span is a string or a message.
    const known = fieldKey >>> 3 <= 3 && (fieldKey & 7) !== WIRE_BYTES ? 3 : 0;
    at = skipUnknown(bytes, at, end, fieldKey, 1, known);
    other?.(fieldStart, at);
  }
}
