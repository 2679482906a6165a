/**
 * What the files of a log are called.
 *
 * ```
 * <directory>/log/<writer>/lock                        held by whoever appends to this log
 *                          <segment>.log               header and frames
 *                          <segment>.idx               the index of a sealed segment; can be deleted
 *                          <segment>.<offset>.torn     what was cut off at that offset: never acknowledged
 *                          <segment>.<offset>.damaged  what was damaged there, set aside by `salvage`
 *                          *.tmp                       not finished; can be deleted
 * ```
 *
 * `<writer>` is 16 hex digits, `<segment>` 10 decimal ones. Anything else in these directories is left alone.
 */
import { join } from 'node:path';

/** The directory that holds the writers' directories. */
export function logDirectory(directory: string): string {
  return join(directory, 'log');
}

/** The lock file of a writer. */
export function lockPath(writerDirectory: string): string {
  return join(writerDirectory, 'lock');
}

/** The file of a segment. */
export function segmentPath(writerDirectory: string, number: number): string {
  return join(writerDirectory, `${padded(number)}.log`);
}

/** The index file beside a sealed segment. */
export function indexPath(writerDirectory: string, number: number): string {
  return join(writerDirectory, `${padded(number)}.idx`);
}

/** A file for what was cut off or left out of a segment; `copy` tells apart what happened at the same place. */
export function setAsideName(number: number, offset: number, why: 'torn' | 'damaged', copy: number): string {
  return `${padded(number)}.${offset}${copy === 0 ? '' : `-${copy}`}.${why}`;
}

/** Whether a name is a writer's directory. */
export function isWriterName(name: string): boolean {
  return /^[0-9a-f]{16}$/.test(name);
}

/** The number of a segment file, or `undefined` for any other name. */
export function segmentNumber(name: string): number | undefined {
  const match = /^(\d{10})\.log$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** Whether a name is a file for what was cut off or left out. */
export function isSetAside(name: string): boolean {
  return /^\d{10}\.\d+(-\d+)?\.(torn|damaged)$/.test(name);
}

/** Whether a name is a file that somebody did not finish. */
export function isTemporary(name: string): boolean {
  return name.endsWith('.tmp');
}

function padded(number: number): string {
  return String(number).padStart(10, '0');
}
