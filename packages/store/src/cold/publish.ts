/**
 * The last steps of a compaction, in the one order in which a crash between any two of them loses nothing and
 * shows nothing twice: names, their durability, the transaction, and only then the removals.
 */
import { dirname, join } from 'node:path';
import type { FileSystem } from '../fs/file-system.ts';
import { indexPath, logDirectory, segmentPath } from '../log/names.ts';
import type { Segment } from '../log/types.ts';
import type { Catalog, ColdFile } from '../meta/catalog.ts';
import { type MadeFile, temporaryPath } from './job.ts';
import type { OnStep } from './kill-step.ts';
import { coldPath } from './partition.ts';

/** What is published. */
export interface Publication {
  readonly made: readonly MadeFile[];
  /** Segments whose rows are in the files, oldest first for each writer. */
  readonly segments: readonly Segment[];
  /** The visible files, of which some may be replaced. */
  readonly visible: readonly ColdFile[];
}

/** Makes files visible in place of what they were made of, and removes that. */
export function publish(
  fs: FileSystem,
  directory: string,
  catalog: Pick<Catalog, 'publish'>,
  { made, segments, visible }: Publication,
  step: OnStep,
  released: (segment: Segment) => void,
): void {
  for (const { file } of made) {
    fs.renameSync(temporaryPath(directory, file), coldPath(directory, file));
    step('renamed');
  }
  for (const folder of new Set(made.map(({ file }) => dirname(coldPath(directory, file))))) {
    fs.syncDirectorySync(folder);
  }
  step('synced');
  const replaced = new Set(made.flatMap(({ replaces }) => replaces));
  catalog.publish({
    add: made.map(({ file }) => file),
    remove: [...replaced],
    retire: segments.map(({ id }) => id),
  });
  step('published');
  for (const segment of segments) {
    released(segment);
    removeSegment(fs, directory, segment);
    step('removed');
  }
  for (const file of visible) {
    if (!replaced.has(file.id)) continue;
    removeFile(fs, coldPath(directory, file));
    step('removed');
  }
}

/**
 * Removes a segment and its index. The name of each is durably gone before the next one's goes, so that what is left
 * of a log is always its end.
 */
export function removeSegment(fs: FileSystem, directory: string, { writer, number }: Segment): void {
  const folder = join(logDirectory(directory), writer);
  const index = indexPath(folder, number);
  if (fs.statSync(index) !== undefined) fs.unlinkSync(index);
  removeFile(fs, segmentPath(folder, number));
}

/** Removes a file, durably. One that is gone already is none. */
export function removeFile(fs: FileSystem, path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  fs.syncDirectorySync(dirname(path));
}
