import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { coldPath } from '../cold/partition.ts';
import { logDirectory, segmentPath } from '../log/names.ts';
import type { Segment } from '../log/types.ts';
import { COLD_SIGNALS, type ColdFile, type ColdSignal } from '../meta/catalog.ts';
import type { Snapshot } from './protocol.ts';

/** So often compaction may take files away under a query before they are taken for lost. */
const MAX_OVERTAKEN = 8;

/** What a query of the store reads; see query/snapshot.ts. */
export interface StoreSnapshot {
  segments(): Iterable<Segment>;
  cold(signal: ColdSignal): readonly ColdFile[];
  readable(signal: ColdSignal): readonly ColdFile[];
}

/**
 * A snapshot as the process for SQL finds it.
 *
 * @param attempt - how often the query has begun, this time included. When files have gone again and again, each time
 * with another snapshot, nobody replaces them: those that are not there are left out, which makes the result partial
 */
export function sqlSnapshot(directory: string, snapshot: StoreSnapshot, attempt = 1): Snapshot {
  const root = resolve(directory);
  const log = logDirectory(root);
  return {
    cold: Object.fromEntries(
      COLD_SIGNALS.map((signal) => {
        const all = snapshot.readable(signal).map((file) => coldPath(root, file));
        const paths = attempt > MAX_OVERTAKEN ? all.filter((path) => existsSync(path)) : all;
        return [signal, { paths, missing: snapshot.cold(signal).length - paths.length }];
      }),
    ),
    hot: Array.from(snapshot.segments(), ({ id, writer, number, bytes }) => ({
      id,
      writer,
      number,
      bytes,
      path: segmentPath(join(log, writer), number),
    })),
  };
}
