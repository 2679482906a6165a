import { keyAt, lengthAt, skipUnknown, varintEnd } from '../wire/checked.ts';
import {
  ANY_ARRAY,
  ANY_BOOL,
  ANY_BYTES,
  ANY_DOUBLE,
  ANY_INT,
  ANY_KVLIST,
  ANY_STRING,
} from '../wire/fields.ts';

/** Where a string lies; both -1 if there is none. */
export interface TextRange {
  start: number;
  end: number;
}

/**
 * Finds the text of an `AnyValue`. Its members exclude each other and the last one counts: one that is no string
 * leaves none. An empty `AnyValue` changes nothing of what an earlier part of it said.
 */
export function findText(bytes: Uint8Array, start: number, end: number, found: TextRange): void {
  for (let at = start; at < end; ) {
    const member = keyAt(bytes, at, end);
    at = varintEnd(bytes, at, end);
    switch (member) {
      case ANY_STRING:
        found.start = varintEnd(bytes, at, end);
        at = found.end = found.start + lengthAt(bytes, at, end);
        break;
      case ANY_ARRAY:
      case ANY_KVLIST:
      case ANY_BYTES:
      case ANY_BOOL:
      case ANY_INT:
      case ANY_DOUBLE:
        found.start = found.end = -1;
        at = skipUnknown(bytes, at, end, member, 0, 0);
        break;
      default:
        at = skipUnknown(bytes, at, end, member, 1, 7);
    }
  }
}
