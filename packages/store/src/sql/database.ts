/**
 * DuckDB, locked: the second fence around a statement (the first is statement.ts). DuckDB is loaded with this
 * file, so only the process for SQL may import it.
 */
import { type DuckDBConnection, DuckDBInstance, StatementType } from '@duckdb/node-api';
import { TracewellError } from '@tracewell/plugin';
import { Copies, copiesTable } from './copies.ts';
import type { HeldFiles } from './hot-files.ts';
import { SegmentGone } from './hot-segment.ts';
import { checkStatement } from './statement.ts';
import { TABLES, type Table, text, viewOf } from './tables.ts';
import type { SqlColumn, SqlValue } from './types.ts';
import { rowsOf, sizeOf } from './values.ts';

/** What {@link Database.open} takes. */
export interface DatabaseOptions {
  /** Absolute paths of the directories whose files may be read, and nothing else may. */
  readonly directories: readonly string[];
  readonly memoryBytes: number;
  readonly threads: number;
}

/** What a statement found. */
export interface Rows {
  readonly columns: readonly SqlColumn[];
  readonly rows: readonly (readonly SqlValue[])[];
  /** Whether rows were left out. */
  readonly truncated: boolean;
}

/** Where the rows of a table are. */
export interface TableFiles {
  readonly hot: HeldFiles;
  readonly cold: readonly string[];
}

/** A result may take so much; the next row is left out. A single row beyond it is an error. */
const MAX_RESULT_BYTES = 64 * 1024 * 1024;

/** Settings from the first moment on. */
const SETTINGS = {
  allow_community_extensions: 'false',
  allow_persistent_secrets: 'false',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  // Nothing is written, also where a query needs more memory than it may have.
  temp_directory: '',
  max_temp_directory_size: '0B',
} as const;

/** Opens DuckDB so that it can read the files of some directories and do nothing else beyond its own memory. */
export async function openLocked(options: DatabaseOptions): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', {
    ...SETTINGS,
    memory_limit: `${options.memoryBytes}B`,
    threads: String(options.threads),
  });
  const connection = await instance.connect();
  for (const statement of [
    // Times without a zone are UTC, whatever the machine's zone is.
    "SET GLOBAL TimeZone = 'UTC'",
    // The files never change, so their footers are read once.
    'SET GLOBAL parquet_metadata_cache = true',
    `SET GLOBAL allowed_directories = [${options.directories.map(text).join(', ')}]`,
    'SET GLOBAL enable_external_access = false',
    ...TABLES.map(copiesTable),
    ...['now', 'get_current_timestamp', 'transaction_timestamp'].map(
      // The times of our columns have no zone (they are UTC), and DuckDB compares no such time with one that has.
      (name) => `CREATE MACRO ${name}() AS system.main.now()::TIMESTAMP`,
    ),
    'CREATE MACRO ago(i) AS system.main.now()::TIMESTAMP - i',
    // Last: from here on no setting changes any more, also not by us.
    'SET GLOBAL lock_configuration = true',
  ]) {
    await connection.run(statement);
  }
  connection.closeSync();
  return instance;
}

/** A database in memory that can read the files of some directories, and nothing else. */
export class Database {
  readonly #instance: DuckDBInstance;
  readonly #directories: readonly string[];
  readonly #copies = new Map(TABLES.map((table) => [table, new Copies(table)]));

  private constructor(instance: DuckDBInstance, directories: readonly string[]) {
    this.#instance = instance;
    this.#directories = directories;
  }

  /** Opens and locks a database. */
  static async open(options: DatabaseOptions): Promise<Database> {
    return new Database(await openLocked(options), options.directories);
  }

  /**
   * Runs one statement.
   *
   * @param filesOf - asked for the files of each table that the statement reads
   * @param onStart - gets what stops the statement, which then fails with `TW_SQL_TIMEOUT`
   * @throws {@link TracewellError}: `TW_SQL_REFUSED`, `TW_SQL_INVALID`, `TW_SQL_MEMORY`, `TW_SQL_TIMEOUT`,
   * `TW_SQL_FAILED`
   */
  async run(
    sql: string,
    maxRows: number,
    filesOf: (table: Table) => Promise<TableFiles>,
    onStart: (stop: () => void) => void,
  ): Promise<Rows> {
    // A connection of its own: views are its own too, so queries see each their own files.
    const connection = await this.#instance.connect();
    let stopped = false;
    onStart(() => {
      stopped = true;
      connection.interrupt();
    });
    const held: HeldFiles[] = [];
    try {
      const names = checkStatement(await serialize(connection, sql));
      for (const table of TABLES) {
        if (!names.has(table.name)) continue;
        const { hot, cold } = await filesOf(table);
        held.push(hot);
        const isEmpty = hot.paths.length + cold.length === 0;
        const source = isEmpty
          ? undefined
          : await this.#copies.get(table)!.source(connection, hot.paths, cold);
        await connection.run(viewOf(table, source));
      }
      if (stopped) throw new Error('stopped');
      return await select(connection, sql, maxRows);
    } catch (error) {
      throw this.#explained(error, stopped);
    } finally {
      connection.closeSync();
      for (const files of held) files.release();
    }
  }

  /** An error of DuckDB, with a code and without what is nobody's business. */
  #explained(error: unknown, stopped: boolean): unknown {
    if (error instanceof TracewellError || error instanceof SegmentGone) return error;
    if (stopped) return new TracewellError('TW_SQL_TIMEOUT', 'the query was stopped');
    const message = this.#withoutPaths(String((error as Error).message ?? error));
    const kind = /^([\w ]+?) Error: /.exec(message)?.[1]?.toLowerCase() ?? '';
    if (kind === 'out of memory') {
      return new TracewellError(
        'TW_SQL_MEMORY',
        'the query needs more memory than it may have; aggregate, filter by time, or select fewer columns',
      );
    }
    if (kind === 'io' || kind === 'internal' || kind === 'fatal') {
      return new TracewellError('TW_SQL_FAILED', `the query failed: ${message}`);
    }
    return new TracewellError('TW_SQL_INVALID', `the query cannot be run: ${message}`);
  }

  /** Where the store lies is for its owner to know, not for whoever may send SQL. */
  #withoutPaths(message: string): string {
    let shown = message;
    for (const directory of this.#directories) shown = shown.replaceAll(directory, '…');
    // Only the text of the error: the lines behind it show the statement, which its author knows.
    return shown.split('\n\nLINE ')[0] ?? '';
  }
}

/** The statement as a tree, by DuckDB's own parser. */
async function serialize(connection: DuckDBConnection, sql: string): Promise<string> {
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
  return String(reader.value(0, 0));
}

async function select(connection: DuckDBConnection, sql: string, maxRows: number): Promise<Rows> {
  const statements = await connection.extractStatements(sql);
  const prepared = await statements.prepare(0);
  // What the tree has said already, once more by another way.
  if (statements.count !== 1 || prepared.statementType !== StatementType.SELECT) {
    throw new TracewellError('TW_SQL_REFUSED', 'the statement is refused: it is no single SELECT');
  }
  const result = await prepared.stream();
  const types = result.columnTypes();
  const columns = result
    .deduplicatedColumnNames()
    .map((name, i) => ({ name, type: types[i]!.alias ?? String(types[i]) }));
  const rows: SqlValue[][] = [];
  let bytes = 0;
  for (let chunk = await result.fetchChunk(); chunk !== null; chunk = await result.fetchChunk()) {
    if (chunk.rowCount === 0) break;
    for (const row of rowsOf(chunk, types)) {
      if (rows.length === maxRows) return { columns, rows, truncated: true };
      bytes += sizeOf(row);
      if (bytes > MAX_RESULT_BYTES) {
        if (rows.length > 0) return { columns, rows, truncated: true };
        throw new TracewellError(
          'TW_SQL_MEMORY',
          `the first row alone is larger than a result may be, ${MAX_RESULT_BYTES} bytes; select less of it`,
        );
      }
      rows.push(row);
    }
  }
  return { columns, rows, truncated: false };
}
