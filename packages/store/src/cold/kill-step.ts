/**
 * The seam of the tests that kill a process at each step of a compaction: the variable names a step, and which time
 * it is reached (`renamed`, `written:3`). Unset, which it is for everybody else, steps do nothing.
 */
const VARIABLE = 'TRACEWELL_TEST_KILL_STEP';

/** What is told of the steps of a compaction. */
export type OnStep = (name: string) => void;

/** Kills this process at the step that the environment names, as SIGKILL does. */
export function killStep(): OnStep {
  const wanted = process.env[VARIABLE];
  if (wanted === undefined) return () => {};
  const [name, times = '1'] = wanted.split(':');
  let left = Number(times);
  return (step) => {
    if (step === name && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
