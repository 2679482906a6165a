import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { decodeTracesJson } from '@tracewell/otlp';

const program = fileURLToPath(new URL('./program.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tracewell-process-end-'));
after(() => rmSync(directory, { recursive: true }));

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const ARGS = ['--conditions=@tracewell/source', '--disable-warning=ExperimentalWarning'];

/** Runs the program, sends it a signal once it is ready if there is one, and says how it ended. */
function run(ending: string, signal: NodeJS.Signals | undefined, file: string | undefined): Promise<End> {
  const args = [...ARGS, program, ending];
  const child = spawn(process.execPath, file === undefined ? args : [...args, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { promise, resolve } = Promise.withResolvers<End>();
  let stdout = '';
  let stderr = '';
  let sent = false;
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    if (signal === undefined || sent || !stdout.includes('ready\n')) return;
    sent = true;
    child.kill(signal);
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  child.on('close', (code, killedBy) => resolve({ code, signal: killedBy, stdout, stderr }));
  return promise;
}

/** What was saved: names, with a `?` after those of spans that were still open. */
function saved(file: string): string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .flatMap((line) => decodeTracesJson(line))
    .map(({ name, attributes }) => (attributes['tracewell.unfinished'] === true ? `${name}?` : name));
}

/** The frame inside of Node.js from which listeners are called depends on how many there are. */
function withoutEmitter(end: End): End {
  return { ...end, stderr: end.stderr.replaceAll(/node:events:\d+:\d+/g, 'node:events') };
}

let files = 0;

/** Checks that a run with tracing ends like one without, with its spans saved. */
function endsAlike(ending: string, expected: Partial<End>, spans: string[], signal?: NodeJS.Signals): void {
  test(`F53 ${ending}${signal === undefined ? '' : ` by ${signal}`}`, async () => {
    files += 1;
    const file = join(directory, `${files}.jsonl`);
    const [untraced, traced] = await Promise.all([run(ending, signal, undefined), run(ending, signal, file)]);
    assert.deepEqual(withoutEmitter(traced), withoutEmitter(untraced));
    // The two could agree because both went wrong.
    assert.deepEqual({ ...untraced, ...expected }, untraced);
    assert.deepEqual(saved(file).sort(), spans.toSorted());
  });
}

describe('the process ends as it would without tracing, and the spans are saved', { concurrency: 2 }, () => {
  endsAlike('exit', { code: 3 }, ['ended', 'open?']);
  endsAlike('exit-in-callback', { code: 0 }, ['ended']);
  endsAlike('exit-code', { code: 4 }, ['ended']);
  endsAlike('natural', { code: 0, stdout: 'done\nbeforeExit 1 0\nexit 0\n' }, ['ended']);
  endsAlike('natural-with-an-asynchronous-exporter', { code: 4, stdout: 'done\n' }, ['ended']);
  endsAlike('natural-with-more-work', { code: 0 }, ['ended', 'after beforeExit']);
  endsAlike('uncaught', { code: 1 }, ['ended', 'open?']);
  endsAlike('uncaught-later', { code: 1 }, ['ended']);
  endsAlike('uncaught-non-error', { code: 1 }, ['ended']);
  endsAlike('uncaught-handled', { code: 0 }, ['ended after the exception']);
  // The one end of which Node.js tells nobody: it costs what was recorded since the last flush.
  endsAlike('uncaught-handler-throws', { code: 7 }, []);
  endsAlike('unhandled-rejection', { code: 1 }, ['ended']);
  endsAlike('unsettled-await', { code: 13 }, ['ended']);
  endsAlike('exit-listener-records', { code: 5, stdout: 'listener\n' }, [
    'open until exit?',
    'started and ended while exiting',
  ]);
  endsAlike('exit-listener-throws', { code: 6 }, ['ended']);
  endsAlike('exit-listener-exits', { code: 7 }, ['ended']);
  endsAlike('exit-listener-changes-the-code', { code: 8 }, ['ended']);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    endsAlike('signal', { signal }, ['ended', 'open?'], signal);
  }
  endsAlike('signal-with-a-listener', { code: 0 }, ['ended', 'during shutdown'], 'SIGTERM');
  endsAlike(
    'signal-that-is-ignored',
    { code: 0, stdout: 'ready\nnot now\nfinished\n' },
    ['ended'],
    'SIGTERM',
  );
  endsAlike(
    'signal-with-a-once-listener',
    { signal: 'SIGTERM', stdout: 'ready\nshutting down\n' },
    ['ended', 'during shutdown'],
    'SIGTERM',
  );
  endsAlike('signal-after-the-listener-is-gone', { signal: 'SIGTERM' }, ['ended'], 'SIGTERM');
  endsAlike('signal-after-all-listeners-are-gone', { signal: 'SIGTERM' }, ['ended'], 'SIGTERM');
  endsAlike(
    'signal-with-a-library-that-counts-listeners',
    { signal: 'SIGTERM', stdout: 'ready\ncleaning up, alone\n' },
    ['ended'],
    'SIGTERM',
  );
  endsAlike('signal-emitted-by-hand', { code: 0 }, ['ended']);
  endsAlike('signal-after-shutdown', { signal: 'SIGTERM' }, ['ended'], 'SIGTERM');
  endsAlike('two-hosts', { signal: 'SIGINT' }, ['ended', 'of the second host'], 'SIGINT');
  endsAlike('worker', { code: 0, stdout: 'worker 9\n' }, ['ended', 'in thread of its own']);
});

test('F53 SIGKILL costs at most one flush interval', async () => {
  const file = join(directory, 'killed.jsonl');
  const child = spawn(process.execPath, [...ARGS, program, 'kill', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  const closed = new Promise((resolve) => child.on('close', resolve));
  while (!stdout.includes('\n200 ')) await sleep(20);
  child.kill('SIGKILL');
  await closed;
  const recorded = stdout.split('\n').filter((line) => line !== '');
  const times = recorded.map((line) => Number(line.split(' ')[1]));
  // An interval of 100 ms, and time for the flush on a machine that is busy with other tests.
  const safe = times.filter((time) => time < times.at(-1)! - 400).length;
  const names = new Set(saved(file));
  assert.ok(safe > 50);
  for (let index = 0; index < safe; index++) assert.ok(names.has(String(index)), `span ${index} of ${safe}`);
});
