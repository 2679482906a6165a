// The process for SQL where DuckDB is not installed.
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    return next(specifier.startsWith('@duckdb/') ? `${specifier}-that-is-not-there` : specifier, context);
  },
});
await import('../../../packages/store/src/sql/sql.entry.ts');
