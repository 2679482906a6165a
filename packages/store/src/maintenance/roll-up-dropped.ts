import { randomBytes } from 'node:crypto';
import { dayOf } from '../cold/partition.ts';
import { publish } from '../cold/publish.ts';
import type { JobRunner } from '../cold/worker-pool.ts';
import type { FileSystem } from '../fs/file-system.ts';
import type { Catalog, ColdFile } from '../meta/catalog.ts';

/** What {@link rollUpDropped} works with. */
export interface RollUpContext {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly catalog: Catalog;
  readonly runner: JobRunner;
}

/**
 * Lets metric files go whose points stay as rollups: what a point says is in its file or in a rollup, and never in
 * both. One transaction shows the rollups and takes the files away, so that this holds at every instant, also after a
 * crash.
 *
 * @param files - of one hour, none of them damaged
 * @throws `TracewellError` (`TW_COLD_DAMAGED` …) or what the file system throws; then nothing has changed
 */
export async function rollUpDropped(
  { fs, directory, catalog, runner }: RollUpContext,
  files: readonly ColdFile[],
): Promise<void> {
  if (files.length === 0) return;
  const day = dayOf(files[0]!.partition);
  const rollups = catalog
    .state()
    .files.filter(
      ({ signal, partition, damage }) => signal === 'metrics_5m' && partition === day && damage === undefined,
    );
  const all = [...files, ...rollups];
  const name = randomBytes(6).toString('hex');
  const made = await runner.run({ directory, segments: [], files: all, rollsUp: true, name });
  const nothing = (): void => {};
  publish(fs, directory, catalog, { made, segments: [], visible: all }, nothing, nothing);
}
