import type { ResourceData, ScopeData } from '@tracewell/plugin';
import { type DecodeLimits, resolveLimits } from '../decode-limits.ts';
import {
  RESOURCE_ATTRIBUTES,
  RESOURCE_DROPPED_ATTRIBUTES_COUNT,
  SCOPE_ATTRIBUTES,
  SCOPE_DROPPED_ATTRIBUTES_COUNT,
  SCOPE_NAME,
  SCOPE_VERSION,
} from '../wire/fields.ts';
import { readUtf8 } from '../wire/read.ts';
import { type MutableAttributes, newAttributes, readKeyValue } from './attributes.ts';
import { Reader } from './reader.ts';

/** A resource while it is being read. */
export interface ResourceBuilder {
  attributes: MutableAttributes;
  droppedAttributesCount: number;
  schemaUrl: string;
}

/** A scope while it is being read. */
export interface ScopeBuilder {
  name: string;
  version: string;
  attributes: MutableAttributes;
  droppedAttributesCount: number;
  schemaUrl: string;
}

/** A resource that says nothing. */
export function newResource(): ResourceBuilder {
  return { attributes: newAttributes(), droppedAttributesCount: 0, schemaUrl: '' };
}

/** A scope that says nothing. */
export function newScope(): ScopeBuilder {
  return { name: '', version: '', attributes: newAttributes(), droppedAttributesCount: 0, schemaUrl: '' };
}

/**
 * Decodes one `Resource` message, such as `TraceScanner` found. Its schema URL stands outside of it.
 *
 * @param start - `scanner.resourceStart`; -1 gives a resource without attributes
 * @param end - `scanner.resourceEnd`
 * @param schemaStart - `scanner.resourceSchemaStart`. Default -1, no schema URL
 * @param schemaEnd - `scanner.resourceSchemaEnd`
 * @throws `TracewellError` (`TW_DECODE_INVALID`, `TW_DECODE_TOO_DEEP`, `TW_DECODE_TOO_LARGE`)
 *
 * @example
 * ```ts
 * import { decodeResource } from '@tracewell/otlp';
 *
 * console.log(decodeResource(new Uint8Array(), -1, -1).schemaUrl === ''); // true
 * ```
 */
export function decodeResource(
  bytes: Uint8Array,
  start: number,
  end: number,
  schemaStart = -1,
  schemaEnd = -1,
  limits?: DecodeLimits,
): ResourceData {
  const resource = newResource();
  if (start !== -1) readResource(new Reader(bytes, start, resolveLimits(limits)), end, resource);
  if (schemaStart !== -1) resource.schemaUrl = readUtf8(bytes, schemaStart, schemaEnd);
  return resource;
}

/**
 * Decodes one `InstrumentationScope` message, such as `TraceScanner` found. Its schema URL stands outside of it.
 *
 * @param start - `scanner.scopeStart`; -1 gives a scope without a name
 * @param end - `scanner.scopeEnd`
 * @param schemaStart - `scanner.scopeSchemaStart`. Default -1, no schema URL
 * @param schemaEnd - `scanner.scopeSchemaEnd`
 * @throws `TracewellError` (`TW_DECODE_INVALID`, `TW_DECODE_TOO_DEEP`, `TW_DECODE_TOO_LARGE`)
 *
 * @example
 * ```ts
 * import { decodeScope } from '@tracewell/otlp';
 *
 * console.log(decodeScope(Uint8Array.of(0x0a, 2, 0x70, 0x67), 0, 4).name); // pg
 * ```
 */
export function decodeScope(
  bytes: Uint8Array,
  start: number,
  end: number,
  schemaStart = -1,
  schemaEnd = -1,
  limits?: DecodeLimits,
): ScopeData {
  const scope = newScope();
  if (start !== -1) readScope(new Reader(bytes, start, resolveLimits(limits)), end, scope);
  if (schemaStart !== -1) scope.schemaUrl = readUtf8(bytes, schemaStart, schemaEnd);
  return scope;
}

/** Reads one `Resource` message up to `end` into what an earlier part said. */
export function readResource(reader: Reader, end: number, resource: ResourceBuilder): void {
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case RESOURCE_ATTRIBUTES:
        readKeyValue(reader, reader.open(end), resource.attributes, 0);
        break;
      case RESOURCE_DROPPED_ATTRIBUTES_COUNT:
        resource.droppedAttributesCount = reader.uint32(end);
        break;
      default:
        reader.skip(key, end, 1, 2);
    }
  }
}

/** Reads one `InstrumentationScope` message up to `end` into what an earlier part said. */
export function readScope(reader: Reader, end: number, scope: ScopeBuilder): void {
  while (reader.at < end) {
    const key = reader.key(end);
    switch (key) {
      case SCOPE_NAME:
        scope.name = reader.repeatedString(end);
        break;
      case SCOPE_VERSION:
        scope.version = reader.repeatedString(end);
        break;
      case SCOPE_ATTRIBUTES:
        readKeyValue(reader, reader.open(end), scope.attributes, 0);
        break;
      case SCOPE_DROPPED_ATTRIBUTES_COUNT:
        scope.droppedAttributesCount = reader.uint32(end);
        break;
      default:
        reader.skip(key, end, 1, 4);
    }
  }
}
