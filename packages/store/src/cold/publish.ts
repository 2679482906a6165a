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

/**
 * Makes files visible in place of what they were made of, and removes that. Only the transaction is waited for by this
 * thread: syncing a directory takes as long, and there are many.
 */
export async function publish(
  fs: FileSystem,
  directory: string,
  catalog: Pick<Catalog, 'publish'>,
  { made, segments, visible }: Publication,
  step: OnStep,
  released: (segment: Segment) => void,
): Promise<void> {
  for (const { file } of made) {
    fs.renameSync(temporaryPath(directory, file), coldPath(directory, file));
    step('renamed');
  }
  for (const folder of new Set(made.map(({ file }) => dirname(coldPath(directory, file))))) {
    await fs.syncDirectory(folder);
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
    await removeSegment(fs, directory, segment);
    step('removed');
  }
  for (const file of visible) {
    if (!replaced.has(file.id)) continue;
    await removeFile(fs, coldPath(directory, file));
    step('removed');
  }
}

/**
 * Removes a segment and its index. The name of each is durably gone before the next one's goes, so that what is left
 * of a log is always its end.
 */
export async function removeSegment(
  fs: FileSystem,
  directory: string,
  { writer, number }: Segment,
): Promise<void> {
  const folder = join(logDirectory(directory), writer);
  const index = indexPath(folder, number);
  if (fs.statSync(index) !== undefined) fs.unlinkSync(index);
  await removeFile(fs, segmentPath(folder, number));
}

/** Removes a file, durably. One that is gone already is none. */
export async function removeFile(fs: FileSystem, path: string): Promise<void> {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await fs.syncDirectory(dirname(path));
}
