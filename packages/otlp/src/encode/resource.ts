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
export function writeResourceHead(writer: Writer, resource: ResourceData): void {
  writer.room(8);
  const start = writer.open(RESOURCE_SPANS_RESOURCE, 2);
  writeAttributes(writer, RESOURCE_ATTRIBUTES, resource.attributes);
  writeUint32Field(writer, RESOURCE_DROPPED_ATTRIBUTES_COUNT, resource.droppedAttributesCount);
  writer.close(start, 2);
  writeStringField(writer, RESOURCE_SPANS_SCHEMA_URL, resource.schemaUrl);
}

/** Appends what a `ScopeSpans` says of its scope. */
export function writeScopeHead(writer: Writer, scope: ScopeData): void {
  writer.room(8);
  const start = writer.open(SCOPE_SPANS_SCOPE, 1);
  writeStringField(writer, SCOPE_NAME, scope.name);
  writeStringField(writer, SCOPE_VERSION, scope.version);
  writeAttributes(writer, SCOPE_ATTRIBUTES, scope.attributes);
  writeUint32Field(writer, SCOPE_DROPPED_ATTRIBUTES_COUNT, scope.droppedAttributesCount);
  writer.close(start, 1);
  writeStringField(writer, SCOPE_SPANS_SCHEMA_URL, scope.schemaUrl);
}
