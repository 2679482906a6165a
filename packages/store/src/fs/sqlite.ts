/** The SQLite inside Node.js: for locks between processes and for `meta.db`. */

/** "Somebody else holds it". https://sqlite.org/rescode.html */
export const SQLITE_BUSY = 5;
/** "The file is damaged". */
const SQLITE_CORRUPT = 11;
/** "The disk is full". */
const SQLITE_FULL = 13;
/** "That is no database". */
const SQLITE_NOTADB = 26;

/** The primary result code of an error: the low byte, whatever is added to it. 0 if SQLite did not throw it. */
export function sqliteCode(error: unknown): number {
  return ((error as { errcode?: number }).errcode ?? 0) & 0xff;
}

/** Whether an error says that the disk is full. */
export function isFullCode(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_FULL;
}

/** Whether an error says that a file is damaged, or is no database at all. */
export function isDamagedCode(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

let loaded: typeof import('node:sqlite') | undefined;

/**
 * `node:sqlite`, without the warning that some versions of Node.js print when it is first loaded: it is not
 * the application's business what a library locks with. Only this one warning is held back, and only during
 * this one synchronous call, so that nobody else's can get lost.
 */
export function sqlite(): typeof import('node:sqlite') {
  if (loaded !== undefined) return loaded;
  const emitWarning = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith('SQLite is an experimental feature')) {
      Reflect.apply(emitWarning, process, [warning, ...rest]);
    }
  }) as typeof process.emitWarning;
  try {
    loaded = process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
  return loaded;
}
