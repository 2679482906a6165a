import {
  KEY_VALUE_KEY,
  KEY_VALUE_VALUE,
  RESOURCE_ATTRIBUTES,
  RESOURCE_SPANS_RESOURCE,
  RESOURCE_SPANS_SCHEMA_URL,
  SCOPE_ATTRIBUTES,
  SCOPE_NAME,
  SCOPE_SPANS_SCHEMA_URL,
  SCOPE_SPANS_SCOPE,
  SCOPE_VERSION,
  varintSize,
  writeVarint,
} from '@tracewell/otlp/wire';
import type { Attributes, InstrumentationScope, Resource } from '@tracewell/plugin';
import { ValueEncoder } from './values.ts';

/** What stands around the spans of a batch: the bytes before and behind what a message repeats. */
export interface EncodedHeader {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

/** The most that an attribute of a resource or scope may take. */
const MAX_VALUE_BYTES = 65_536;

/** What a `ResourceSpans` holds beside its `ScopeSpans`. */
export function encodeResource(resource: Resource): EncodedHeader {
  return {
    head: message(RESOURCE_SPANS_RESOURCE, attributes(RESOURCE_ATTRIBUTES, resource.attributes)),
    tail: text(RESOURCE_SPANS_SCHEMA_URL, resource.schemaUrl),
  };
}

/** What a `ScopeSpans` holds beside its spans. */
export function encodeScope(scope: InstrumentationScope): EncodedHeader {
  return {
    head: message(
      SCOPE_SPANS_SCOPE,
      Buffer.concat([
        text(SCOPE_NAME, scope.name),
        text(SCOPE_VERSION, scope.version),
        attributes(SCOPE_ATTRIBUTES, scope.attributes ?? {}),
      ]),
    ),
    tail: text(SCOPE_SPANS_SCHEMA_URL, scope.schemaUrl),
  };
}

function message(tag: number, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + varintSize(content.length) + content.length);
  bytes[0] = tag;
  bytes.set(content, writeVarint(bytes, 1, content.length));
  return bytes;
}

function text(tag: number, value: unknown): Uint8Array {
  return typeof value === 'string' && value !== '' ? message(tag, Buffer.from(value)) : new Uint8Array();
}

function attributes(tag: number, values: Attributes): Uint8Array {
  const encoder = new ValueEncoder(Number.POSITIVE_INFINITY, MAX_VALUE_BYTES);
  const pairs: Uint8Array[] = [];
  for (const [key, value] of Object.entries(values)) {
    if (key === '' || value === undefined) continue;
    const size = encoder.encode(value);
    if (size < 0 || size > MAX_VALUE_BYTES) continue;
    const encoded = message(KEY_VALUE_VALUE, encoder.bytes.subarray(0, size));
    pairs.push(message(tag, Buffer.concat([message(KEY_VALUE_KEY, Buffer.from(key)), encoded])));
  }
  return Buffer.concat(pairs);
}
