import type { ResourceData, ScopeData } from '@tracewell/plugin';
import { tooLarge } from '../decode-error.ts';
import { type DecodeLimits, resolveLimits } from '../decode-limits.ts';
import {
  REQUEST_RESOURCE_GROUPS,
  RESOURCE_GROUP_RESOURCE,
  RESOURCE_GROUP_SCHEMA_URL,
  RESOURCE_GROUP_SCOPE_GROUPS,
  SCOPE_GROUP_ENTRIES,
  SCOPE_GROUP_SCHEMA_URL,
  SCOPE_GROUP_SCOPE,
} from '../wire/fields.ts';
import { Reader } from './reader.ts';
import { newResource, newScope, readResource, readScope } from './resource.ts';

/** Reads one entry of a request, a span, log record or metric, up to `end`. */
export type ReadEntry = (reader: Reader, end: number, resource: ResourceData, scope: ScopeData) => void;

/**
 * Reads a whole request of any signal; its entries are what `readEntry` is called with, in their order.
 *
 * @param caller - the function that the user called, for errors
 */
export function readRequest(
  caller: string,
  bytes: Uint8Array,
  options: DecodeLimits | undefined,
  readEntry: ReadEntry,
): void {
  const limits = resolveLimits(options);
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${caller}: bytes must be a Uint8Array`);
  if (bytes.length > limits.maxBytes) throw tooLarge(`${bytes.length} bytes`, 'maxBytes', limits.maxBytes);
  const reader = new Reader(bytes, 0, limits);
  const end = bytes.length;
  while (reader.at < end) {
    const key = reader.key(end);
    if (key === REQUEST_RESOURCE_GROUPS) readResourceGroup(reader, reader.open(end), readEntry);
    else reader.skip(key, end, 1, 1);
  }
}

// Fields come in any order, so the resource is read in a first walk that steps over the entries, the entries in
// a second one. Scope groups are read in the same way.
function readResourceGroup(reader: Reader, end: number, readEntry: ReadEntry): void {
  reader.countItem();
  const start = reader.at;
  const resource = newResource();
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case RESOURCE_GROUP_RESOURCE:
        readResource(reader, reader.open(end), resource);
        break;
      case RESOURCE_GROUP_SCHEMA_URL:
        resource.schemaUrl = reader.repeatedString(end);
        break;
      case RESOURCE_GROUP_SCOPE_GROUPS:
        reader.at = reader.open(end);
        break;
      default:
        reader.skip(key, end, 1, 3);
    }
  }
  reader.at = start;
  while (reader.at < end) {
    const key = reader.key(end);
    if (key === RESOURCE_GROUP_SCOPE_GROUPS) readScopeGroup(reader, reader.open(end), resource, readEntry);
    else reader.skip(key, end, 0, 0);
  }
}

function readScopeGroup(reader: Reader, end: number, resource: ResourceData, readEntry: ReadEntry): void {
  reader.countItem();
  const start = reader.at;
  const scope = newScope();
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case SCOPE_GROUP_SCOPE:
        readScope(reader, reader.open(end), scope);
        break;
      case SCOPE_GROUP_SCHEMA_URL:
        scope.schemaUrl = reader.repeatedString(end);
        break;
      case SCOPE_GROUP_ENTRIES:
        reader.at = reader.open(end);
        break;
      default:
        reader.skip(key, end, 1, 3);
    }
  }
  reader.at = start;
  while (reader.at < end) {
    const key = reader.key(end);
    if (key === SCOPE_GROUP_ENTRIES) readEntry(reader, reader.open(end), resource, scope);
    else reader.skip(key, end, 0, 0);
  }
}
