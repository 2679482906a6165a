import { listColdFiles } from '../cold/list-files.ts';
import { removeFile, removeSegment } from '../cold/publish.ts';
import type { FileSystem } from '../fs/file-system.ts';
import type { Segment } from '../log/types.ts';
import type { Catalog } from '../meta/catalog.ts';

/** How long a retired segment is remembered: whoever has it in its hot tier looks more often than that. */
const REMEMBER_MS = 60 * 60 * 1000;

/**
 * Removes what a maintenance that died has left: files that are not finished or were never made visible, files that
 * others stand for, retired segments. To be called under the maintenance lock, before anything else is done.
 *
 * @throws what the file system throws; then nothing else may be done, because what is left could be taken for data
 */
export async function removeLeftovers(
  fs: FileSystem,
  directory: string,
  catalog: Pick<Catalog, 'state' | 'forget'>,
  segments: Iterable<Segment>,
  released: (segment: Segment) => void,
): Promise<void> {
  const { files, retired } = catalog.state();
  // Oldest first, so that what is left of a log is always its end.
  const left = [...segments].filter(({ id }) => retired.has(id)).sort((a, b) => a.number - b.number);
  for (const segment of left) {
    released(segment);
    await removeSegment(fs, directory, segment);
  }
  const visible = new Set(files.map(({ id }) => id));
  for (const { path, id, isTemporary } of listColdFiles(fs, directory)) {
    if (isTemporary || !visible.has(id)) await removeFile(fs, path);
  }
  catalog.forget(Date.now() - REMEMBER_MS);
}
