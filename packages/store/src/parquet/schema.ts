/**
 * What a value is. `timestamp` counts nanoseconds since the Unix epoch, signed; `string` and `json` are UTF-8.
 * @see https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
 */
export type ValueType =
  | 'boolean'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'double'
  | 'timestamp'
  | 'string'
  | 'json'
  | 'bytes';

/**
 * How values stand in a page. A column that is handed over by dictionary is written with dictionary codes,
 * whatever is said here; an encoding that the type does not have is `plain`.
 *
 * - `plain`: as they are
 * - `delta`: integers as differences of a block in as many bits as they need
 * - `split`: doubles, the first byte of each, then the second …; DuckDB reads it of nothing else
 * - `delta-length`: byte strings, first all lengths, then all bytes; for strings that do not repeat
 * - `delta-bytes`: byte strings without what they share with the one before; for sorted ones
 */
export type ColumnEncoding = 'plain' | 'delta' | 'split' | 'delta-length' | 'delta-bytes';

/** What every column says of itself. */
interface AnyColumnSchema {
  readonly name: string;
  /** Whether a row may have none. Default `false`. */
  readonly nullable?: boolean;
  /** The level of zstd, instead of the writer's. */
  readonly level?: number;
  /** How large a page may be, of a map one with values, instead of what the writer says. */
  readonly pageBytes?: number;
}

/** A column with one value for each row. */
export interface FlatColumnSchema extends AnyColumnSchema {
  readonly shape?: 'flat';
  readonly type: ValueType;
  /** Default `plain`. */
  readonly encoding?: ColumnEncoding;
  /** Whether the file says what the smallest and the largest values are, of row groups and of pages. Default `true`. */
  readonly statistics?: boolean;
  /** Whether readers find in the file a Bloom filter of the values; strings and bytes only. Default `false`. */
  readonly bloomFilter?: boolean;
}

/** A column with a list of values for each row: a `LIST`. */
export interface ListColumnSchema extends AnyColumnSchema {
  readonly shape: 'list';
  readonly type: ValueType;
  /** Of the elements. Default `plain`. */
  readonly encoding?: ColumnEncoding;
}

/** A column with a map from strings for each row: a `MAP`. */
export interface MapColumnSchema extends AnyColumnSchema {
  readonly shape: 'map';
  /** Of the values; keys are strings. */
  readonly type: ValueType;
  /** Of the values. Default `plain`. */
  readonly encoding?: ColumnEncoding;
}

/** One column of a table. */
export type ColumnSchema = FlatColumnSchema | ListColumnSchema | MapColumnSchema;

/** What is stored as a column of its own: a flat column, the elements of a list, the keys or the values of a map. */
export interface Leaf {
  /** From the column's name down. */
  readonly path: readonly string[];
  readonly type: ValueType;
  readonly encoding: ColumnEncoding;
  readonly bloomFilter: boolean;
  readonly statistics: boolean;
  readonly level: number | undefined;
  readonly pageBytes: number | undefined;
  /** The definition level of a value that is there. Below it, a null or nothing. */
  readonly maxDefinition: number;
  /** 1 within lists and maps, else 0. */
  readonly maxRepetition: number;
}

/** The leaves of a column: one, or the keys and the values of a map. */
export function leavesOf(column: ColumnSchema): readonly Leaf[] {
  const { name, type, encoding = 'plain', level, pageBytes } = column;
  const nulls = column.nullable === true ? 1 : 0;
  const inList = {
    bloomFilter: false,
    statistics: false,
    level,
    pageBytes,
    maxDefinition: nulls + 1,
    maxRepetition: 1,
  };
  switch (column.shape) {
    case 'list':
      return [{ path: [name, 'list', 'element'], type, encoding, ...inList }];
    case 'map':
      return [
        {
          path: [name, 'key_value', 'key'],
          type: 'string',
          encoding: 'plain',
          ...inList,
          pageBytes: undefined,
        },
        { path: [name, 'key_value', 'value'], type, encoding, ...inList },
      ];
    default: {
      const { bloomFilter = false, statistics = true } = column;
      const inRow = { bloomFilter, statistics, level, pageBytes, maxDefinition: nulls, maxRepetition: 0 };
      return [{ path: [name], type, encoding, ...inRow }];
    }
  }
}

/** Parquet's physical types, by their numbers. */
export const PhysicalType = { BOOLEAN: 0, INT32: 1, INT64: 2, DOUBLE: 5, BYTE_ARRAY: 6 } as const;
/** One of the numbers of {@link PhysicalType}. */
export type PhysicalType = (typeof PhysicalType)[keyof typeof PhysicalType];

/** How a type is stored. */
export function physicalType(type: ValueType): PhysicalType {
  switch (type) {
    case 'boolean':
      return PhysicalType.BOOLEAN;
    case 'int32':
    case 'uint32':
      return PhysicalType.INT32;
    case 'int64':
    case 'uint64':
    case 'timestamp':
      return PhysicalType.INT64;
    case 'double':
      return PhysicalType.DOUBLE;
    default:
      return PhysicalType.BYTE_ARRAY;
  }
}
