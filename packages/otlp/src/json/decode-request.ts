import type { ResourceData, ScopeData } from '@tracewell/plugin';
import { invalidJson, tooDeep, tooLarge } from '../decode-error.ts';
import { type DecodeLimits, MAX_DEPTH, resolveLimits } from '../decode-limits.ts';
import { readAttributes } from './decode-attributes.ts';
import { isObject, type JsonObject, JsonReader, toObject, toText, toUint32 } from './json-reader.ts';

/** What the lists of a request are called, in camel case and in snake case. */
export interface RequestNames {
  readonly resourceGroups: readonly [camelCase: string, snakeCase: string];
  readonly scopeGroups: readonly [camelCase: string, snakeCase: string];
  readonly entries: readonly [camelCase: string, snakeCase: string];
}

/** Reads one entry of a request: a span, a log record or a metric. */
export type ReadJsonEntry = (
  reader: JsonReader,
  message: JsonObject,
  resource: ResourceData,
  scope: ScopeData,
) => void;

/** Reads a whole request; its entries are what `readEntry` is called with, in their order. */
export function readRequestJson(
  json: string | object,
  options: DecodeLimits | undefined,
  names: RequestNames,
  readEntry: ReadJsonEntry,
): void {
  const limits = resolveLimits(options);
  if (typeof json === 'string' && json.length > limits.maxBytes) {
    throw tooLarge(`${json.length} characters`, 'maxBytes', limits.maxBytes);
  }
  const request: unknown = typeof json === 'string' ? parse(json) : json;
  if (!isObject(request)) throw invalidJson('', 'a request must be an object');
  const reader = new JsonReader(limits);
  reader.each(request, ...names.resourceGroups, (resourceGroup) => {
    reader.countItem();
    const resource = readResource(reader, resourceGroup);
    reader.each(resourceGroup, ...names.scopeGroups, (scopeGroup) => {
      reader.countItem();
      const scope = readScope(reader, scopeGroup);
      reader.each(scopeGroup, ...names.entries, (message) => readEntry(reader, message, resource, scope));
    });
  });
}

// JSON.parse rounds integers beyond 2^53. Few senders write those as bare numbers, so only text that looks like
// it pays for a walk that keeps their digits.
const LONG_NUMBER = /[\s:,[]-?\d{16}/;

function parse(text: string): unknown {
  try {
    return LONG_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch (error) {
    // JSON.parse itself does not recurse, but its walk with a function does.
    if (error instanceof RangeError) throw tooDeep('the top', MAX_DEPTH);
    throw invalidJson('', error instanceof Error ? error.message : String(error), error);
  }
}

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const digits = context?.source;
  return digits !== undefined && /^-?\d+$/.test(digits) ? BigInt(digits) : value;
}

function readResource(reader: JsonReader, resourceGroup: JsonObject): ResourceData {
  const resource = toObject(reader, resourceGroup.resource);
  return {
    attributes: readAttributes(reader, resource),
    droppedAttributesCount: readDroppedAttributesCount(reader, resource),
    schemaUrl: reader.read(resourceGroup, 'schemaUrl', 'schema_url', toText),
  };
}

function readScope(reader: JsonReader, scopeGroup: JsonObject): ScopeData {
  const scope = toObject(reader, scopeGroup.scope);
  return {
    name: reader.read(scope, 'name', 'name', toText),
    version: reader.read(scope, 'version', 'version', toText),
    attributes: readAttributes(reader, scope),
    droppedAttributesCount: readDroppedAttributesCount(reader, scope),
    schemaUrl: reader.read(scopeGroup, 'schemaUrl', 'schema_url', toText),
  };
}

/** How many attributes of a message were dropped. */
export function readDroppedAttributesCount(reader: JsonReader, message: JsonObject): number {
  return reader.read(message, 'droppedAttributesCount', 'dropped_attributes_count', toUint32);
}
