import { keyAt, lengthAt, skipUnknown, varintEnd } from '../wire/checked.ts';
import {
  ANY_ARRAY,
  ANY_BOOL,
  ANY_BYTES,
  ANY_DOUBLE,
  ANY_INT,
  ANY_KVLIST,
  ANY_STRING,
  KEY_VALUE_KEY,
  KEY_VALUE_VALUE,
  RESOURCE_ATTRIBUTES,
  RESOURCE_DROPPED_ATTRIBUTES_COUNT,
} from '../wire/fields.ts';

/** Where a string lies; both -1 if there is none. */
export interface StringRange {
  start: number;
  end: number;
}

const SERVICE_NAME = Uint8Array.from('service.name', (character) => character.charCodeAt(0));

/**
 * Finds the value of `service.name` in a `Resource` message. As everywhere, the last attribute of a key
 * counts; one that is not a string leaves nothing.
 */
export function findServiceName(bytes: Uint8Array, start: number, end: number, found: StringRange): void {
  found.start = found.end = -1;
  for (let at = start; at < end; ) {
    const key = keyAt(bytes, at, end);
    at = varintEnd(bytes, at, end);
    if (key === RESOURCE_ATTRIBUTES) {
      const body = varintEnd(bytes, at, end);
      at = body + lengthAt(bytes, at, end);
      readAttribute(bytes, body, at, found);
    } else if (key === RESOURCE_DROPPED_ATTRIBUTES_COUNT) {
      at = varintEnd(bytes, at, end);
    } else {
      at = skipUnknown(bytes, at, end, key, 1, 2);
    }
  }
}

// A KeyValue may have its value before its key, so the value is only believed at the end.
function readAttribute(bytes: Uint8Array, start: number, end: number, found: StringRange): void {
  let matches = false;
  let valueStart = -1;
  let valueEnd = -1;
  for (let at = start; at < end; ) {
    const key = keyAt(bytes, at, end);
    at = varintEnd(bytes, at, end);
    if (key !== KEY_VALUE_KEY && key !== KEY_VALUE_VALUE) {
      at = skipUnknown(bytes, at, end, key, 1, 2);
      continue;
    }
    const body = varintEnd(bytes, at, end);
    at = body + lengthAt(bytes, at, end);
    if (key === KEY_VALUE_KEY) {
      matches = isServiceName(bytes, body, at);
      continue;
    }
    // The members of AnyValue exclude each other, the last one counts; an empty AnyValue changes nothing.
    for (let inner = body; inner < at; ) {
      const member = keyAt(bytes, inner, at);
      inner = varintEnd(bytes, inner, at);
      switch (member) {
        case ANY_STRING:
          valueStart = varintEnd(bytes, inner, at);
          inner = valueEnd = valueStart + lengthAt(bytes, inner, at);
          break;
        case ANY_ARRAY:
        case ANY_KVLIST:
        case ANY_BYTES:
        case ANY_BOOL:
        case ANY_INT:
        case ANY_DOUBLE:
          valueStart = valueEnd = -1;
          inner = skipUnknown(bytes, inner, at, member, 0, 0);
          break;
        default:
          inner = skipUnknown(bytes, inner, at, member, 1, 7);
      }
    }
  }
  if (!matches) return;
  found.start = valueStart;
  found.end = valueEnd;
}

function isServiceName(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== SERVICE_NAME.length) return false;
  for (let index = 0; index < SERVICE_NAME.length; index++) {
    if (bytes[start + index] !== SERVICE_NAME[index]) return false;
  }
  return true;
}
