/**
 * The catalog: which files of the cold tier are visible, and which segments of the log they stand for.
 *
 * One transaction makes files visible and retires the segments that they came from, so that whoever reads sees
 * each row in exactly one of the two. Only then do the segments go. What `meta.db` says here also stands in the
 * files themselves, so without it (or before its first transaction) it is derived from them.
 */
import type { DatabaseSync } from 'node:sqlite';
import { TracewellError } from '@tracewell/plugin';
import type { MetaDb, MetaTable } from './meta-db.ts';

/** All there are. */
export const COLD_SIGNALS = ['spans', 'logs', 'metrics', 'metrics_5m', 'comments'] as const;
/** What a file of the cold tier holds; also the name of its directory. */
export type ColdSignal = (typeof COLD_SIGNALS)[number];

/** A visible file of the cold tier. It never changes. */
export interface ColdFile {
  /** Random, 16 hex digits. */
  readonly id: string;
  readonly signal: ColdSignal;
  /** Its directory below the signal's, such as `date=2026-11-20/hour=18`. */
  readonly partition: string;
  readonly rows: number;
  readonly bytes: number;
  /** Bounds of the rows' times, in nanoseconds since the Unix epoch. */
  readonly minTime: bigint;
  readonly maxTime: bigint;
  /** Why it cannot be read, if so. Queries that would have read it say that their result is partial. */
  readonly damage?: string;
}

/** What is visible at one moment. */
export interface CatalogState {
  readonly files: readonly ColdFile[];
  /** Ids of segments whose rows are in files. The segments may still be there; they do not count. */
  readonly retired: ReadonlySet<string>;
}

/** A change of the catalog; all of it becomes visible at once. */
export interface CatalogChange {
  readonly add?: readonly ColdFile[];
  /** Ids of files that are to be read no more. */
  readonly remove?: readonly string[];
  /** Ids of segments whose rows are in the files that are added. */
  readonly retire?: readonly string[];
  /** Files that turned out to be unreadable, and why. */
  readonly damaged?: ReadonlyMap<string, string>;
}

const FILES: MetaTable = {
  name: 'cold_files',
  schema: `CREATE TABLE IF NOT EXISTS cold_files (
    id TEXT PRIMARY KEY, signal TEXT NOT NULL, partition TEXT NOT NULL, rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL, min_time TEXT NOT NULL, max_time TEXT NOT NULL, damage TEXT) WITHOUT ROWID, STRICT`,
};
const RETIRED: MetaTable = {
  name: 'retired_segments',
  schema: `CREATE TABLE IF NOT EXISTS retired_segments (
    id TEXT PRIMARY KEY, retired_ms INTEGER NOT NULL) WITHOUT ROWID, STRICT`,
};
/** One row, which says that the two tables above are complete, and counts their changes. */
const STATE: MetaTable = {
  name: 'cold_state',
  schema: `CREATE TABLE IF NOT EXISTS cold_state (
    one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL) STRICT`,
};

const EMPTY: CatalogState = { files: [], retired: new Set() };

/** Reads and changes the catalog of a directory. */
export class Catalog {
  readonly #meta: MetaDb;
  readonly #derive: () => CatalogState;
  #state = EMPTY;
  /** Of `#state`: its number in `meta.db`; -1 if it was derived, `undefined` before the first look. */
  #generation: number | undefined;

  /** @param derive - finds the state in the files; called when `meta.db` does not know it */
  constructor(meta: MetaDb, derive: () => CatalogState) {
    this.#meta = meta;
    this.#derive = derive;
  }

  /**
   * What is visible now. The same object as the last time, unless something has changed.
   *
   * A `meta.db` that is damaged counts as none.
   */
  state(): CatalogState {
    let generation: number | undefined;
    try {
      if (!this.#meta.changed() && this.#generation !== undefined) return this.#state;
      generation = this.#readGeneration();
      if (generation !== undefined && generation !== this.#generation) {
        this.#state = this.#read() ?? EMPTY;
        this.#generation = generation;
      }
    } catch (error) {
      if (!(error instanceof TracewellError)) throw error;
      generation = undefined;
    }
    if (generation === undefined && this.#generation !== -1) {
      this.#state = this.#derive();
      this.#generation = -1;
    }
    return this.#state;
  }

  /**
   * Changes what is visible, durably. Only for the holder of the maintenance lock.
   *
   * @throws `TracewellError` (`TW_META_FAILED`, `TW_LOG_NO_SPACE`): nothing has changed
   */
  publish(change: CatalogChange): void {
    const before = this.state();
    const complete = this.#generation !== -1;
    this.#generation = this.#meta.write([FILES, RETIRED, STATE], (database) => {
      // Or somebody has deleted the database since `state` looked, and this is another one.
      const isNew = database.prepare('SELECT 1 FROM cold_state').get() === undefined;
      if (!complete || isNew) {
        database.exec('DELETE FROM cold_files; DELETE FROM retired_segments');
        write(database, { add: before.files, retire: [...before.retired] });
      }
      write(database, change);
      const next = database.prepare(
        `INSERT INTO cold_state VALUES (1, 1)
           ON CONFLICT DO UPDATE SET generation = generation + 1 RETURNING generation`,
      );
      return Number(next.get()!.generation);
    });
    this.#state = this.#read() ?? EMPTY;
  }

  /**
   * Forgets segments that were retired before a time, in milliseconds since the Unix epoch, and are gone. Only for the
   * holder of the maintenance lock.
   */
  forget(beforeMs: number): void {
    const old = this.#meta.read(RETIRED, (database) =>
      database.prepare('SELECT 1 FROM retired_segments WHERE retired_ms < ? LIMIT 1').get(beforeMs),
    );
    if (old === undefined) return;
    this.#meta.write([RETIRED], (database) =>
      database.prepare('DELETE FROM retired_segments WHERE retired_ms < ?').run(beforeMs),
    );
  }

  /** Looks at the files again if `meta.db` does not tell, because they may have changed. */
  refresh(): CatalogState {
    if (this.#generation === -1) this.#generation = undefined;
    return this.state();
  }

  #readGeneration(): number | undefined {
    const row = this.#meta.read(STATE, (database) =>
      database.prepare('SELECT generation FROM cold_state').get(),
    );
    return row === undefined ? undefined : Number(row.generation);
  }

  #read(): CatalogState | undefined {
    return this.#meta.read(FILES, (database) => {
      // One transaction, so that both tables are of the same moment.
      database.exec('BEGIN');
      try {
        const rows = database.prepare('SELECT * FROM cold_files ORDER BY id').all();
        const retired = database.prepare('SELECT id FROM retired_segments').all();
        return {
          files: rows.map((row) => ({
            id: String(row.id),
            signal: row.signal as ColdSignal,
            partition: String(row.partition),
            rows: Number(row.rows),
            bytes: Number(row.bytes),
            minTime: BigInt(`0x${row.min_time}`),
            maxTime: BigInt(`0x${row.max_time}`),
            ...(row.damage !== null && { damage: String(row.damage) }),
          })),
          retired: new Set(retired.map((row) => String(row.id))),
        };
      } finally {
        database.exec('COMMIT');
      }
    });
  }
}

function write(database: DatabaseSync, change: CatalogChange): void {
  const { add = [], remove = [], retire = [], damaged } = change;
  const run = (sql: string, rows: Iterable<readonly (string | number | null)[]>): void => {
    const statement = database.prepare(sql);
    for (const row of rows) statement.run(...row);
  };
  run(
    'DELETE FROM cold_files WHERE id = ?',
    remove.map((id) => [id]),
  );
  run(
    'INSERT INTO cold_files VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    add.map((file) => [
      file.id,
      file.signal,
      file.partition,
      file.rows,
      file.bytes,
      hex(file.minTime),
      hex(file.maxTime),
      file.damage ?? null,
    ]),
  );
  run(
    'UPDATE cold_files SET damage = ? WHERE id = ?',
    [...(damaged ?? [])].map(([id, why]) => [why, id]),
  );
  const now = Date.now();
  run(
    'INSERT OR IGNORE INTO retired_segments VALUES (?, ?)',
    retire.map((id) => [id, now]),
  );
}

/** 16 digits: SQLite's integers are signed, times are not. */
function hex(time: bigint): string {
  return time.toString(16).padStart(16, '0');
}
