import { dirname, join } from 'node:path';
import type { FileSystem } from './file-system.ts';

/** For the owner alone. */
const PRIVATE = 0o700;

/** Makes a directory and those above it, durably. Leaves what is there as it is. */
export function makeDirectories(fs: FileSystem, path: string): void {
  if (fs.statSync(path) !== undefined) return;
  const parent = dirname(path);
  makeDirectories(fs, parent);
  fs.makeDirectorySync(path);
  fs.syncDirectorySync(parent);
}

/**
 * Makes the directory of a store, durably, if it is not there; the one above it must be. What is recorded may be
 * nobody else's business, so nobody else may look in, and Git passes over it. Whoever wants to share it makes the
 * directory first: then its mode and the umask decide.
 */
export function makeStoreDirectory(fs: FileSystem, directory: string): void {
  if (fs.statSync(directory) !== undefined) return;
  fs.makeDirectorySync(directory, PRIVATE);
  fs.syncDirectorySync(dirname(directory));
  try {
    const file = fs.openSync(join(directory, '.gitignore'), 'create');
    try {
      file.writeSync([IGNORE_ALL], 0);
    } finally {
      file.closeSync();
    }
  } catch {
    // No room for it, or another process was quicker. Nothing depends on it.
  }
}

const IGNORE_ALL = Buffer.from('*\n');
