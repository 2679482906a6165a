import { join } from 'node:path';
import type { FileSystem } from '../fs/file-system.ts';
import { COLD_SIGNALS, type ColdSignal } from '../meta/catalog.ts';
import { coldDirectory, parseColdName, partitionBounds } from './partition.ts';

/** A file below the directory of the cold tier. */
export interface FoundFile {
  readonly path: string;
  /** Empty if it is not finished. */
  readonly id: string;
  readonly signal: ColdSignal;
  readonly partition: string;
  /** Whether it is not finished, and can be deleted when nobody compacts. */
  readonly isTemporary: boolean;
  /** Whether it was set aside. */
  readonly isDamaged: boolean;
}

/** All files of the cold tier, visible or not. What is not ours is left out. */
export function* listColdFiles(fs: FileSystem, directory: string): Generator<FoundFile> {
  for (const signal of COLD_SIGNALS) {
    const root = join(coldDirectory(directory), signal);
    for (const date of fs.listSync(root)) {
      const names = fs.listSync(join(root, date));
      yield* filesOf(root, signal, date, names);
      for (const hour of names.filter((name) => name.startsWith('hour='))) {
        yield* filesOf(root, signal, `${date}/${hour}`, fs.listSync(join(root, date, hour)));
      }
    }
  }
}

function* filesOf(
  root: string,
  signal: ColdSignal,
  partition: string,
  names: readonly string[],
): Generator<FoundFile> {
  if (partitionBounds(partition) === undefined) return;
  for (const name of names) {
    const parsed = parseColdName(name);
    const isTemporary = name.endsWith('.tmp');
    if (parsed === undefined && !isTemporary) continue;
    const { id = '', damaged: isDamaged = false } = parsed ?? {};
    yield { path: join(root, partition, name), id, signal, partition, isTemporary, isDamaged };
  }
}
