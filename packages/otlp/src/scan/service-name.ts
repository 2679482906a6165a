import { keyAt, lengthAt, skipUnknown, varintEnd } from '../wire/checked.ts';
import {
  KEY_VALUE_KEY,
  KEY_VALUE_VALUE,
  RESOURCE_ATTRIBUTES,
  RESOURCE_DROPPED_ATTRIBUTES_COUNT,
} from '../wire/fields.ts';
import { findText, type TextRange } from './text-range.ts';

const SERVICE_NAME = Uint8Array.from('service.name', (character) => character.charCodeAt(0));

/**
 * Finds the value of `service.name` in a `Resource` message. As everywhere, the last attribute of a key
 * counts; one that is not a string leaves nothing.
 */
export function findServiceName(bytes: Uint8Array, start: number, end: number, found: TextRange): void {
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

/** Where the value of the attribute lies that is being read. */
const value: TextRange = { start: -1, end: -1 };

// A KeyValue may have its value before its key, so the value is only believed at the end.
function readAttribute(bytes: Uint8Array, start: number, end: number, found: TextRange): void {
  let matches = false;
  value.start = value.end = -1;
  for (let at = start; at < end; ) {
    const key = keyAt(bytes, at, end);
    at = varintEnd(bytes, at, end);
    if (key !== KEY_VALUE_KEY && key !== KEY_VALUE_VALUE) {
      at = skipUnknown(bytes, at, end, key, 1, 2);
      continue;
    }
    const body = varintEnd(bytes, at, end);
    at = body + lengthAt(bytes, at, end);
    if (key === KEY_VALUE_KEY) matches = isServiceName(bytes, body, at);
    else findText(bytes, body, at, value);
  }
  if (!matches) return;
  found.start = value.start;
  found.end = value.end;
}

function isServiceName(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== SERVICE_NAME.length) return false;
  for (let index = 0; index < SERVICE_NAME.length; index++) {
    if (bytes[start + index] !== SERVICE_NAME[index]) return false;
  }
  return true;
}
