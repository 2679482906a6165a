/**
 * The slice of a file system that the log stands on. It is small so that a test can put another one in its
 * place: one that fails on demand, writes short, and forgets what was not synced.
 *
 * What must be durable or may be large is asynchronous; what is quick because it normally ends in the page or
 * directory cache is synchronous, where a thread's round trip would cost more than the call. Errors are
 * Node's: an `Error` with a `code` such as `ENOSPC`.
 */
export interface FileSystem {
  /**
   * Opens a file: `read` an existing one, `write` an existing one to read and write, `create` one that must
   * not exist, to read and write.
   */
  openSync(path: string, mode: 'read' | 'write' | 'create'): OpenFile;
  /** What a path is, or `undefined` if there is nothing. */
  statSync(path: string): FileStat | undefined;
  /** The names in a directory, sorted; none if there is no such directory. */
  listSync(path: string): string[];
  /**
   * Makes a directory whose parent exists; does nothing if it is there.
   *
   * @param mode - its permissions, less what the umask takes away; default 0o777
   */
  makeDirectorySync(path: string, mode?: number): void;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  /** Makes the names in a directory durable: what was created, renamed and unlinked. */
  syncDirectory(path: string): Promise<void>;
  syncDirectorySync(path: string): void;
  /**
   * Takes a lock that excludes every other process and thread, and every other call of this one, until it is
   * released or its holder dies, however it dies. Creates the file at `path`, which nothing else may open.
   *
   * @returns `undefined` if somebody else holds it
   */
  tryLock(path: string): FileLock | undefined;
  /** Whether somebody holds the lock at `path`. Changes nothing. */
  isLocked(path: string): boolean;
}

/** An open file. */
export interface OpenFile {
  /** Reads at `position` until `target` is full or the file ends; returns the bytes read. */
  readSync(target: Uint8Array, position: number): number;
  /** As {@link OpenFile.readSync}, for what is large or not in the page cache. The file must stay open meanwhile. */
  read(target: Uint8Array, position: number): Promise<number>;
  /**
   * Writes the pieces one after the other at `position`. May write less than all of it; returns the bytes
   * written. Must not be given more than {@link MAX_PIECES}.
   */
  write(pieces: readonly Uint8Array[], position: number): Promise<number>;
  writeSync(pieces: readonly Uint8Array[], position: number): number;
  /** Makes the contents and the length durable: `fdatasync`. */
  sync(): Promise<void>;
  syncSync(): void;
  truncateSync(length: number): void;
  sizeSync(): number;
  /** Idempotent. */
  closeSync(): void;
}

/** What {@link FileSystem.statSync} tells. */
export interface FileStat {
  readonly size: number;
  /** When contents, or the names in a directory, last changed: milliseconds since the Unix epoch. */
  readonly modifiedMs: number;
}

/** A lock that is held. */
export interface FileLock {
  /** Idempotent. */
  release(): void;
}

/** How many pieces one write may have: the operating systems' `IOV_MAX`. */
export const MAX_PIECES = 1024;

/** Writes all of it, also where the file system writes short. Rejects as {@link OpenFile.write} does. */
export async function writeAll(
  file: OpenFile,
  pieces: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let rest = pieces;
  let at = position;
  while (rest.length > 0) {
    const written = await file.write(rest, at);
    rest = piecesAfter(rest, written);
    at += written;
  }
}

/** As {@link writeAll}, before it returns. */
export function writeAllSync(file: OpenFile, pieces: readonly Uint8Array[], position: number): void {
  let rest = pieces;
  let at = position;
  while (rest.length > 0) {
    const written = file.writeSync(rest, at);
    rest = piecesAfter(rest, written);
    at += written;
  }
}

/** Whether an error says that the disk, the quota or the largest file size is reached. */
export function isNoSpace(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
}

/** The pieces without their first `count` bytes. */
function piecesAfter(pieces: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]!;
    if (left < piece.length) return [piece.subarray(left), ...pieces.slice(i + 1)];
    left -= piece.length;
  }
  return [];
}
