import { join, resolve } from 'node:path';
import { planSql } from './plan.ts';
import { SqlProcess } from './sql-process.ts';
import type { SqlOptions, SqlResult, SqlRow, SqlValue } from './types.ts';

/** SQL over a store. Nothing is started before the first query. */
export class Sql {
  readonly #process: SqlProcess;

  /** @param directory - where the store lies */
  constructor(directory: string) {
    this.#process = new SqlProcess([join(resolve(directory), 'cold')]);
  }

  /** `Store.querySql`. */
  async query(sql: string, options: SqlOptions): Promise<SqlResult> {
    const begun = performance.now();
    const plan = planSql(sql, options);
    const { columns, rows, truncated } = await this.#process.run(plan, () => ({}));
    const names = columns.map(({ name }) => name);
    return {
      columns,
      rows: rows.map((row) => toRow(names, row)),
      truncated,
      elapsedMs: performance.now() - begun,
    };
  }

  /** Ends what runs. */
  close(): void {
    this.#process.close();
  }
}

function toRow(names: readonly string[], values: readonly SqlValue[]): SqlRow {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? null]));
}
