import { DamagedPage } from './damaged.ts';
import type { SchemaElement } from './metadata.ts';
import { type ColumnSchema, PhysicalType, type ValueType } from './schema.ts';

/** The columns that a footer's schema says, if our writer can have written it. @throws DamagedPage */
export function readSchema(elements: readonly SchemaElement[]): ColumnSchema[] {
  const columns: ColumnSchema[] = [];
  const take = (): SchemaElement => {
    const element = elements[at++];
    if (element === undefined) throw new DamagedPage('a schema that ends too early');
    return element;
  };
  let at = 1;
  while (at < elements.length) {
    const column = take();
    const common = { name: column.name, nullable: column.repetition === 1 };
    if (column.logical === 'list') {
      take();
      columns.push({ ...common, shape: 'list', type: typeOf(take()) });
    } else if (column.logical === 'map') {
      take();
      take();
      columns.push({ ...common, shape: 'map', type: typeOf(take()) });
    } else {
      columns.push({ ...common, type: typeOf(column) });
    }
  }
  if (columns.length !== elements[0]?.children)
    throw new DamagedPage('a schema of other columns than it says');
  return columns;
}

function typeOf({ type, logical }: SchemaElement): ValueType {
  switch (type) {
    case PhysicalType.BOOLEAN:
      return 'boolean';
    case PhysicalType.DOUBLE:
      return 'double';
    case PhysicalType.INT32:
      return logical === 'uint32' ? 'uint32' : 'int32';
    case PhysicalType.INT64:
      if (logical === 'timestamp-nanos') return 'timestamp';
      return logical === 'uint64' ? 'uint64' : 'int64';
    case PhysicalType.BYTE_ARRAY:
      if (logical === 'string' || logical === 'json') return logical;
      return 'bytes';
    default:
      throw new DamagedPage(`a column of type ${type}`);
  }
}
