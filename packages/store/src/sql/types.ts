/** What `querySql` takes beside the statement. */
export interface SqlOptions {
  /**
   * When the query is given up, in milliseconds from the call, 1 to 600,000. Default 30,000. What was prepared
   * for the query by then is kept for the next one.
   */
  readonly timeoutMs?: number | undefined;
  /** Rows to return at most, 1 to 1,000,000. Default 10,000. */
  readonly maxRows?: number | undefined;
}

/** What a SQL query found. */
export interface SqlResult {
  /** In the order of the statement. Of two columns with the same name, the second is called `name:1`. */
  readonly columns: readonly SqlColumn[];
  /** One object a row, with a property for each column. */
  readonly rows: readonly SqlRow[];
  /** Whether there are more rows, left out because of `maxRows` or because the result reached 64 MiB. */
  readonly truncated: boolean;
  /** From the call to the result, in milliseconds. */
  readonly elapsedMs: number;
  /** Why the result may lack rows, each reason once; absent if it lacks none. */
  readonly partial?: readonly string[];
}

/** A column of a {@link SqlResult}. */
export interface SqlColumn {
  readonly name: string;
  /** As SQL writes it: `BIGINT`, `TIMESTAMP_NS`, `MAP(VARCHAR, VARCHAR)`. */
  readonly type: string;
}

/** A row of a {@link SqlResult}. */
export interface SqlRow {
  readonly [column: string]: SqlValue;
}

/**
 * A value of a {@link SqlResult}. The type of the column decides which it is:
 *
 * | type in SQL | value |
 * | --- | --- |
 * | `BOOLEAN` | `boolean` |
 * | `TINYINT`, `SMALLINT`, `INTEGER`, their unsigned kin, `FLOAT`, `DOUBLE` | `number` |
 * | `BIGINT`, `UBIGINT`, `HUGEINT`, `UHUGEINT`, `BIGNUM` (so `count(*)` and `sum` of integers) | `bigint` |
 * | `DECIMAL` | `number` up to 15 digits, which a number holds; `string` beyond |
 * | `VARCHAR`, `ENUM`, `JSON`, `UUID`, `BIT` | `string` |
 * | `BLOB` | `Uint8Array` |
 * | `TIMESTAMP`, `TIMESTAMP_S`, `TIMESTAMP_MS`, `TIMESTAMP_NS`, `TIMESTAMP WITH TIME ZONE` | `bigint`, nanoseconds since the Unix epoch; `'infinity'` and `'-infinity'` for these |
 * | `DATE`, `TIME` and its kin | `string`, as `2026-01-31`, `23:59:59.5` |
 * | `INTERVAL` | `{ months: number, days: number, micros: bigint }` |
 * | `LIST`, `ARRAY` | array |
 * | `STRUCT`, `MAP` with text keys | object |
 * | other `MAP` | array of `{ key, value }` |
 * | `UNION` | `{ tag, value }` |
 *
 * `NULL` is `null`.
 */
export type SqlValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly SqlValue[]
  | { readonly [key: string]: SqlValue };
