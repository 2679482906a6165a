// What the tests start as an application: runs a statement and prints its first value; told to, says before
// which process runs it.
import { SqlProcess } from '../../../packages/store/src/sql/sql-process.ts';
import { run } from './sql-process.ts';

const [sql, tell] = process.argv.slice(2) as [string, string | undefined];
const child = new SqlProcess([]);
if (tell === undefined) {
  const { rows } = await run(child, sql);
  console.log(rows[0]?.[0]);
} else {
  void run(child, sql);
  console.log(child.pid);
}
