/**
 * The process for SQL: runs what its parent asks for (protocol.ts) on a locked DuckDB, and dies with it.
 *
 * A process and not a thread, because a query that does not react can only be ended for sure by killing what
 * it runs in, and because a crash or too much memory in a native library then costs the application nothing.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { type ErrorCode, TracewellError } from '@tracewell/plugin';
import { coldDirectory } from '../cold/partition.ts';
import type { Database, Files } from './database.ts';
import type { HotFiles } from './hot-files.ts';
import type { Answer, Request, RunQuery, SetUp } from './protocol.ts';

/** How often the memory that the process takes is looked at. */
const WATCH_MS = 50;
/** What the process may take beyond what DuckDB counts: its code, caches, results on their way. */
const OVERHEAD_BYTES = 512 * 1024 * 1024;

const running = new Map<number, () => void>();
let database: Promise<Database> | undefined;
let hot: HotFiles | undefined;
/** Files of what is hot; nobody else knows of them. */
let privateDirectory: string | undefined;

function answer(message: Answer): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

/** At once, without any destructor: DuckDB's threads may be in the middle of a query. */
function die(): void {
  if (privateDirectory !== undefined) rmSync(privateDirectory, { recursive: true, force: true });
  process.kill(process.pid, 'SIGKILL');
}

async function setUp(request: SetUp): Promise<void> {
  yieldToOthers();
  watchMemory(request.memoryBytes + OVERHEAD_BYTES);
  database = open(request);
  try {
    await database;
    await answer({ type: 'ready' });
  } catch (error) {
    await answer({ type: 'unavailable', message: (error as Error).message });
    die();
  }
}

async function open({ directory, hotDirectory, memoryBytes, threads }: SetUp): Promise<Database> {
  // Here, so that it can be told that DuckDB is missing.
  const [{ Database }, { explain }, { HotFiles }, { openLocked }] = await Promise.all([
    import('./database.ts'),
    import('./duckdb-errors.ts'),
    import('./hot-files.ts'),
    import('./locked-duckdb.ts'),
  ]);
  privateDirectory = hotDirectory;
  hot = new HotFiles(hotDirectory);
  const directories = [coldDirectory(directory), hotDirectory];
  const instance = await openLocked({ directories, memoryBytes, threads });
  return new Database(instance, (error) => explain(error, [directory, ...directories]));
}

async function run({ id, sql, maxRows, snapshot }: RunQuery): Promise<void> {
  let stop: (() => void) | undefined;
  let wanted = true;
  running.set(id, () => {
    wanted = false;
    stop?.();
  });
  try {
    const opened = await database!;
    hot!.retain(snapshot.hot);
    const files: Files = {
      hot: (rows) => hot!.files(rows, snapshot.hot, () => wanted),
      cold: (signal) => snapshot.cold[signal] ?? { paths: [], missing: 0 },
    };
    const rows = await opened.run(sql, maxRows, files, (stopping) => {
      stop = stopping;
      if (!wanted) stop();
    });
    await answer({ type: 'found', id, ...rows });
  } catch (error) {
    if ((error as Error).name === 'FileGone') await answer({ type: 'outdated', id });
    else {
      const code: ErrorCode = error instanceof TracewellError ? error.code : 'TW_SQL_FAILED';
      await answer({ type: 'failed', id, code, message: (error as Error).message });
    }
    // After an error inside it, DuckDB may refuse everything. A new process starts anew.
    const opened = await database?.catch(() => undefined);
    if (opened !== undefined && !(await opened.works())) die();
  } finally {
    running.delete(id);
  }
}

/** The application has the first claim on the processor, and on memory when the machine runs out of it. */
function yieldToOthers(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
    if (process.platform === 'linux') writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // A courtesy; some systems forbid it.
  }
}

/**
 * DuckDB counts what it holds in its buffers. What a function makes of its arguments (`repeat`, `list`) is
 * not always among that, so the process looks at itself.
 */
function watchMemory(maxBytes: number): void {
  setInterval(() => {
    const bytes = process.memoryUsage.rss();
    if (bytes > maxBytes) void answer({ type: 'out-of-memory', bytes }).then(die);
  }, WATCH_MS);
}

// A terminal sends these to the application and to us alike. How it ends is for the application to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.on('disconnect', die);
process.on('message', (request: Request) => {
  if (request.type === 'set-up') void setUp(request);
  else if (request.type === 'run') void run(request);
  else running.get(request.id)?.();
});
