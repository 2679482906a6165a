/**
 * `meta.db`: what a directory knows beside its logs and files, in SQLite, shared by all its processes.
 *
 * It is made when first something is to be written to it; a directory without one is all hot. WAL, so that a
 * query never waits for a writer. Whoever needs a table says so by a {@link MetaTable}; what a table holds can
 * be built again from the other files of the directory, so a damaged `meta.db` is set aside and made anew.
 */
import { renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { TracewellError } from '@tracewell/plugin';
import { isDamagedCode, isFullCode, sqlite } from '../fs/sqlite.ts';

/** How long to wait for another process's transaction, which takes a few milliseconds. */
const BUSY_MS = 10_000;

/** A table of {@link MetaDb}: made when it is first written to. */
export interface MetaTable {
  readonly name: string;
  /** `CREATE TABLE IF NOT EXISTS …`, and whatever else belongs to it. */
  readonly schema: string;
}

/** One connection to the `meta.db` of a directory, opened when first needed. */
export class MetaDb {
  readonly path: string;
  readonly #readOnly: boolean;
  readonly #tables = new Set<string>();
  #database: DatabaseSync | undefined;
  #dataVersion: StatementSync | undefined;
  #seen: unknown;
  #file: number | undefined;

  /** @param readOnly - whether to change nothing; then {@link MetaDb.write} throws */
  constructor(directory: string, readOnly: boolean) {
    this.path = join(directory, 'meta.db');
    this.#readOnly = readOnly;
  }

  /**
   * Whether the database may hold something else than at the last call: another connection has committed, or
   * it has come or gone. Two to three microseconds.
   *
   * @throws `TracewellError` (`TW_META_FAILED`)
   */
  changed(): boolean {
    return this.#guard(() => this.#changed());
  }

  #changed(): boolean {
    const file = statSync(this.path, { throwIfNoEntry: false })?.ino;
    const isOther = file !== this.#file;
    if (isOther) this.close();
    const before = this.#seen;
    this.#file = file;
    if (file === undefined) {
      this.#seen = undefined;
    } else {
      this.#open(false);
      this.#dataVersion ??= this.#database!.prepare('PRAGMA data_version');
      this.#seen = this.#dataVersion.get()?.data_version;
    }
    return isOther || before !== this.#seen;
  }

  /**
   * Reads from a table.
   *
   * @returns `undefined` if there is no such table
   * @throws `TracewellError` (`TW_META_FAILED`)
   */
  read<Result>(table: MetaTable, query: (database: DatabaseSync) => Result): Result | undefined {
    return this.#guard(() => {
      if (this.#database === undefined && statSync(this.path, { throwIfNoEntry: false }) === undefined) {
        return undefined;
      }
      const database = this.#open(false);
      if (!this.#tables.has(table.name)) {
        const found = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
        if (found.get(table.name) === undefined) return undefined;
        this.#tables.add(table.name);
      }
      return query(database);
    });
  }

  /**
   * Changes tables in one transaction, which is durable when this returns.
   *
   * @throws `TracewellError` (`TW_META_FAILED`): nothing was changed
   */
  write<Result>(tables: readonly MetaTable[], change: (database: DatabaseSync) => Result): Result {
    return this.#guard(() => {
      const database = this.#open(true);
      database.exec('BEGIN IMMEDIATE');
      try {
        for (const { schema } of tables) database.exec(schema);
        const result = change(database);
        database.exec('COMMIT');
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  /**
   * Moves a database that is damaged out of the way, if it is, so that the next write makes another. Only for
   * the holder of the maintenance lock.
   *
   * @returns where it is now
   */
  setAsideIfDamaged(): string | undefined {
    try {
      if (statSync(this.path, { throwIfNoEntry: false }) === undefined) return undefined;
      const found = this.#open(false).prepare('PRAGMA quick_check(1)').get();
      if (found?.quick_check === 'ok') return undefined;
    } catch (error) {
      if (!isDamagedCode(error)) return undefined;
    }
    this.close();
    const target = `${this.path}.${Date.now()}.damaged`;
    renameSync(this.path, target);
    // They belong to that file and would be replayed into the new one.
    for (const suffix of ['-wal', '-shm']) rmSync(this.path + suffix, { force: true });
    return target;
  }

  /** Lets go of the file. It is opened again when it is needed. */
  close(): void {
    this.#database?.close();
    this.#database = this.#dataVersion = this.#seen = this.#file = undefined;
    this.#tables.clear();
  }

  #open(create: boolean): DatabaseSync {
    if (this.#database !== undefined) return this.#database;
    if (create && this.#readOnly) throw new Error('the store was opened to only read');
    const readOnly = this.#readOnly;
    const database = new (sqlite().DatabaseSync)(this.path, { readOnly, timeout: BUSY_MS });
    try {
      if (!readOnly) database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      this.#file = statSync(this.path, { throwIfNoEntry: false })?.ino;
    } catch (error) {
      database.close();
      throw error;
    }
    this.#database = database;
    return database;
  }

  #guard<Result>(use: () => Result): Result {
    try {
      return use();
    } catch (error) {
      if (error instanceof TracewellError) throw error;
      const { message } = error as Error;
      if (isFullCode(error)) {
        throw new TracewellError('TW_LOG_NO_SPACE', `${this.path}: ${message}; make room there`, {
          cause: error,
        });
      }
      const advice = isDamagedCode(error)
        ? 'it holds nothing that is not in other files: close the store in all processes and delete it'
        : 'check that the directory is writable and on a local disk';
      throw new TracewellError('TW_META_FAILED', `${this.path}: ${message}; ${advice}`, { cause: error });
    }
  }
}
