import { keyAt, lengthAt, skipUnknown, varintEnd } from '../wire/checked.ts';

/**
 * Walks the fields of a message of which only repeated sub-messages are of interest: calls `element` with the
 * range and the key of each of those whose key is one of `keys`, and `other` with the range of each other field,
 * key and all, whatever it is.
 */
export function forEachElement(
  bytes: Uint8Array,
  start: number,
  end: number,
  keys: readonly number[],
  element: (start: number, end: number, key: number) => void,
  other?: (start: number, end: number) => void,
): void {
  for (let at = start; at < end; ) {
    const fieldStart = at;
    const key = keyAt(bytes, at, end);
    at = varintEnd(bytes, at, end);
    if (keys.includes(key)) {
      const body = varintEnd(bytes, at, end);
      at = body + lengthAt(bytes, at, end);
      element(body, at, key);
      continue;
    }
    at = skipUnknown(bytes, at, end, key, 0, 0);
    other?.(fieldStart, at);
  }
}
