/** The tables of SQL and their columns, as docs/sql.md documents them. */

/** A column of a table. */
export interface TableColumn {
  readonly name: string;
  /** Its type in SQL. */
  readonly type: string;
  /** What it is, in terms of the columns of the files; the column of the same name by default. */
  readonly from?: string;
}

/** A table. */
export interface Table {
  readonly name: string;
  readonly columns: readonly TableColumn[];
}

/** All tables, in the order in which messages list them. */
export const TABLES: readonly Table[] = [
  { name: 'spans', columns: [{ name: 'trace_id', type: 'VARCHAR' }] },
  { name: 'logs', columns: [{ name: 'trace_id', type: 'VARCHAR' }] },
  { name: 'metrics', columns: [{ name: 'name', type: 'VARCHAR' }] },
  { name: 'metrics_5m', columns: [{ name: 'name', type: 'VARCHAR' }] },
  { name: 'comments', columns: [{ name: 'trace_id', type: 'VARCHAR' }] },
];

/** Their names. */
export const TABLE_NAMES: ReadonlySet<string> = new Set(TABLES.map((table) => table.name));

/**
 * The view of a table over files.
 *
 * Columns are named one by one: `read_parquet` has more of its own, `filename` among them, which would tell
 * where the store lies.
 *
 * @param files - absolute paths; none makes a table without rows
 */
export function viewOf(table: Table, files: readonly string[]): string {
  if (files.length === 0) {
    const columns = table.columns.map(({ name, type }) => `NULL::${type} AS ${identifier(name)}`);
    return `CREATE TEMP VIEW ${identifier(table.name)} AS SELECT ${columns.join(', ')} WHERE false`;
  }
  const columns = table.columns.map(({ name, from }) =>
    from === undefined ? identifier(name) : `${from} AS ${identifier(name)}`,
  );
  return `CREATE TEMP VIEW ${identifier(table.name)} AS SELECT ${columns.join(', ')} FROM read_parquet([${files.map(text).join(', ')}])`;
}

/** A text as a literal. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
