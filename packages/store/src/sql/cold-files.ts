/**
 * Which files of the cold tier cannot be read, as queries find out.
 *
 * DuckDB says that a file is damaged only where it stumbles over it, and seldom which one. So when a query fails in
 * a way that looks like that, the files that it read are read by us, with their checksums. Those that are damaged
 * are left out from then on, and results say so.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TracewellError } from '@tracewell/plugin';
import { nodeFileSystem } from '../fs/node-file-system.ts';
import { ParquetFile } from '../parquet/file.ts';
import { FileGone } from './hot-segment.ts';
import type { ColdPaths } from './protocol.ts';

/** Knows what is damaged. */
export class ColdFiles {
  /** Paths. */
  readonly #damaged = new Set<string>();
  /** Those that were read whole, and need not be again. */
  readonly #sound = new Set<string>();

  /** Those of some files that can be read, as far as is known. */
  withoutDamaged(paths: readonly string[]): readonly string[] {
    return this.#damaged.size === 0 ? paths : paths.filter((path) => !this.#damaged.has(path));
  }

  /** What is to be said of a result that some files belong to. */
  damageOf(files: readonly ColdPaths[]): string[] {
    let total = 0;
    let left = 0;
    for (const { paths, missing } of files) {
      total += paths.length + missing;
      left += this.withoutDamaged(paths).length;
    }
    if (left === total) return [];
    return [`${total - left} of ${total} files of the cold tier cannot be read and were left out`];
  }

  /**
   * Looks for what made a query fail.
   *
   * @param isWanted - asked between two files
   * @returns whether files were found that {@link ColdFiles.withoutDamaged} leaves out now
   * @throws {@link FileGone}
   */
  async findDamage(paths: readonly string[], isWanted: () => boolean): Promise<boolean> {
    let found = false;
    for (const path of this.withoutDamaged(paths)) {
      if (this.#sound.has(path) && nodeFileSystem.statSync(path) !== undefined) continue;
      if (!isWanted()) break;
      if (isSound(path)) this.#sound.add(path);
      else {
        this.#damaged.add(path);
        found = true;
      }
      await nextTurn();
    }
    return found;
  }
}

function isSound(path: string): boolean {
  let file: ReturnType<typeof nodeFileSystem.openSync>;
  try {
    file = nodeFileSystem.openSync(path, 'read');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new FileGone();
    return false;
  }
  try {
    ParquetFile.open(file, path).verify();
    return true;
  } catch (error) {
    if (error instanceof TracewellError) return false;
    throw error;
  } finally {
    file.closeSync();
  }
}
