import { join, resolve } from 'node:path';
import { coldPath } from '../cold/partition.ts';
import { logDirectory, segmentPath } from '../log/names.ts';
import type { Segment } from '../log/types.ts';
import { COLD_SIGNALS, type ColdFile, type ColdSignal } from '../meta/catalog.ts';
import type { Snapshot } from './protocol.ts';

/** What a query of the store reads; see query/snapshot.ts. */
export interface StoreSnapshot {
  segments(): Iterable<Segment>;
  cold(signal: ColdSignal): readonly ColdFile[];
  readable(signal: ColdSignal): readonly ColdFile[];
}

/** A snapshot as the process for SQL finds it. */
export function sqlSnapshot(directory: string, snapshot: StoreSnapshot): Snapshot {
  const root = resolve(directory);
  const log = logDirectory(root);
  return {
    cold: Object.fromEntries(
      COLD_SIGNALS.map((signal) => {
        const files = snapshot.readable(signal);
        const paths = files.map((file) => coldPath(root, file));
        return [signal, { paths, missing: snapshot.cold(signal).length - files.length }];
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
