/**
 * Statements on a locked DuckDB. DuckDB is loaded with this file, so only the process for SQL may import it.
 */
import { type DuckDBConnection, type DuckDBInstance, StatementType } from '@duckdb/node-api';
import { TracewellError } from '@tracewell/plugin';
import type { ColdSignal } from '../meta/catalog.ts';
import { ColdFiles } from './cold-files.ts';
import { Copies } from './copies.ts';
import { mayBeDamage } from './duckdb-errors.ts';
import type { HeldFiles } from './hot-files.ts';
import type { ColdPaths } from './protocol.ts';
import { checkStatement } from './statement.ts';
import { ROW_FILES, type RowFiles, readParquet, TABLES, type Table, viewOf } from './tables.ts';
import type { SqlColumn, SqlValue } from './types.ts';
import { rowsOf, sizeOf } from './values.ts';

/** What a statement found. */
export interface Rows {
  readonly columns: readonly SqlColumn[];
  readonly rows: readonly (readonly SqlValue[])[];
  /** Whether rows were left out. */
  readonly truncated: boolean;
  /** Why rows may lack, each reason once. */
  readonly partial: readonly string[];
}

/** Where rows are. */
export interface Files {
  hot(rows: RowFiles): Promise<HeldFiles>;
  cold(signal: ColdSignal): ColdPaths;
}

/** A result may take so much; the next row is left out. A single row beyond it is an error. */
const MAX_RESULT_BYTES = 64 * 1024 * 1024;

/** What runs statements on the files of a store. */
export class Database {
  readonly #instance: DuckDBInstance;
  readonly #copies = new Map([...ROW_FILES].map((rows) => [rows, new Copies(rows)] as const));
  readonly #coldFiles = new ColdFiles();
  readonly #explain: (error: unknown) => unknown;

  /** @param explain - turns what is thrown into what may be shown */
  constructor(instance: DuckDBInstance, explain: (error: unknown) => unknown) {
    this.#instance = instance;
    this.#explain = explain;
  }

  /**
   * Runs one statement.
   *
   * @param files - asked for those of each table that the statement reads
   * @param onStart - gets what stops the statement, which then fails with `TW_SQL_TIMEOUT`
   * @throws `FileGone`; {@link TracewellError}: `TW_SQL_REFUSED`, `TW_SQL_INVALID`, `TW_SQL_MEMORY`,
   * `TW_SQL_TIMEOUT`, `TW_SQL_FAILED`
   */
  async run(sql: string, maxRows: number, files: Files, onStart: (stop: () => void) => void): Promise<Rows> {
    // A connection of its own: views are its own too, so queries see each their own files.
    const connection = await this.#instance.connect();
    let stopped = false;
    onStart(() => {
      stopped = true;
      connection.interrupt();
    });
    const held: HeldFiles[] = [];
    const cold: ColdPaths[] = [];
    try {
      const names = checkStatement(await serialize(connection, sql));
      for (const table of TABLES) {
        if (!names.has(table.name)) continue;
        const hot = await files.hot(table.rows);
        held.push(hot);
        const own = files.cold(table.rows.signal);
        const rolledUp = table.rolledUp && files.cold(table.rolledUp.signal);
        cold.push(own, ...(rolledUp === undefined ? [] : [rolledUp]));
        await this.#makeView(connection, table, hot.paths, own.paths, rolledUp?.paths);
      }
      if (stopped) throw new Error('stopped');
      const rows = await select(connection, sql, maxRows);
      return { ...rows, partial: this.#coldFiles.damageOf(cold) };
    } catch (error) {
      if (stopped) throw new TracewellError('TW_SQL_TIMEOUT', 'the query was stopped');
      const again =
        mayBeDamage(error) &&
        (held.some((files) => files.forgetLost()) ||
          (await this.#coldFiles.findDamage(
            cold.flatMap(({ paths }) => paths),
            () => !stopped,
          )));
      if (!again) throw this.#explain(error);
    } finally {
      connection.closeSync();
      for (const files of held) files.release();
    }
    // With what was lost made again, or without what is damaged.
    return this.run(sql, maxRows, files, onStart);
  }

  /** Whether statements can be run at all. */
  async works(): Promise<boolean> {
    try {
      const connection = await this.#instance.connect();
      await connection.run('SELECT 1');
      connection.closeSync();
      return true;
    } catch {
      return false;
    }
  }

  async #makeView(
    connection: DuckDBConnection,
    table: Table,
    hot: readonly string[],
    cold: readonly string[],
    rolledUp: readonly string[] = [],
  ): Promise<void> {
    const sound = this.#coldFiles.withoutDamaged(cold);
    const isEmpty = hot.length + sound.length === 0;
    const copies = this.#copies.get(table.rows)!;
    const source = isEmpty ? undefined : await copies.source(connection, hot, sound);
    const soundRollups = this.#coldFiles.withoutDamaged(rolledUp);
    await connection.run(
      viewOf(table, source, soundRollups.length === 0 ? undefined : readParquet(soundRollups)),
    );
  }
}

/** The statement as a tree, by DuckDB's own parser. */
async function serialize(connection: DuckDBConnection, sql: string): Promise<string> {
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
  return String(reader.value(0, 0));
}

async function select(
  connection: DuckDBConnection,
  sql: string,
  maxRows: number,
): Promise<Omit<Rows, 'partial'>> {
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
