// A thread of compaction that dies under its first jobs, as many as the file beside the store says.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import run from '../../../../packages/store/src/cold/compaction.entry.ts';
import type { Job, JobOutcome } from '../../../../packages/store/src/cold/job.ts';

export default function runOrDie(job: Job): JobOutcome {
  const file = join(job.directory, 'deaths');
  const [how, left] = readFileSync(file, 'utf8').split(' ') as [string, string];
  if (Number(left) === 0) return run(job);
  writeFileSync(file, `${how} ${Number(left) - 1}`);
  if (how === 'exit') process.exit(7);
  // Not buffers, which the limit does not count.
  const kept: unknown[] = [];
  for (;;) kept.push(Array.from({ length: 1000 }, () => ({})));
}
