import type { ResourceData, ScopeData } from '@tracewell/plugin';
import {
  RESOURCE_ATTRIBUTES,
  RESOURCE_DROPPED_ATTRIBUTES_COUNT,
  RESOURCE_GROUP_RESOURCE,
  RESOURCE_GROUP_SCHEMA_URL,
  SCOPE_ATTRIBUTES,
  SCOPE_DROPPED_ATTRIBUTES_COUNT,
  SCOPE_GROUP_SCHEMA_URL,
  SCOPE_GROUP_SCOPE,
  SCOPE_NAME,
  SCOPE_VERSION,
} from '../wire/fields.ts';
import { writeAttributes } from './attributes.ts';
import { writeStringField, writeUint32Field } from './primitive-fields.ts';
import type { Writer } from './writer.ts';

/** Appends what a resource group says of its resource. */
export function writeResourceHead(writer: Writer, at: number, resource: ResourceData): number {
  writer.room(at, 3)[at] = RESOURCE_GROUP_RESOURCE;
  const start = at + 3;
  const { attributes, droppedAttributesCount, schemaUrl } = resource;
  let end = writeAttributes(writer, start, RESOURCE_ATTRIBUTES, attributes, 'attributes');
  end = writeUint32Field(
    writer,
    end,
    RESOURCE_DROPPED_ATTRIBUTES_COUNT,
    droppedAttributesCount,
    'droppedAttributesCount',
  );
  end = writer.close(start, end, 2);
  return writeStringField(writer, end, RESOURCE_GROUP_SCHEMA_URL, schemaUrl, 'schemaUrl');
}

/** Appends what a scope group says of its scope. */
export function writeScopeHead(writer: Writer, at: number, scope: ScopeData): number {
  writer.room(at, 2)[at] = SCOPE_GROUP_SCOPE;
  const start = at + 2;
  const { name, version, attributes, droppedAttributesCount, schemaUrl } = scope;
  let end = writeStringField(writer, start, SCOPE_NAME, name, 'name');
  end = writeStringField(writer, end, SCOPE_VERSION, version, 'version');
  end = writeAttributes(writer, end, SCOPE_ATTRIBUTES, attributes, 'attributes');
  end = writeUint32Field(
    writer,
    end,
    SCOPE_DROPPED_ATTRIBUTES_COUNT,
    droppedAttributesCount,
    'droppedAttributesCount',
  );
  end = writer.close(start, end, 1);
  return writeStringField(writer, end, SCOPE_GROUP_SCHEMA_URL, schemaUrl, 'schemaUrl');
}
