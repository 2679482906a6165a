import { resolve } from 'node:path';
import { planSql } from './plan.ts';
import { type SnapshotTaker, SqlProcess } from './sql-process.ts';
import type { SqlOptions, SqlResult, SqlRow, SqlValue } from './types.ts';

export { sqlSnapshot } from './snapshot.ts';

/** SQL over a store. Nothing is started before the first query. */
export class Sql {
  readonly #process: SqlProcess;
  readonly #snapshot: SnapshotTaker;

  /**
   * @param directory - where the store lies
   * @param snapshot - looks where the rows are now
   */
  constructor(directory: string, snapshot: SnapshotTaker) {
    this.#process = new SqlProcess(resolve(directory));
    this.#snapshot = snapshot;
  }

  /** `Store.querySql`. */
  async query(sql: string, options: SqlOptions): Promise<SqlResult> {
    const begun = performance.now();
    const plan = planSql(sql, options);
    const { columns, rows, truncated, partial } = await this.#process.run(plan, this.#snapshot);
    const names = columns.map(({ name }) => name);
    return {
      columns,
      rows: rows.map((row) => toRow(names, row)),
      truncated,
      elapsedMs: performance.now() - begun,
      ...(partial.length > 0 && { partial }),
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
