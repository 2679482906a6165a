// What the tests start as an application: runs a statement and prints its first value; told to, says before
// which process runs it.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SqlProcess } from '../../../packages/store/src/sql/sql-process.ts';
import { run } from './sql-process.ts';

const [sql, tell] = process.argv.slice(2) as [string, string | undefined];
const child = new SqlProcess('/no-such-directory');
if (tell === undefined) {
  const { rows } = await run(child, sql);
  console.log(rows[0]?.[0]);
} else {
  void run(child, sql);
  while (child.pid === undefined) await nextTurn();
  console.log(child.pid);
}
