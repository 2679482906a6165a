/**
 * The process for SQL: runs what its parent asks for (protocol.ts) on a locked DuckDB, and dies with it.
 *
 * A process and not a thread, because a query that does not react can only be ended for sure by killing what
 * it runs in, and because a crash or too much memory in a native library then costs the application nothing.
 */
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { type ErrorCode, TracewellError } from '@tracewell/plugin';
import type { Database } from './database.ts';
import type { Answer, Request, RunQuery, SetUp } from './protocol.ts';

/** How often the memory that the process takes is looked at. */
const WATCH_MS = 50;
/** What the process may take beyond what DuckDB counts: its code, caches, results on their way. */
const OVERHEAD_BYTES = 512 * 1024 * 1024;

const running = new Map<number, () => void>();
let database: Promise<Database> | undefined;

function answer(message: Answer): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

/** At once, without any destructor: DuckDB's threads may be in the middle of a query. */
function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
}

async function setUp(request: SetUp): Promise<void> {
  yieldToOthers();
  watchMemory(request.memoryBytes + OVERHEAD_BYTES);
  database = import('./database.ts').then(({ Database }) => Database.open(request));
  try {
    await database;
    await answer({ type: 'ready' });
  } catch (error) {
    await answer({ type: 'unavailable', message: (error as Error).message });
    die();
  }
}

async function run({ id, sql, maxRows, files }: RunQuery): Promise<void> {
  let cancelled = false;
  running.set(id, () => {
    cancelled = true;
  });
  try {
    const rows = await (await database)?.run(sql, maxRows, files, (stop) => {
      if (cancelled) stop();
      running.set(id, stop);
    });
    if (rows !== undefined) await answer({ type: 'found', id, ...rows });
  } catch (error) {
    const code: ErrorCode = error instanceof TracewellError ? error.code : 'TW_SQL_FAILED';
    await answer({ type: 'failed', id, code, message: (error as Error).message });
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

process.on('disconnect', die);
process.on('message', (request: Request) => {
  if (request.type === 'set-up') void setUp(request);
  else if (request.type === 'run') void run(request);
  else running.get(request.id)?.();
});
