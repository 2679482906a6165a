import fs from 'node:fs';
import { promisify } from 'node:util';
import type { FileStat, FileSystem, OpenFile } from './file-system.ts';
import { isSqliteLocked, trySqliteLock } from './sqlite-lock.ts';

const fdatasync = promisify(fs.fdatasync);
const fsync = promisify(fs.fsync);
const read = promisify(fs.read);

const OPEN_FLAGS = { read: 'r', write: 'r+', create: 'wx+' } as const;

/** The operating system's file system, through `node:fs`. */
export const nodeFileSystem: FileSystem = {
  openSync: (path, mode) => new NodeFile(fs.openSync(path, OPEN_FLAGS[mode]), path),

  statSync(path): FileStat | undefined {
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    return stat && { size: stat.size, modifiedMs: stat.mtimeMs };
  },

  listSync(path) {
    try {
      return fs.readdirSync(path).sort();
    } catch (error) {
      // Not there, also because something above it is a file.
      if (fs.statSync(path, { throwIfNoEntry: false }) === undefined) return [];
      throw error;
    }
  },

  makeDirectorySync(path, mode) {
    try {
      fs.mkdirSync(path, mode);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  },

  renameSync: fs.renameSync,
  unlinkSync: fs.unlinkSync,

  async syncDirectory(path) {
    if (!DIRECTORIES_SYNC) return;
    const fd = fs.openSync(path, 'r');
    try {
      await fsync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },

  syncDirectorySync(path) {
    if (!DIRECTORIES_SYNC) return;
    const fd = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },

  tryLock: trySqliteLock,
  isLocked: isSqliteLocked,
};

/** Windows opens no directory; NTFS journals its names by itself. */
const DIRECTORIES_SYNC = process.platform !== 'win32';

class NodeFile implements OpenFile {
  #fd: number;
  readonly #path: string;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  readSync(target: Uint8Array, position: number): number {
    let count = 0;
    try {
      while (count < target.length) {
        const read = fs.readSync(this.#fd, target, count, target.length - count, position + count);
        if (read === 0) break;
        count += read;
      }
    } catch (error) {
      // A disk that fails, or a directory in place of a file. The system knows no path of a descriptor.
      (error as Error).message += ` '${this.#path}'`;
      throw error;
    }
    return count;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let count = 0;
    while (count < target.length) {
      const { bytesRead } = await read(this.#fd, target, count, target.length - count, position + count);
      if (bytesRead === 0) break;
      count += bytesRead;
    }
    return count;
  }

  write(pieces: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.writev(this.#fd, pieces, position, (error, written) => {
        if (error) reject(error);
        else resolve(written);
      });
    });
  }

  writeSync(pieces: readonly Uint8Array[], position: number): number {
    return fs.writevSync(this.#fd, pieces, position);
  }

  sync(): Promise<void> {
    return fdatasync(this.#fd);
  }

  syncSync(): void {
    fs.fdatasyncSync(this.#fd);
  }

  truncateSync(length: number): void {
    fs.ftruncateSync(this.#fd, length);
  }

  sizeSync(): number {
    return fs.fstatSync(this.#fd).size;
  }

  closeSync(): void {
    if (this.#fd === -1) return;
    fs.closeSync(this.#fd);
    this.#fd = -1;
  }
}
