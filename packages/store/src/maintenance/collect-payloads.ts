import { type BlobLimits, BlobStore, type CollectedBlobs } from '../blobs/blob-store.ts';
import { coldPath } from '../cold/partition.ts';
import type { FileSystem } from '../fs/file-system.ts';
import type { ColdFile } from '../meta/catalog.ts';
import { ParquetFile } from '../parquet/file.ts';
import { blobNames } from '../payloads/names.ts';
import { nextTurn, turnIsOver } from '../query/turn.ts';

/**
 * Removes the payloads that no file names, and those that the limits say. What the files name stands in their
 * footers. While a footer cannot be read, nothing goes for want of a name: it may have one.
 *
 * @param files - those that stay visible
 */
export async function collectPayloads(
  fs: FileSystem,
  directory: string,
  files: readonly ColdFile[],
  limits: BlobLimits,
  dryRun: boolean,
): Promise<CollectedBlobs> {
  const blobs = new BlobStore(fs, directory);
  // Most stores have none, and need not open all their files to learn it.
  const names = blobs.list().next().done ? new Set<string>() : await namesIn(fs, directory, files);
  return blobs.collect((name) => names === undefined || names.has(name), limits, dryRun);
}

/** The names of the blobs that files name; `undefined` if one of the files does not tell. */
async function namesIn(
  fs: FileSystem,
  directory: string,
  files: readonly ColdFile[],
): Promise<Set<string> | undefined> {
  const names = new Set<string>();
  for (const file of files) {
    if (file.signal !== 'spans' && file.signal !== 'logs') continue;
    if (turnIsOver()) await nextTurn();
    const path = coldPath(directory, file);
    const found = namesAt(fs, path) ?? namesAt(fs, `${path}.damaged`);
    if (found === undefined) return undefined;
    for (const name of found) names.add(name);
  }
  return names;
}

function namesAt(fs: FileSystem, path: string): readonly string[] | undefined {
  if (fs.statSync(path) === undefined) return undefined;
  const file = fs.openSync(path, 'read');
  try {
    return [...blobNames(ParquetFile.open(file, path))];
  } catch {
    // Retention finds out what is wrong with it.
    return undefined;
  } finally {
    file.closeSync();
  }
}
