/**
 * The catalog without `meta.db`: from the files themselves, whose footers name the segments and the files that they
 * stand for.
 *
 * Whoever makes a file visible removes what it stands for afterwards, and never before. So a file counts if something
 * of that is gone. If all of it is still there, nothing is lost by leaving the file out: it may be the leftover of a
 * compaction that did not come to its end, of which other files are missing.
 */
import { TracewellError } from '@tracewell/plugin';
import { REPLACES_KEY, SEGMENTS_KEY } from '../cold/job.ts';
import { type FoundFile, listColdFiles } from '../cold/list-files.ts';
import { coldPath, partitionBounds } from '../cold/partition.ts';
import type { FileSystem } from '../fs/file-system.ts';
import { ParquetFile } from '../parquet/file.ts';
import type { CatalogState, ColdFile } from './catalog.ts';

/** A file and what its footer says of its origin. */
interface Origin {
  readonly file: ColdFile;
  readonly segments: readonly string[];
  readonly replaces: readonly string[];
}

/**
 * Works the catalog out.
 *
 * @param isThere - whether a segment of this id is in the log
 */
export function deriveCatalog(
  fs: FileSystem,
  directory: string,
  isThere: (segmentId: string) => boolean,
): CatalogState {
  const origins: Origin[] = [];
  const damaged: ColdFile[] = [];
  for (const found of listColdFiles(fs, directory)) {
    if (found.isTemporary) continue;
    const origin = found.isDamaged ? undefined : readOrigin(fs, directory, found);
    if (origin === undefined) damaged.push(unreadable(found));
    else origins.push(origin);
  }
  const names = new Set(origins.map(({ file }) => file.id));
  const counting = origins.filter(
    ({ segments, replaces }) =>
      segments.length + replaces.length === 0 ||
      segments.some((id) => !isThere(id)) ||
      replaces.some((id) => !names.has(id)),
  );
  const replaced = new Set(counting.flatMap(({ replaces }) => replaces));
  const visible = counting.filter(({ file }) => !replaced.has(file.id)).map(({ file }) => file);
  return {
    files: [...visible, ...damaged],
    retired: new Set(counting.flatMap(({ segments }) => segments)),
  };
}

/** `undefined` if the footer cannot be read. */
function readOrigin(fs: FileSystem, directory: string, found: FoundFile): Origin | undefined {
  try {
    const path = coldPath(directory, found);
    const file = fs.openSync(path, 'read');
    try {
      const { keyValues, rows } = ParquetFile.open(file, path);
      const bounds = partitionBounds(found.partition)!;
      const time = (key: string, otherwise: bigint): bigint => BigInt(keyValues.get(key) ?? otherwise);
      const names = (key: string): string[] =>
        (keyValues.get(key) ?? '').split(' ').filter((id) => id !== '');
      return {
        file: {
          id: found.id,
          signal: found.signal,
          partition: found.partition,
          rows,
          bytes: file.sizeSync(),
          minTime: time('tracewell.min_start', bounds.min),
          maxTime: time('tracewell.max_start', bounds.max),
        },
        segments: names(SEGMENTS_KEY),
        replaces: names(REPLACES_KEY),
      };
    } finally {
      file.closeSync();
    }
  } catch (error) {
    if (error instanceof TracewellError || 'code' in (error as Error)) return undefined;
    throw error;
  }
}

function unreadable({ id, signal, partition }: FoundFile): ColdFile {
  const { min: minTime, max: maxTime } = partitionBounds(partition)!;
  const damage = `${signal}/${partition}/${id}.parquet cannot be read`;
  return { id, signal, partition, rows: 0, bytes: 0, minTime, maxTime, damage };
}
