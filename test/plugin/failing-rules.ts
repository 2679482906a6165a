import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ReportLine } from './rule-reporter.ts';

/** What a suite found. */
export interface SuiteOutcome {
  /** The ids of the rules that failed, with the message of each. */
  readonly failed: ReadonlyMap<string, string>;
  /** The ids of the rules that were skipped, with the reason. */
  readonly skipped: ReadonlyMap<string, string>;
  /** The ids of all rules. */
  readonly rules: ReadonlySet<string>;
}

/** Runs a file of conformance suites in a process of its own and tells what failed, by the title of each suite. */
export async function failingRules(file: string): Promise<ReadonlyMap<string, SuiteOutcome>> {
  const outcomes = new Map<string, SuiteOutcome>();
  let current = empty();
  for (const line of (await reportOf(file)).trim().split('\n')) {
    const { nesting, name, message, skipped } = JSON.parse(line) as ReportLine;
    // The tests of a suite report before the suite itself does.
    if (nesting === 0) {
      outcomes.set(name, current);
      current = empty();
      continue;
    }
    const id = name.slice(0, name.indexOf(':'));
    current.rules.add(id);
    if (message !== undefined) current.failed.set(id, message);
    if (skipped !== undefined) current.skipped.set(id, String(skipped));
  }
  return outcomes;
}

const empty = () => ({
  failed: new Map<string, string>(),
  skipped: new Map<string, string>(),
  rules: new Set<string>(),
});

function reportOf(file: string): Promise<string> {
  const reporter = fileURLToPath(new URL('./rule-reporter.ts', import.meta.url));
  const args = ['--conditions=@tracewell/source', `--test-reporter=${reporter}`, file];
  // Without this variable of the test that we are in, the child would report to it.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env, maxBuffer: 64 * 2 ** 20 }, (_failures, stdout, stderr) => {
      if (stdout === '') reject(new Error(`${file} reported nothing: ${stderr}`));
      else resolve(stdout);
    });
  });
}
