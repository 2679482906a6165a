/**
 * Where the tails of a directory are written down: `tails/positions.db`, an SQLite database.
 *
 * It is a file of its own and no part of `meta.db`, because it cannot be rebuilt from anything, and because
 * positions are saved after every delivery and must neither wait for nor hold up what makes files visible.
 *
 * Losing a position means that frames are delivered again, never that they are not. So nothing waits for a sync
 * here (`synchronous = NORMAL` in a write-ahead log: a power cut may take the last saves back, and nothing is
 * ever torn), and a database that cannot be read is set aside, after which every tail begins at the start of the
 * log, whatever it was asked to.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isDamagedCode, sqlite } from '../fs/sqlite.ts';
import type { Segment } from '../log/types.ts';
import type { Position } from './position.ts';

/** A tail as it is written down. */
export interface SavedTail {
  readonly name: string;
  /** Bytes of the log that it may hold back. */
  readonly retainBytes: number;
  /** Bytes of the log that were removed before the tail had them. */
  readonly missedBytes: number;
  readonly positions: ReadonlyMap<string, Position>;
}

/** Where the tails of a directory keep their files. */
export function tailsDirectory(directory: string): string {
  return join(directory, 'tails');
}

const FILE = 'positions.db';
/** Others hold the database for the microseconds of a save. */
const BUSY_TIMEOUT_MS = 2000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS tails (
    name TEXT PRIMARY KEY,
    retain_bytes INTEGER NOT NULL,
    missed_bytes INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS positions (
    tail TEXT NOT NULL,
    writer TEXT NOT NULL,
    segment INTEGER NOT NULL,
    segment_id TEXT NOT NULL,
    offset INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    last_offset INTEGER,
    last_checksum INTEGER,
    PRIMARY KEY (tail, writer)
  ) WITHOUT ROWID;
`;

/** The tails of a directory and their positions, shared by all its processes. */
export class SavedTails {
  /** Whether an unreadable database was set aside: positions are lost, and new tails begin at the start. */
  readonly lost: boolean;
  readonly #database: DatabaseSync;
  readonly #savePosition: StatementSync;

  private constructor(database: DatabaseSync, lost: boolean) {
    this.#database = database;
    this.lost = lost;
    this.#savePosition = database.prepare(`
      INSERT INTO positions VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET segment = excluded.segment, segment_id = excluded.segment_id,
        offset = excluded.offset, sequence = excluded.sequence,
        last_offset = excluded.last_offset, last_checksum = excluded.last_checksum`);
  }

  /**
   * Opens the database of a directory.
   *
   * @param mode - `create` makes it if it is not there; `read` changes nothing
   * @returns `undefined` if it is not there, or `read` cannot read it
   */
  static open(directory: string, mode: 'create' | 'write' | 'read'): SavedTails | undefined {
    const path = join(tailsDirectory(directory), FILE);
    if (!existsSync(path)) {
      if (mode !== 'create') return undefined;
      // Not recursively: a directory that was removed is not made again for this.
      if (!existsSync(tailsDirectory(directory))) mkdirSync(tailsDirectory(directory));
    }
    try {
      return new SavedTails(openDatabase(path, mode === 'read'), false);
    } catch (error) {
      if (mode === 'read') return undefined;
      if (!isDamagedCode(error)) throw error;
      const aside = `${path}.${Date.now()}.damaged`;
      renameSync(path, aside);
      for (const side of ['-wal', '-shm']) if (existsSync(path + side)) renameSync(path + side, aside + side);
      return new SavedTails(openDatabase(path, false), true);
    }
  }

  /**
   * Makes a tail known, or what it may hold back.
   *
   * @returns whether it is new
   */
  register(name: string, retainBytes: number): boolean {
    const known = this.#database.prepare('SELECT 1 FROM tails WHERE name = ?').get(name) !== undefined;
    this.#database
      .prepare(
        `INSERT INTO tails (name, retain_bytes) VALUES (?, ?)
         ON CONFLICT DO UPDATE SET retain_bytes = excluded.retain_bytes`,
      )
      .run(name, retainBytes);
    return !known;
  }

  /** Forgets a tail: it holds nothing back any more. Returns whether it was known. */
  remove(name: string): boolean {
    return this.#together(() => {
      this.#database.prepare('DELETE FROM positions WHERE tail = ?').run(name);
      return this.#database.prepare('DELETE FROM tails WHERE name = ?').run(name).changes > 0;
    });
  }

  /** All tails of the directory, by name. */
  tails(): SavedTail[] {
    const positions = new Map<string, Map<string, Position>>();
    for (const row of this.#database.prepare('SELECT * FROM positions').iterate() as Iterable<PositionRow>) {
      const ofTail = positions.get(row.tail) ?? new Map<string, Position>();
      positions.set(row.tail, ofTail.set(row.writer, positionOf(row)));
    }
    const rows = this.#database.prepare('SELECT * FROM tails ORDER BY name').all() as unknown as TailRow[];
    return rows.map((row) => ({
      name: row.name,
      retainBytes: row.retain_bytes,
      missedBytes: row.missed_bytes,
      positions: positions.get(row.name) ?? new Map(),
    }));
  }

  /** Saves positions of a tail in place of all that there were. */
  replace(tail: string, positions: readonly Position[]): void {
    this.#together(() => {
      this.#database.prepare('DELETE FROM positions WHERE tail = ?').run(tail);
      for (const position of positions) this.#save(tail, position);
    });
  }

  /** Saves positions of a tail. */
  save(tail: string, positions: readonly Position[]): void {
    if (positions.length === 1) {
      this.#save(tail, positions[0]!);
    } else {
      this.#together(() => {
        for (const position of positions) this.#save(tail, position);
      });
    }
  }

  /**
   * Notes that a segment is about to go, for each tail that has not had all of it: counts what it misses, and
   * moves its position behind the segment.
   *
   * @param unread - the bytes of the segment that a tail has not had
   */
  released(segment: Segment, unread: (tail: SavedTail) => number): void {
    this.#together(() => {
      for (const tail of this.tails()) {
        const { name, positions } = tail;
        const missed = unread(tail);
        if (missed === 0) continue;
        this.#database
          .prepare('UPDATE tails SET missed_bytes = missed_bytes + ? WHERE name = ?')
          .run(missed, name);
        this.#save(name, {
          writer: segment.writer,
          segment: segment.number,
          segmentId: segment.id,
          offset: segment.bytes,
          sequence: positions.get(segment.writer)?.sequence ?? 0,
          last: undefined,
        });
      }
    });
  }

  /** Closes the database. */
  close(): void {
    this.#database.close();
  }

  #save(tail: string, { writer, segment, segmentId, offset, sequence, last }: Position): void {
    this.#savePosition.run(
      tail,
      writer,
      segment,
      segmentId,
      offset,
      sequence,
      last?.offset ?? null,
      last?.checksum ?? null,
    );
  }

  #together<Result>(run: () => Result): Result {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = run();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

interface TailRow {
  readonly name: string;
  readonly retain_bytes: number;
  readonly missed_bytes: number;
}

interface PositionRow {
  readonly tail: string;
  readonly writer: string;
  readonly segment: number;
  readonly segment_id: string;
  readonly offset: number;
  readonly sequence: number;
  readonly last_offset: number | null;
  readonly last_checksum: number | null;
}

function positionOf(row: PositionRow): Position {
  return {
    writer: row.writer,
    segment: row.segment,
    segmentId: row.segment_id,
    offset: row.offset,
    sequence: row.sequence,
    last: row.last_offset === null ? undefined : { offset: row.last_offset, checksum: row.last_checksum! },
  };
}

function openDatabase(path: string, readOnly: boolean): DatabaseSync {
  const database = new (sqlite().DatabaseSync)(path, { readOnly });
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    if (!readOnly) database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${SCHEMA}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
