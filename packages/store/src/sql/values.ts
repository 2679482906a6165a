/**
 * From DuckDB's values to plain ones that lose nothing; `SqlValue` in types.ts documents which. DuckDB is loaded
 * with this file, so only the process for SQL may import it.
 */
import {
  type DuckDBArrayType,
  type DuckDBBlobValue,
  type DuckDBDataChunk,
  type DuckDBDateValue,
  type DuckDBDecimalType,
  type DuckDBIntervalValue,
  type DuckDBListType,
  type DuckDBListValue,
  type DuckDBMapType,
  type DuckDBMapValue,
  type DuckDBStructType,
  type DuckDBStructValue,
  type DuckDBTimestampMillisecondsValue,
  type DuckDBTimestampNanosecondsValue,
  type DuckDBTimestampSecondsValue,
  type DuckDBTimestampValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBUnionType,
  type DuckDBUnionValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { SqlValue } from './types.ts';

/** Turns a value that is not NULL into a plain one. */
export type Convert = (value: DuckDBValue) => SqlValue;

/** The digits that a double keeps, whatever they are. */
const SAFE_DIGITS = 15;

/** DuckDB's infinite timestamps, in whatever unit, and dates: the largest number and its negative. */
const INFINITE_TIME = 2n ** 63n - 1n;
const INFINITE_DAYS = 2 ** 31 - 1;

/** What turns the values of a type. Decided once a column, not once a value. */
export function converterOf(type: DuckDBType): Convert {
  switch (type.typeId) {
    case DuckDBTypeId.DECIMAL: {
      const exact = (type as DuckDBDecimalType).width <= SAFE_DIGITS;
      return exact ? (value) => Number(String(value)) : String;
    }
    case DuckDBTypeId.BLOB:
      // A copy: DuckDB's bytes are its own.
      return (value) => new Uint8Array((value as DuckDBBlobValue).bytes);
    case DuckDBTypeId.TIMESTAMP_NS:
      return (value) => nanos((value as DuckDBTimestampNanosecondsValue).nanos, 1n);
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_TZ:
      return (value) => nanos((value as DuckDBTimestampValue).micros, 1_000n);
    case DuckDBTypeId.TIMESTAMP_MS:
      return (value) => nanos((value as DuckDBTimestampMillisecondsValue).millis, 1_000_000n);
    case DuckDBTypeId.TIMESTAMP_S:
      return (value) => nanos((value as DuckDBTimestampSecondsValue).seconds, 1_000_000_000n);
    case DuckDBTypeId.DATE:
      return (value) => {
        const { days } = value as DuckDBDateValue;
        if (Math.abs(days) !== INFINITE_DAYS) return String(value);
        return days > 0 ? 'infinity' : '-infinity';
      };
    case DuckDBTypeId.INTERVAL:
      return (value) => {
        const { months, days, micros } = value as DuckDBIntervalValue;
        return { months, days, micros };
      };
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY: {
      const element = orNull((type as DuckDBListType | DuckDBArrayType).valueType);
      return (value) => (value as DuckDBListValue).items.map(element);
    }
    case DuckDBTypeId.STRUCT:
      return structConverter(type as DuckDBStructType);
    case DuckDBTypeId.MAP:
      return mapConverter(type as DuckDBMapType);
    case DuckDBTypeId.UNION:
      return unionConverter(type as DuckDBUnionType);
    default:
      return plain;
  }
}

function structConverter(type: DuckDBStructType): Convert {
  const fields = type.entryTypes.map((entry, i) => ({ name: type.entryNames[i]!, convert: orNull(entry) }));
  return (value) => {
    const { entries } = value as DuckDBStructValue;
    return Object.fromEntries(fields.map(({ name, convert }) => [name, convert(entries[name] ?? null)]));
  };
}

function mapConverter(type: DuckDBMapType): Convert {
  const key = orNull(type.keyType);
  const member = orNull(type.valueType);
  return type.keyType.typeId === DuckDBTypeId.VARCHAR
    ? (value) =>
        Object.fromEntries(
          (value as DuckDBMapValue).entries.map((entry) => [String(entry.key), member(entry.value)]),
        )
    : (value) =>
        (value as DuckDBMapValue).entries.map((entry) => ({
          key: key(entry.key),
          value: member(entry.value),
        }));
}

function unionConverter(type: DuckDBUnionType): Convert {
  const members = new Map(type.memberTags.map((tag, i) => [tag, orNull(type.memberTypes[i]!)]));
  return (value) => {
    const { tag, value: member } = value as DuckDBUnionValue;
    return { tag, value: members.get(tag)?.(member) ?? null };
  };
}

/** The values of a chunk, row by row. */
export function* rowsOf(
  chunk: DuckDBDataChunk,
  types: readonly DuckDBType[],
): Generator<SqlValue[], void, undefined> {
  const columns = types.map((type, i) => chunk.getColumnValues(i).map(orNull(type)));
  for (let row = 0; row < chunk.rowCount; row++) yield columns.map((column) => column[row] ?? null);
}

/**
 * About how many bytes a value takes; never less than a message with it does by much. For the bound on results.
 */
export function sizeOf(value: SqlValue): number {
  if (typeof value === 'string') return 8 + value.length;
  if (value instanceof Uint8Array) return 8 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let size = 16;
  for (const [key, member] of Object.entries(value)) size += 8 + key.length + sizeOf(member);
  return size;
}

function orNull(type: DuckDBType): (value: DuckDBValue | undefined) => SqlValue {
  const convert = converterOf(type);
  return (value) => (value === null || value === undefined ? null : convert(value));
}

/** What JavaScript has a value of its own for; everything else as DuckDB writes it. */
function plain(value: DuckDBValue): SqlValue {
  return typeof value === 'object' ? String(value) : (value as SqlValue);
}

function nanos(count: bigint, each: bigint): SqlValue {
  if (count === INFINITE_TIME) return 'infinity';
  if (count === -INFINITE_TIME) return '-infinity';
  return count * each;
}
