/**
 * `search.db`: the full-text index of a directory, in SQLite's FTS5. A file of its own and no part of `meta.db`, so
 * that indexing in bulk never holds up the transaction that makes files visible.
 *
 * Everything in it is derived. It holds no text, only which words stand in which record; a record is told by its
 * trace, span and time, and read from the log or the cold tier. Its position in the logs is committed together with
 * what was indexed, so a record is entered once.
 *
 * **Row numbers are times**: a record's start in nanoseconds, or the next free number after it. FTS5 keeps its lists
 * in the order of row numbers, so the newest hits are the first ones that it finds, and a window of time is a range
 * of row numbers. Records of one transaction are entered in that order, because FTS5 writes out what it has gathered
 * whenever a number is smaller than the one before.
 *
 * **Tags** are words in a column of their own: the service, whether a span failed. So they are part of the search itself, and a
 * rare word in a busy store is as quick to find within one service as without.
 */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isDamagedCode, sqlite } from '../fs/sqlite.ts';
import type { Position } from '../tails/position.ts';
import { indexable } from './words.ts';

/** Raised when the tables, the words or the attributes that are searched by default change: it is built anew. */
const VERSION = 1;
const BUSY_MS = 5000;

/** What a record is. */
export type SearchSignal = 'span' | 'log';

/** A record to be entered. */
export interface SearchRecord {
  readonly signal: SearchSignal;
  /** Nanoseconds since the Unix epoch. */
  readonly time: bigint;
  readonly service: string;
  /** 32 hex digits, or empty. */
  readonly traceId: string;
  /** 16 hex digits, or empty. */
  readonly spanId: string;
  /** Whether it is a span that failed. */
  readonly failed: boolean;
  readonly texts: readonly string[];
}

/** A record that was found. */
export interface SearchHit {
  /** The number of its row. A smaller one is older. */
  readonly row: bigint;
  /** Nanoseconds since the Unix epoch. */
  readonly time: bigint;
  readonly traceId: string;
  readonly spanId: string;
}

/** What to look for. */
export interface SearchRequest {
  readonly signal: SearchSignal;
  /** In the language of FTS5, see `ftsQuery`. */
  readonly match: string;
  readonly service: string | undefined;
  /** Only spans that failed. */
  readonly failed: boolean;
  /** Only rows from here on, and before there. */
  readonly minRow: bigint;
  readonly beforeRow: bigint;
  readonly order: 'newest' | 'relevance';
  readonly limit: number;
}

/** The path of a directory's index. */
export function searchPath(directory: string): string {
  return join(directory, 'search.db');
}

/** Removes an index, to be built anew. */
export function removeSearchDb(directory: string): void {
  for (const side of ['', '-wal', '-shm']) rmSync(searchPath(directory) + side, { force: true });
}

/** Between two texts of a record: a word that nobody can look for, so that no phrase reaches over it. */
const BETWEEN = ' \uffff ';
/** Row numbers are signed in SQLite. */
const MAX_ROW = 2n ** 63n - 1n;

/** Records that are forgotten in one transaction. */
const FORGET_ROWS = 5000;

const SCHEMA = `
  CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE positions (
    writer TEXT PRIMARY KEY,
    segment INTEGER NOT NULL,
    segment_id TEXT NOT NULL,
    offset INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    last_offset INTEGER,
    last_checksum INTEGER
  ) WITHOUT ROWID;
  CREATE TABLE services (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE records (row INTEGER PRIMARY KEY, time INTEGER NOT NULL, trace_id BLOB, span_id BLOB);
  CREATE VIRTUAL TABLE span_words USING fts5(
    text, tags, content = '', contentless_delete = 1, tokenize = 'ascii'
  );
  CREATE VIRTUAL TABLE log_words USING fts5(
    text, tags, content = '', contentless_delete = 1, tokenize = 'ascii'
  );
`;

/** One connection to an index. */
export class SearchDb {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #inode: number | undefined;
  readonly #services = new Map<string, number>();

  private constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
    this.#inode = inodeOf(path);
  }

  /**
   * Opens the index to add to it; makes it if it is not there, or if it is of another version or was made with other
   * attributes.
   *
   * @param attributes - what is searched, as a text to compare
   * @param coldFiles - the ids of the files of the cold tier: what a new index lacks
   * @throws SQLite's error if it is damaged
   */
  static openToWrite(directory: string, attributes: string, coldFiles: readonly string[]): SearchDb {
    let known: SearchDb | undefined;
    try {
      known = SearchDb.#open(directory, false);
      if (known.#isFor(attributes)) return known;
    } catch (error) {
      if (!isDamagedCode(error)) throw error;
    }
    known?.close();
    removeSearchDb(directory);
    const made = SearchDb.#open(directory, false);
    made.#together(() => {
      made.#database.exec(SCHEMA);
      const about = made.#database.prepare('INSERT INTO about VALUES (?, ?)');
      about.run('version', String(VERSION));
      about.run('attributes', attributes);
      about.run('missing', JSON.stringify(coldFiles));
    });
    return made;
  }

  /** Opens the index to search in it; `undefined` if there is none of this version. */
  static openToRead(directory: string): SearchDb | undefined {
    let database: SearchDb | undefined;
    try {
      database = SearchDb.#open(directory, true);
      if (database.#about('version') === String(VERSION)) return database;
    } catch {
      // Not there, or not whole: whoever writes it makes it anew.
    }
    database?.close();
    return undefined;
  }

  static #open(directory: string, readOnly: boolean): SearchDb {
    const path = searchPath(directory);
    const database = new (sqlite().DatabaseSync)(path, { readOnly });
    try {
      database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
      if (!readOnly) database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      return new SearchDb(database, path);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Whether this is still the file of that name. */
  isThere(): boolean {
    return inodeOf(this.#path) === this.#inode;
  }

  /** How far the logs are indexed. */
  positions(): Map<string, Position> {
    const rows = this.#database.prepare('SELECT * FROM positions').all() as unknown as PositionRow[];
    return new Map(
      rows.map((row) => [
        row.writer,
        {
          writer: row.writer,
          segment: row.segment,
          segmentId: row.segment_id,
          offset: row.offset,
          sequence: row.sequence,
          last:
            row.last_offset === null ? undefined : { offset: row.last_offset, checksum: row.last_checksum! },
        },
      ]),
    );
  }

  /** Files of the cold tier that are still to be entered. */
  missingFiles(): string[] {
    return JSON.parse(this.#about('missing') ?? '[]') as string[];
  }

  /** Notes which files of the cold tier are still to be entered. */
  setMissingFiles(files: readonly string[]): void {
    this.#database.prepare(`INSERT OR REPLACE INTO about VALUES ('missing', ?)`).run(JSON.stringify(files));
  }

  /** Enters records, and how far the logs are indexed with them, in one transaction. */
  add(records: readonly SearchRecord[], positions: readonly Position[]): void {
    this.#together(() => {
      this.#enter([...records].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)));
      const save = this.#database.prepare('INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?, ?, ?)');
      for (const { writer, segment, segmentId, offset, sequence, last } of positions) {
        save.run(writer, segment, segmentId, offset, sequence, last?.offset ?? null, last?.checksum ?? null);
      }
    });
  }

  /**
   * Forgets records that are older than what the store still has, a few thousand at a time.
   *
   * @param oldest - the time of the oldest record of each signal; `undefined` if there is none
   * @returns whether there are more
   */
  forget(oldest: Readonly<Record<SearchSignal, bigint | undefined>>): boolean {
    let removed = 0;
    const rows = { span: rowOf(oldest.span ?? 0n), log: rowOf(oldest.log ?? 0n) };
    this.#together(() => {
      for (const signal of ['span', 'log'] as const) {
        const words = WORDS[signal];
        const remove = this.#database.prepare(
          `DELETE FROM ${words} WHERE rowid IN (SELECT id FROM ${words}_docsize WHERE id < ? LIMIT ${FORGET_ROWS})`,
        );
        removed = Math.max(removed, Number(remove.run(rows[signal]).changes));
      }
      // Of a signal without records none is there either.
      const times = [oldest.span, oldest.log].filter((time) => time !== undefined).map(rowOf);
      const before = times.reduce((a, b) => (b < a ? b : a), times[0] ?? 0n);
      const records = this.#database.prepare(
        `DELETE FROM records WHERE row IN (SELECT row FROM records WHERE row < ? LIMIT ${FORGET_ROWS})`,
      );
      removed = Math.max(removed, Number(records.run(before).changes));
    });
    return removed === FORGET_ROWS;
  }

  /** Searches. */
  find({ signal, match, service, failed, minRow, beforeRow, order, limit }: SearchRequest): SearchHit[] {
    const tags: string[] = [];
    if (failed) tags.push(FAILED_TAG);
    if (service !== undefined) {
      const row = this.#database.prepare('SELECT number FROM services WHERE name = ?').get(service);
      if (row === undefined) return [];
      tags.push(serviceTag((row as { number: number }).number));
    }
    const statement = this.#database.prepare(`
      SELECT row, time, hex(trace_id) AS trace, hex(span_id) AS span
      FROM (
        SELECT rowid AS found${order === 'relevance' ? ', rank' : ''} FROM ${WORDS[signal]}
        WHERE ${WORDS[signal]} MATCH ? AND rowid >= ? AND rowid < ?
        ORDER BY ${order === 'relevance' ? 'rank' : 'rowid DESC'} LIMIT ?
      ) CROSS JOIN records ON row = found
      ORDER BY ${order === 'relevance' ? 'rank' : 'row DESC'}`);
    statement.setReadBigInts(true);
    const tagged = tags.length === 0 ? '' : ` AND {tags} : (${tags.join(' AND ')})`;
    const query = `{text} : (${match})${tagged}`;
    const rows = statement.all(query, minRow, beforeRow, limit) as unknown as HitRow[];
    return rows.map(({ row, time, trace, span }) => ({
      row,
      time: BigInt.asUintN(64, time),
      traceId: trace.toLowerCase(),
      spanId: span.toLowerCase(),
    }));
  }

  /** Closes the connection. */
  close(): void {
    this.#database.close();
  }

  #enter(records: readonly SearchRecord[]): void {
    const taken = this.#database.prepare('SELECT 1 FROM records WHERE row = ?');
    const enter = this.#database.prepare('INSERT INTO records VALUES (?, ?, ?, ?)');
    const index = {
      span: this.#database.prepare('INSERT INTO span_words (rowid, text, tags) VALUES (?, ?, ?)'),
      log: this.#database.prepare('INSERT INTO log_words (rowid, text, tags) VALUES (?, ?, ?)'),
    };
    let last = -1n;
    for (const { signal, time, service, traceId, spanId, failed, texts } of records) {
      let row = rowOf(time);
      if (row <= last) row = last + 1n;
      row = this.#freeRow(row, taken);
      last = row;
      enter.run(row, BigInt.asIntN(64, time), idBytes(traceId), idBytes(spanId));
      const text = texts.map(indexable).join(BETWEEN);
      const tags = serviceTag(this.#numberOf(service));
      index[signal].run(row, text, failed ? `${tags} ${FAILED_TAG}` : tags);
    }
  }

  /** Tries in growing steps: of a clock that ticks milliseconds, thousands may want the same row. */
  #freeRow(from: bigint, taken: StatementSync): bigint {
    let row = from;
    for (let step = 1n; taken.get(row) !== undefined; step *= 2n) row += step;
    return row;
  }

  #numberOf(service: string): number {
    let number = this.#services.get(service);
    if (number !== undefined) return number;
    this.#database.prepare('INSERT OR IGNORE INTO services (name) VALUES (?)').run(service);
    const row = this.#database.prepare('SELECT number FROM services WHERE name = ?').get(service);
    number = (row as { number: number }).number;
    // Bounded: a service is normally one of a few.
    if (this.#services.size > 10_000) this.#services.clear();
    this.#services.set(service, number);
    return number;
  }

  #isFor(attributes: string): boolean {
    return this.#about('version') === String(VERSION) && this.#about('attributes') === attributes;
  }

  #about(key: string): string | undefined {
    const tables = this.#database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'about'`).get();
    if (tables === undefined) return undefined;
    const row = this.#database.prepare('SELECT value FROM about WHERE key = ?').get(key);
    return (row as { value: string } | undefined)?.value;
  }

  #together(run: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      run();
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#services.clear();
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

/** How far behind the row of its time a record stands at most, because others of the same time are there: 16 ms. */
export const ROW_SPREAD = 1n << 24n;

/** The row from which on the records of a time stand. */
export function rowOf(time: bigint): bigint {
  const last = MAX_ROW - ROW_SPREAD;
  return time > last ? last : time;
}

const FAILED_TAG = 'failed';
const WORDS: Readonly<Record<SearchSignal, string>> = { span: 'span_words', log: 'log_words' };

function serviceTag(number: number): string {
  return `s${number}`;
}

function idBytes(id: string): Buffer | null {
  return id === '' ? null : Buffer.from(id, 'hex');
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

interface PositionRow {
  readonly writer: string;
  readonly segment: number;
  readonly segment_id: string;
  readonly offset: number;
  readonly sequence: number;
  readonly last_offset: number | null;
  readonly last_checksum: number | null;
}

interface HitRow {
  readonly row: bigint;
  readonly time: bigint;
  readonly trace: string;
  readonly span: string;
}
