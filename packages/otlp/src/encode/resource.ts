import type { ResourceData, ScopeData } from '@tracewell/plugin';
import {
  RESOURCE_ATTRIBUTES,
  RESOURCE_DROPPED_ATTRIBUTES_COUNT,
  RESOURCE_SPANS_RESOURCE,
  RESOURCE_SPANS_SCHEMA_URL,
  SCOPE_ATTRIBUTES,
  SCOPE_DROPPED_ATTRIBUTES_COUNT,
  SCOPE_NAME,
  SCOPE_SPANS_SCHEMA_URL,
  SCOPE_SPANS_SCOPE,
  SCOPE_VERSION,
} from '../wire/fields.ts';
import { writeAttributes } from './attributes.ts';
import { writeStringField, writeUint32Field } from './primitive-fields.ts';
import type { Writer } from './writer.ts';

/** Appends what a `ResourceSpans` says of its resource. */
export function writeResourceHead(writer: Writer, at: number, resource: ResourceData): number {
  writer.room(at, 3)[at] = RESOURCE_SPANS_RESOURCE;
  const start = at + 3;
  let end = writeAttributes(writer, start, RESOURCE_ATTRIBUTES, resource.attributes);
  end = writeUint32Field(writer, end, RESOURCE_DROPPED_ATTRIBUTES_COUNT, resource.droppedAttributesCount);
  end = writer.close(start, end, 2);
  return writeStringField(writer, end, RESOURCE_SPANS_SCHEMA_URL, resource.schemaUrl);
}

/** Appends what a `ScopeSpans` says of its scope. */
export function writeScopeHead(writer: Writer, at: number, scope: ScopeData): number {
  writer.room(at, 2)[at] = SCOPE_SPANS_SCOPE;
  const start = at + 2;
  let end = writeStringField(writer, start, SCOPE_NAME, scope.name);
  end = writeStringField(writer, end, SCOPE_VERSION, scope.version);
  end = writeAttributes(writer, end, SCOPE_ATTRIBUTES, scope.attributes);
  end = writeUint32Field(writer, end, SCOPE_DROPPED_ATTRIBUTES_COUNT, scope.droppedAttributesCount);
  end = writer.close(start, end, 1);
  return writeStringField(writer, end, SCOPE_SPANS_SCHEMA_URL, scope.schemaUrl);
}
