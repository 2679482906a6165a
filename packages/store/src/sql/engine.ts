/** What the process for SQL works with, in one import: DuckDB is loaded with it. */
export { Database } from './database.ts';
export { explain } from './duckdb-errors.ts';
export { HotFiles } from './hot-files.ts';
export { openLocked } from './locked-duckdb.ts';
