/**
 * The application's side of the process for SQL (sql.entry.ts): starts it with the first query, passes queries
 * on, and kills it where it does not stop at a deadline. The third fence around a statement; the first is
 * statement.ts.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TracewellError } from '@tracewell/plugin';
import { entryUrl } from '../entry.ts';
import type { SqlPlan } from './plan.ts';
import type { Answer, Found, Request, Snapshot } from './protocol.ts';

/** What is installed where SQL is wanted: the version that the fences were tested with. */
const DUCKDB = '@duckdb/node-api@1.5.5-r.5';

/** Bytes that DuckDB may take for the data of queries. */
const MEMORY_BYTES = 512 * 1024 * 1024;
/** More threads than this make a query faster at the expense of the application. */
const MAX_THREADS = 4;
/** Queries that run at the same time. Others wait, and their time runs. */
const MAX_RUNNING = 4;
/** Queries that may wait; more are refused. */
const MAX_WAITING = 100;
/** How long a query that was told to stop may take for it before its process is killed. */
const STOP_MS = 1_000;
/** How long the process, and what it has prepared, is kept without a query. */
const IDLE_MS = 300_000;
/** Looks where the rows are now, for a query that begins for the first, second … time. */
export type SnapshotTaker = (attempt: number) => Promise<Snapshot>;

/** How often a query is begun: again when files went while it ran, or its process had to be killed because of another. */
const MAX_ATTEMPTS = 50;

/** A query on its way. */
interface Query {
  readonly plan: SqlPlan;
  readonly snapshot: SnapshotTaker;
  readonly resolve: (found: Found) => void;
  readonly reject: (error: unknown) => void;
  attempts: number;
  /** Whether its caller has its answer already, and the process has not. */
  given: boolean;
}

/** Runs SQL in a process of its own. */
export class SqlProcess {
  readonly #directory: string;
  readonly #entry: string;
  readonly #waiting: Query[] = [];
  /** By their ids. Those that were given up stay until the process says that they have stopped. */
  readonly #running = new Map<number, Query>();
  #child: ChildProcess | undefined;
  /** What the process writes files of what is hot to. */
  #hotDirectory: string | undefined;
  #lastId = 0;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  /**
   * @param directory - absolute path of the store
   * @param entry - what the process runs; another one in tests
   */
  constructor(directory: string, entry = entryUrl('./sql.entry.ts', import.meta.url)) {
    this.#directory = directory;
    this.#entry = fileURLToPath(entry);
  }

  /** The process's number, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Runs a statement.
   *
   * @param snapshot - called when the query begins, and again when a file of the snapshot went meanwhile
   * @throws {@link TracewellError}, as a rejection: `TW_SQL_UNAVAILABLE`, `TW_SQL_REFUSED`, `TW_SQL_INVALID`,
   * `TW_SQL_TIMEOUT`, `TW_SQL_MEMORY`, `TW_SQL_BUSY`, `TW_SQL_FAILED`
   */
  async run(plan: SqlPlan, snapshot: SnapshotTaker): Promise<Found> {
    const { promise, resolve, reject } = Promise.withResolvers<Found>();
    if (this.#closed) throw new TracewellError('TW_STORE_CLOSED', 'the store is closed; open it again');
    if (this.#waiting.length >= MAX_WAITING) {
      throw new TracewellError(
        'TW_SQL_BUSY',
        `${MAX_WAITING} SQL queries wait already; try again later, or ask for less at a time`,
      );
    }
    const query: Query = { plan, snapshot, resolve, reject, attempts: 0, given: false };
    const deadline = setTimeout(() => this.#giveUp(query), plan.timeoutMs);
    this.#waiting.push(query);
    this.#begin();
    return promise.finally(() => {
      query.given = true;
      clearTimeout(deadline);
    });
  }

  /** Ends the process. What still runs fails. */
  close(): void {
    this.#closed = true;
    const waiting = this.#waiting.splice(0);
    const error = new TracewellError('TW_STORE_CLOSED', 'the store was closed before the query ended');
    this.#end(error);
    for (const { reject } of waiting) reject(error);
  }

  #begin(): void {
    while (this.#waiting.length > 0 && this.#running.size < MAX_RUNNING) {
      const query = this.#waiting.shift()!;
      if (query.given) continue;
      const id = ++this.#lastId;
      this.#running.set(id, query);
      void this.#ask(id, query);
    }
    this.#hold();
  }

  async #ask(id: number, query: Query): Promise<void> {
    query.attempts++;
    try {
      const snapshot = await query.snapshot(query.attempts);
      const { sql, maxRows } = query.plan;
      // Meanwhile everything may have ended.
      if (this.#running.get(id) !== query) return;
      this.#send({ type: 'run', id, sql, maxRows, snapshot });
      this.#hold();
      if (query.given) this.#send({ type: 'cancel', id });
    } catch (error) {
      if (this.#running.delete(id)) this.#begin();
      query.reject(error);
    }
  }

  #send(request: Request): void {
    this.#child ??= this.#start();
    // What cannot be sent any more is told by the exit that follows.
    this.#child.send(request, () => {});
  }

  #start(): ChildProcess {
    const child = fork(this.#entry, {
      // Nothing of the application's, neither what its arguments load nor what its environment holds.
      execArgv: import.meta.url.endsWith('.ts') ? ['--conditions=@tracewell/source'] : [],
      env: essentialEnvironment(),
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.on('message', (answer: Answer) => this.#answered(child, answer));
    child.on('error', (cause) =>
      this.#died(child, failed(`its process cannot be started: ${withoutPaths(cause.message)}`)),
    );
    child.on('exit', (code, signal) => {
      this.#died(child, failed(`its process ended (${signal ?? `exit code ${code}`})`));
    });
    // The process makes it: what is there is its to remove.
    this.#hotDirectory ??= join(tmpdir(), `tracewell-sql-${randomBytes(8).toString('hex')}`);
    const setUp: Request = {
      type: 'set-up',
      directory: this.#directory,
      hotDirectory: this.#hotDirectory,
      memoryBytes: MEMORY_BYTES,
      threads: Math.min(MAX_THREADS, availableParallelism()),
    };
    child.send(setUp, () => {});
    return child;
  }

  #answered(child: ChildProcess, answer: Answer): void {
    if (child !== this.#child) return;
    switch (answer.type) {
      case 'ready':
        break;
      case 'unavailable':
        this.#end(unavailable(answer.message));
        break;
      case 'out-of-memory':
        this.#end(
          new TracewellError(
            'TW_SQL_MEMORY',
            `the query was stopped because its process took ${answer.bytes} bytes of memory; aggregate, filter by time, or select fewer columns`,
          ),
        );
        break;
      default: {
        const query = this.#running.get(answer.id);
        this.#running.delete(answer.id);
        if (answer.type === 'found') query?.resolve(answer);
        else if (answer.type === 'failed') query?.reject(new TracewellError(answer.code, answer.message));
        else if (query !== undefined) this.#again(query, 'files went while it ran');
        this.#begin();
      }
    }
  }

  /** A deadline has come. The caller has its answer at once; the process gets a moment to stop. */
  #giveUp(query: Query): void {
    const { timeoutMs } = query.plan;
    query.reject(
      new TracewellError(
        'TW_SQL_TIMEOUT',
        `the query was stopped after ${timeoutMs} ms; filter by time, or raise timeoutMs`,
      ),
    );
    const place = this.#waiting.indexOf(query);
    if (place >= 0) this.#waiting.splice(place, 1);
    const child = this.#child;
    for (const [id, running] of this.#running) {
      if (running !== query || child === undefined) continue;
      this.#send({ type: 'cancel', id });
      const deadline = setTimeout(() => {
        if (child === this.#child && this.#running.has(id)) this.#restart();
      }, STOP_MS);
      deadline.unref();
    }
  }

  /** Kills the process because of a query that does not stop; the others begin again. */
  #restart(): void {
    const others = [...this.#running.values()].filter(({ given }) => !given);
    this.#running.clear();
    // At once. Its files stay for the next one.
    kill(this.#child);
    this.#child = undefined;
    for (const query of others) this.#again(query, 'its process had to be killed because of other queries');
    this.#begin();
  }

  #again(query: Query, why: string): void {
    if (query.attempts < MAX_ATTEMPTS) this.#waiting.unshift(query);
    else query.reject(failed(`${why}, ${MAX_ATTEMPTS} times`));
  }

  #died(child: ChildProcess, error: TracewellError): void {
    if (child === this.#child) this.#end(error);
  }

  /** Ends the process; everything that runs in it fails. */
  #end(error: TracewellError): void {
    const failing = [...this.#running.values()];
    this.#running.clear();
    this.#letGo();
    for (const { reject } of failing) reject(error);
    this.#begin();
  }

  /** Ends the process, which removes its files; so do we, if it is dead already. */
  #letGo(): void {
    const child = this.#child;
    const files = this.#hotDirectory;
    this.#child = this.#hotDirectory = undefined;
    if (child?.connected) {
      child.disconnect();
      child.unref();
      setTimeout(() => kill(child), STOP_MS).unref();
    } else if (files !== undefined) {
      rm(files, { recursive: true, force: true }, () => {});
    }
  }

  /** The process keeps the application alive while a query waits for it, and no longer. */
  #hold(): void {
    const child = this.#child;
    clearTimeout(this.#idle);
    if (child === undefined) return;
    if (this.#running.size > 0) {
      child.ref();
      child.channel?.ref();
      return;
    }
    child.unref();
    child.channel?.unref();
    this.#idle = setTimeout(() => this.#letGo(), IDLE_MS);
    this.#idle.unref();
  }
}

/** Kills a process, whose end then does not keep the application alive. */
function kill(child: ChildProcess | undefined): void {
  child?.kill('SIGKILL');
  child?.unref();
  child?.channel?.unref();
}

/** What a process needs to start on each system, and nothing that could be a secret. */
function essentialEnvironment(): NodeJS.ProcessEnv {
  const essential = ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot', 'TEMP'];
  const set = essential.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  // Queries wait for DuckDB on threads of this pool.
  return { ...Object.fromEntries(set), UV_THREADPOOL_SIZE: String(2 * MAX_RUNNING) };
}

function failed(why: string): TracewellError {
  return new TracewellError('TW_SQL_FAILED', `the query failed: ${why}; try again, or ask for less`);
}

function unavailable(why: string): TracewellError {
  const missing = why.includes('@duckdb/');
  return new TracewellError(
    'TW_SQL_UNAVAILABLE',
    missing
      ? `querySql needs DuckDB, which is not installed: npm install ${DUCKDB}`
      : `querySql cannot start DuckDB: ${withoutPaths(why)}; it is tested with ${DUCKDB}`,
  );
}

/** Where something is installed is not for whoever may send SQL. */
function withoutPaths(message: string): string {
  return message.replace(/(file:\/\/)?(\/|[A-Z]:\\)[^\s'"]+/g, '…');
}
