/**
 * DuckDB, locked: the second fence around a statement (the first is statement.ts). DuckDB is loaded with this
 * file, so only the process for SQL may import it.
 */
import { DuckDBInstance } from '@duckdb/node-api';
import { copiesTable } from './copies.ts';
import { ROW_FILES, text } from './tables.ts';

/** What {@link openLocked} takes. */
export interface LockedOptions {
  /** Absolute paths of the directories whose files may be read, and nothing else may. */
  readonly directories: readonly string[];
  readonly memoryBytes: number;
  readonly threads: number;
}

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
export async function openLocked(options: LockedOptions): Promise<DuckDBInstance> {
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
    ...[...ROW_FILES].map(copiesTable),
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
