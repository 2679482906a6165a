/**
 * `epoch`: which reign a directory belongs to, and whether it leads or stands by. One line of JSON with a checksum,
 * replaced as a whole, so that it is the old one or the new one after a crash.
 *
 * The epoch counts promotions. A standby takes nothing from a leader of a lower epoch than it has seen, so a leader
 * that was deposed and does not know it yet can do no harm. It must therefore never decrease: it is on the disk before
 * anything of the new epoch is accepted, and a file that cannot be read stops the opening.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type FileSystem, writeAllSync } from '../fs/file-system.ts';
import { ReplicationError } from './replication-error.ts';

/** What the file says. */
export interface Reign {
  readonly epoch: number;
  readonly role: 'leader' | 'standby';
}

const NAME = 'epoch';

/**
 * Reads the reign of a directory.
 *
 * @returns `undefined` if it has never taken part in replication
 * @throws `ReplicationError` (`TW_REPLICATION_DAMAGED`) if the file is damaged
 */
export function readReign(fs: FileSystem, directory: string): Reign | undefined {
  const path = join(directory, NAME);
  const size = fs.statSync(path)?.size;
  if (size === undefined) return undefined;
  const file = fs.openSync(path, 'read');
  const bytes = Buffer.alloc(Math.min(size, 1000));
  try {
    file.readSync(bytes, 0);
  } finally {
    file.closeSync();
  }
  const [json = '', checksum] = bytes.toString().trim().split(' ');
  if (Number(checksum) !== crc32(json)) {
    throw new ReplicationError(
      'TW_REPLICATION_DAMAGED',
      `${path} is damaged; write the epoch anew with the highest one that any member has, or restore the file`,
    );
  }
  return JSON.parse(json) as Reign;
}

/** Writes the reign of a directory, durably. */
export function writeReign(fs: FileSystem, directory: string, { epoch, role }: Reign): void {
  const json = JSON.stringify({ epoch, role });
  const path = join(directory, NAME);
  const temporary = `${path}.tmp`;
  if (fs.statSync(temporary) !== undefined) fs.unlinkSync(temporary);
  const file = fs.openSync(temporary, 'create');
  try {
    writeAllSync(file, [Buffer.from(`${json} ${crc32(json)}\n`)], 0);
    file.syncSync();
  } finally {
    file.closeSync();
  }
  fs.renameSync(temporary, path);
  fs.syncDirectorySync(directory);
}
