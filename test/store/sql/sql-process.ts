// What the tests of the process share: one of our own, so that they need no store.
import type { TestContext } from 'node:test';
import { planSql } from '../../../packages/store/src/sql/plan.ts';
import type { Found } from '../../../packages/store/src/sql/protocol.ts';
import { SqlProcess } from '../../../packages/store/src/sql/sql-process.ts';
import type { SqlOptions } from '../../../packages/store/src/sql/types.ts';

/** A process that ends with the test. */
export function newProcess(t: TestContext, entry?: URL): SqlProcess {
  const process = new SqlProcess('/no-such-directory', entry);
  t.after(() => process.close());
  return process;
}

/** Runs a statement that needs no table. */
export async function run(process: SqlProcess, sql: string, options: SqlOptions = {}): Promise<Found> {
  return process.run(planSql(sql, options), async () => ({ cold: {}, hot: [] }));
}
