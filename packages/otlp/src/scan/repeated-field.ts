import { keyAt, lengthAt, skipUnknown, varintEnd } from '../wire/checked.ts';

/**
 * Walks the fields of a message of which only a repeated sub-message is of interest: calls `element` with the
 * range of each of those, and `other` with the range of each other field, key and all, whatever it is.
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
    at = skipUnknown(bytes, at, end, fieldKey, 0, 0);
    other?.(fieldStart, at);
  }
}
