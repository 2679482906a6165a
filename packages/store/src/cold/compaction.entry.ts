// What a thread of compaction begins with: it does one job after the other.
import { nodeFileSystem } from '../fs/node-file-system.ts';
import { type Job, type JobOutcome, jobOutcome } from './job.ts';
import { killStep } from './kill-step.ts';

const step = killStep();

export default function run(job: Job): JobOutcome {
  return jobOutcome(nodeFileSystem, job, step);
}
