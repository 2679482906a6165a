/**
 * The hot and the cold tier of a directory as one: what is visible where, and the maintenance that moves rows from
 * one to the other.
 */
import { resolve } from 'node:path';
import { ColdFiles } from './cold/cold-files.ts';
import { killStep } from './cold/kill-step.ts';
import { WorkerPool } from './cold/worker-pool.ts';
import { nodeFileSystem } from './fs/node-file-system.ts';
import type { HotTier } from './hot/hot-tier.ts';
import type { Log, Segment } from './log/types.ts';
import { Compactor } from './maintenance/compactor.ts';
import { Maintenance } from './maintenance/maintenance.ts';
import type { MaintenanceSettings } from './maintenance/options.ts';
import { Retention } from './maintenance/retention.ts';
import { Catalog, type ColdSignal } from './meta/catalog.ts';
import { deriveCatalog } from './meta/derive-catalog.ts';
import { MetaDb } from './meta/meta-db.ts';
import { type Snapshot, Snapshots } from './query/snapshot.ts';
import type { ColdHealth } from './store.ts';

/** Who must have had a segment before it may go. */
export interface SegmentUsers {
  holds(segment: Segment): boolean;
  released(segment: Segment): void;
}

/** The tiers of an open store. Made before its log is opened, then given the log. */
export class Tiers {
  readonly #meta: MetaDb;
  readonly #catalog: Catalog;
  readonly #files: ColdFiles;
  readonly #runner = new WorkerPool();
  readonly #directory: string;
  readonly #hot: HotTier;
  #log: Pick<Log, 'segments' | 'seal' | 'refresh'> | undefined;
  #snapshots: Snapshots | undefined;
  #maintenance: Maintenance | undefined;
  #atClose: ColdHealth | undefined;

  constructor(directory: string, readOnly: boolean, hot: HotTier) {
    this.#directory = resolve(directory);
    this.#hot = hot;
    this.#meta = new MetaDb(this.#directory, readOnly);
    this.#catalog = new Catalog(this.#meta, () => this.#derive());
    this.#files = new ColdFiles(nodeFileSystem, this.#directory);
    hot.isRetired = ({ id }) => this.#catalog.state().retired.has(id);
  }

  /**
   * Says that the log is open. From now on there are snapshots.
   *
   * @param settings - `undefined` if this process does no maintenance
   */
  begin(
    log: Pick<Log, 'segments' | 'seal' | 'refresh'>,
    settings: MaintenanceSettings | undefined,
    users: SegmentUsers,
  ): void {
    this.#log = log;
    const segments = (): Iterable<Segment> => log.segments();
    this.#snapshots = new Snapshots(segments, this.#hot, this.#catalog, this.#files);
    if (settings === undefined) return;
    const shared = { fs: nodeFileSystem, directory: this.#directory, catalog: this.#catalog };
    const compactor = new Compactor({
      ...shared,
      segments,
      runner: this.#runner,
      isHeld: (segment) => users.holds(segment),
      released: (segment) => users.released(segment),
      step: killStep(),
      now: Date.now,
    });
    const retention = new Retention(
      { ...shared, runner: this.#runner },
      settings.retention,
      this.#snapshots.damage,
    );
    this.#maintenance = new Maintenance({
      fs: nodeFileSystem,
      directory: this.#directory,
      compactor,
      meta: this.#meta,
      limits: settings.hot,
      intervalMs: settings.intervalMs,
      seal: (olderThanMs) => log.seal(olderThanMs),
      retain: (run) => retention.apply(run),
    });
    if (settings.scheduled) this.#maintenance.start();
  }

  /** What is visible now; for whoever reads on his own account. To be called after the log was refreshed. */
  snapshot(): Snapshot {
    return this.#begun().take();
  }

  /**
   * Runs a query on a snapshot, again if compaction took away what it read.
   *
   * @param isFresh - whether the log was refreshed for a query just before, and not for this one
   */
  run<Result>(query: (snapshot: Snapshot) => Promise<Result>, isFresh = false): Promise<Result> {
    return this.#begun().run(query, () => this.#log!.refresh(), isFresh);
  }

  /** The contents of a blob. @throws RangeError, `TracewellError` (`TW_BLOB_MISSING`, `TW_BLOB_DAMAGED`) */
  blob(name: string): Uint8Array {
    return this.#files.blob(name);
  }

  /** `undefined` if this process does none. */
  get maintenance(): Maintenance | undefined {
    return this.#maintenance;
  }

  /** How the cold tier is. */
  health(): ColdHealth {
    if (this.#atClose !== undefined) return this.#atClose;
    const { files } = this.#catalog.state();
    const rows: Record<ColdSignal, number> = { spans: 0, logs: 0, metrics: 0, metrics_5m: 0, comments: 0 };
    const damaged: string[] = [];
    const { damage } = this.#begun();
    let bytes = 0;
    for (const file of files) {
      rows[file.signal] += file.rows;
      bytes += file.bytes;
      const why = file.damage ?? damage.get(file.id);
      if (why !== undefined) damaged.push(why);
    }
    const maintenance = this.#maintenance?.health();
    return { files: files.length, bytes, rows, damaged, ...(maintenance !== undefined && { maintenance }) };
  }

  async close(): Promise<void> {
    await this.#maintenance?.close();
    if (this.#snapshots !== undefined) this.#atClose = this.health();
    await this.#runner.close();
    this.#files.close();
    this.#meta.close();
  }

  #begun(): Snapshots {
    if (this.#snapshots === undefined) throw new Error('the log is not open');
    return this.#snapshots;
  }

  #derive(): ReturnType<typeof deriveCatalog> {
    const ids = new Set([...(this.#log?.segments() ?? [])].map(({ id }) => id));
    return deriveCatalog(nodeFileSystem, this.#directory, (id) => ids.has(id));
  }
}
