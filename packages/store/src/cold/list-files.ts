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
      for (const hour of fs.listSync(join(root, date))) {
        const partition = `${date}/${hour}`;
        if (partitionBounds(partition) === undefined) continue;
        for (const name of fs.listSync(join(root, date, hour))) {
          const path = join(root, date, hour, name);
          const parsed = parseColdName(name);
          const isTemporary = name.endsWith('.tmp');
          if (parsed === undefined && !isTemporary) continue;
          const { id = '', damaged: isDamaged = false } = parsed ?? {};
          yield { path, id, signal, partition, isTemporary, isDamaged };
        }
      }
    }
  }
}
