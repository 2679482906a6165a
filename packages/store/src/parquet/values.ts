// How columns are handed over in both directions: typed arrays, one entry for each row. No object for a value.

/** Byte strings one after the other: number `i` is `bytes` from `offsets[i]` to `offsets[i + 1]`. */
export interface BytesValues {
  readonly bytes: Uint8Array;
  /** One more than there are strings. */
  readonly offsets: Uint32Array;
}

/** Values that are told by their number in a dictionary. */
export interface DictionaryValues {
  /** One for each row. */
  readonly codes: Uint32Array;
  readonly dictionary: PlainValues;
}

/**
 * Values as they are. Which form a column has follows from its type:
 *
 * | type | form |
 * | --- | --- |
 * | `boolean` | `Uint8Array` of 0 and 1 |
 * | `int32`, `uint32` | `Int32Array`; an unsigned number by its bits |
 * | `int64`, `uint64`, `timestamp` | `Uint32Array`, two for each value: its lower, then its upper half |
 * | `double` | `Float64Array` |
 * | `string`, `json`, `bytes` | {@link BytesValues} |
 *
 * 64-bit integers are halves, because a `bigint` for each value is what makes columns slow; the same memory
 * seen as a `BigInt64Array` has them as such.
 */
export type PlainValues = Uint8Array | Int32Array | Uint32Array | Float64Array | BytesValues;

/** The values of a column, plain or by dictionary. */
export type Values = PlainValues | DictionaryValues;

/** A column with one value, or none, for each row. */
export interface FlatColumn {
  readonly values: Values;
  /** 1 for each row that has a value, 0 for a null, whose place in `values` means nothing. Absent: no nulls. */
  readonly valid?: Uint8Array | undefined;
}

/** A column of lists: row `i` has the elements from `offsets[i]` to `offsets[i + 1]`. */
export interface ListColumn {
  /** One more than there are rows. */
  readonly offsets: Uint32Array;
  /** As in {@link FlatColumn}; a null has no elements. */
  readonly valid?: Uint8Array | undefined;
  readonly elements: Values;
}

/** A column of maps: row `i` has the entries from `offsets[i]` to `offsets[i + 1]`. Keys of a row differ. */
export interface MapColumn {
  /** One more than there are rows. */
  readonly offsets: Uint32Array;
  /** As in {@link FlatColumn}; a null has no entries. */
  readonly valid?: Uint8Array | undefined;
  readonly keys: Values;
  readonly values: Values;
}

/** What the writer takes for a column and the reader gives back. */
export type Column = FlatColumn | ListColumn | MapColumn;

/** Whether values are told by a dictionary. */
export function isDictionary(values: Values): values is DictionaryValues {
  return 'codes' in values;
}

/** Whether values are byte strings. */
export function isBytes(values: Values): values is BytesValues {
  return 'offsets' in values;
}
