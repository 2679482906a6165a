/**
 * Where the files of the cold tier lie: by what they hold, then by the hour (UTC) of their rows.
 *
 * ```
 * cold/<signal>/date=YYYY-MM-DD/hour=HH/<id>.parquet           visible once meta.db says so
 *                                       <id>.parquet.damaged   could not be read and was set aside
 *                                       *.tmp                  not finished; can be deleted
 * ```
 *
 * Rollups of metrics lie by day, without an hour. Every time has a partition, also one that no clock can have shown: 0 lies in 1970, 2^64 - 1 in 2554.
 */
import { join } from 'node:path';
import type { ColdFile, ColdSignal } from '../meta/catalog.ts';

const NANOS_PER_HOUR = 3_600_000_000_000n;
const MS_PER_HOUR = 3_600_000;
const PARTITION = /^date=(\d{4}-\d\d-\d\d)(?:\/hour=(\d\d))?$/;
const FILE = /^([0-9a-f]{16})\.parquet(\.damaged)?$/;

/** The directory of all cold files. */
export function coldDirectory(directory: string): string {
  return join(directory, 'cold');
}

/** The directory of the files of a partition. */
export function partitionDirectory(directory: string, signal: ColdSignal, partition: string): string {
  return join(coldDirectory(directory), signal, ...partition.split('/'));
}

/** The path of a file. */
export function coldPath(directory: string, file: Pick<ColdFile, 'id' | 'signal' | 'partition'>): string {
  return join(partitionDirectory(directory, file.signal, file.partition), `${file.id}.parquet`);
}

/** The hours since the Unix epoch of a time: what rows of the same file share. */
export function hourOf(timeUnixNanos: bigint): number {
  return Number(timeUnixNanos / NANOS_PER_HOUR);
}

/** The partition of an hour. */
export function partitionOfHour(hour: number): string {
  const text = new Date(hour * MS_PER_HOUR).toISOString();
  return `date=${text.slice(0, 10)}/hour=${text.slice(11, 13)}`;
}

/** The partition of the day in which that of an hour lies. */
export function dayOf(partition: string): string {
  return partition.split('/')[0]!;
}

/** The first and the last nanosecond of a partition; `undefined` if the name is none of a partition's. */
export function partitionBounds(
  partition: string,
): { readonly min: bigint; readonly max: bigint } | undefined {
  const [, date, hour] = PARTITION.exec(partition) ?? [];
  const start = Date.parse(`${date}T${hour ?? '00'}:00:00Z`);
  if (Number.isNaN(start)) return undefined;
  const min = BigInt(start) * 1_000_000n;
  const hours = hour === undefined ? 24n : 1n;
  return { min, max: min + hours * NANOS_PER_HOUR - 1n };
}

/** What a name in a partition's directory is; `undefined` if it is not ours. */
export function parseColdName(name: string): { readonly id: string; readonly damaged: boolean } | undefined {
  const match = FILE.exec(name);
  return match === null ? undefined : { id: match[1]!, damaged: match[2] !== undefined };
}
