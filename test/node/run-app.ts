import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { SpanData } from '@tracewell/plugin';
import { openStore } from '@tracewell/store';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** How an application ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What an application is started with. */
export interface AppOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Another Node.js than this one. */
  readonly node?: string;
  /** Options of Node.js that come before the register hook. */
  readonly execArgv?: readonly string[];
  /** What the application is, in place of one in `apps/`. */
  readonly main?: string;
  /** Whether nobody reads its standard error. */
  readonly closedStderr?: boolean;
  /** Called when it has printed something. */
  readonly onOutput?: (child: ChildProcess) => void;
}

/** An empty folder that goes with the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tracewell-node-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs one of the applications in `apps/` through the register hook, with `cwd` as its working directory. */
export async function runApp(app: string, cwd: string, options: AppOptions = {}): Promise<Ended> {
  const { args = [], env = {}, node = process.execPath, execArgv = [], onOutput } = options;
  const main = options.main ?? at(`./apps/${app}`);
  const register = pathToFileURL(at('../../packages/node/src/register.ts')).href;
  const child = spawn(
    node,
    ['--conditions=@tracewell/source', ...execArgv, '--import', register, main, ...args],
    {
      cwd,
      env: { PATH: process.env.PATH, OTEL_SERVICE_NAME: 'app', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 30_000,
      killSignal: 'SIGKILL',
    },
  );
  if (options.closedStderr === true) child.stderr.destroy();
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    onOutput?.(child);
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}

/** All spans that a store holds, oldest first. */
export async function storedSpans(directory: string): Promise<SpanData[]> {
  await using store = await openStore(directory, { readOnly: true });
  const { spans } = await store.queryTraces({ limit: 1000 });
  return spans.reverse();
}
